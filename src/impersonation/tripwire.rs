//! The tripwire: each row that shows a tenant key is looked at once more before it is shown.
//!
//! Defence in depth behind the guard, from the outside and therefore simple. A column that has
//! the **name** of the tenant key of any keyed relation must hold this tenant's key or NULL. That
//! stops a statement that writes another key under that name by itself (`select 'x' as
//! tenant_id`) as well: a false alarm of this kind is cheaper than a miss. The key of the root is
//! often just `id`, so it is watched only where the rows of the root are browsed.

use crate::isolation::map::{Class, RelationMap};

/// What is watched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tripwire {
    tenant: String,
    columns: Vec<String>,
}

/// A row of another tenant came back.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "a row of another tenant came back: column `{column}` holds another tenant's key; nothing of it is shown, and the session was stopped"
)]
pub struct Leak {
    /// The column that told.
    pub column: String,
}

impl Tripwire {
    /// For any statement: the keys of all keyed relations.
    #[must_use]
    pub fn new(map: &RelationMap, tenant: &str) -> Self {
        let mut columns: Vec<String> = map
            .relations
            .iter()
            .filter(|relation| relation.class == Class::Keyed)
            .filter_map(|relation| relation.key.clone())
            .collect();
        columns.sort();
        columns.dedup();
        Self { tenant: tenant.to_owned(), columns }
    }

    /// For the rows of one relation: its own key as well, the root's included.
    #[must_use]
    pub fn for_relation(map: &RelationMap, tenant: &str, name: &str) -> Self {
        let mut tripwire = Self::new(map, tenant);
        let own = map.find(name).filter(|r| matches!(r.class, Class::Root | Class::Keyed));
        tripwire.columns.extend(own.and_then(|relation| relation.key));
        tripwire
    }

    /// Which columns of a result are watched.
    #[must_use]
    pub fn watched<'n>(&self, names: impl Iterator<Item = &'n str>) -> Vec<usize> {
        names
            .enumerate()
            .filter(|(_, name)| self.columns.iter().any(|column| column == name))
            .map(|(index, _)| index)
            .collect()
    }

    /// Whether a value is another tenant's key. NULL is nobody's, and case does not matter in
    /// the text form of a key.
    #[must_use]
    pub fn is_foreign(&self, value: Option<&str>) -> bool {
        value.is_some_and(|value| !value.eq_ignore_ascii_case(&self.tenant))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_watched_by_name_and_the_roots_only_among_its_own_rows() {
        let map = RelationMap::from_toml(include_str!("../../assets/starter/map.toml")).unwrap();
        let any = Tripwire::new(&map, "a1");
        assert_eq!(any.watched(["id", "tenant_id", "name", "tenant_id"].into_iter()), [1, 3]);
        let root = Tripwire::for_relation(&map, "a1", "app.tenants");
        assert_eq!(root.watched(["id", "tenant_id"].into_iter()), [0, 1]);
        assert!(any.is_foreign(Some("b2")) && any.is_foreign(Some("")));
        assert!(!any.is_foreign(Some("A1")) && !any.is_foreign(None));
    }
}
