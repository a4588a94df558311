//! `tenant list`, `tenant find`, `tenant show`: the directory of tenants, through the one function
//! that looks across them with fixed output.

use chrono::{DateTime, Utc};
use serde::Serialize;
use thiserror::Error;

use crate::console::{Console, ConsoleError};
use crate::failure::{Explain, Kind};
use crate::identity::TenantId;
use crate::postgres::Sql;
use crate::text::Untrusted;

/// One tenant as the directory shows it. Columns that the schema does not have are none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Tenant {
    /// Its id, as text.
    pub id: TenantId,
    /// Its slug.
    pub slug: Option<Untrusted>,
    /// Its name.
    pub name: Option<Untrusted>,
    /// Its plan.
    pub plan: Option<Untrusted>,
    /// Its status.
    pub status: Option<Untrusted>,
    /// Its domain.
    pub domain: Option<Untrusted>,
    /// When it was made.
    pub created_at: Option<DateTime<Utc>>,
}

impl Tenant {
    /// The slug, or the id where the target has none: what `--confirm` takes.
    #[must_use]
    pub fn handle(&self) -> String {
        self.slug.as_ref().map_or_else(|| self.id.to_string(), |slug| slug.raw().to_owned())
    }
}

/// Why a tenant could not be told.
#[derive(Debug, Error)]
pub enum DirectoryError {
    /// The gate.
    #[error(transparent)]
    Console(#[from] ConsoleError),
    /// Nothing matches. A tenant that does not exist and one that may not be seen look the same.
    #[error("tenant not found: `{0}`")]
    NotFound(String),
    /// Several match.
    #[error("`{text}` matches {count} tenants")]
    Ambiguous {
        /// What was asked for.
        text: String,
        /// How many match.
        count: usize,
        /// The handles of the first few.
        candidates: Vec<String>,
    },
}

impl Explain for DirectoryError {
    fn kind(&self) -> Kind {
        match self {
            Self::Console(error) => error.kind(),
            Self::NotFound(_) | Self::Ambiguous { .. } => Kind::Refused,
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::Console(error) => error.hints(),
            Self::NotFound(_) => {
                vec![
                    "`tenantdesk tenant find TEXT` looks by name, slug, id, domain and e-mail"
                        .to_owned(),
                ]
            }
            Self::Ambiguous { candidates, .. } => {
                vec![format!("use one of: {}", candidates.join(", "))]
            }
        }
    }
}

/// Why a tenant was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum MatchedBy {
    /// The whole slug or id.
    Exact,
    /// A part of the slug.
    Slug,
    /// A part of the name.
    Name,
    /// A part of the domain.
    Domain,
    /// The beginning of the id.
    Id,
    /// A member's e-mail address.
    Email,
}

/// A tenant that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Found {
    /// The tenant.
    #[serde(flatten)]
    pub tenant: Tenant,
    /// By what.
    pub matched_by: MatchedBy,
}

/// All tenants, in the order of their handles.
///
/// # Errors
/// [`ConsoleError`].
pub async fn list(console: &Console) -> Result<Vec<Tenant>, ConsoleError> {
    let rows = console
        .query(
            &Sql::new("select id, slug, name, plan, status, domain, created_at from tenantdesk.directory()"),
            &[],
        )
        .await?;
    let text = |row: &tokio_postgres::Row, column: usize| {
        row.get::<_, Option<String>>(column).map(Untrusted::from)
    };
    let mut tenants: Vec<Tenant> = rows
        .iter()
        .map(|row| Tenant {
            id: TenantId::from_database(row.get::<_, String>(0)),
            slug: text(row, 1),
            name: text(row, 2),
            plan: text(row, 3),
            status: text(row, 4),
            domain: text(row, 5),
            created_at: row.get(6),
        })
        .collect();
    tenants.sort_by_cached_key(Tenant::handle);
    Ok(tenants)
}

/// Finds tenants by name, slug, id, domain or a member's e-mail address; best matches first.
///
/// # Errors
/// [`ConsoleError`].
pub async fn find(console: &Console, text: &str) -> Result<Vec<Found>, ConsoleError> {
    let tenants = list(console).await?;
    let mut found: Vec<Found> = tenants
        .iter()
        .filter_map(|tenant| {
            matches(tenant, text).map(|matched_by| Found { tenant: tenant.clone(), matched_by })
        })
        .collect();
    if text.contains('@') {
        let rows = console
            .query(&Sql::new("select distinct tenant from tenantdesk.find_by_email($1)"), &[&text])
            .await?;
        for row in rows {
            let id: String = row.get(0);
            let known = found.iter().any(|f| f.tenant.id.as_str() == id);
            if let Some(tenant) = tenants.iter().find(|t| t.id.as_str() == id && !known) {
                found.push(Found { tenant: tenant.clone(), matched_by: MatchedBy::Email });
            }
        }
    }
    found.sort_by_key(|f| (f.matched_by, f.tenant.handle()));
    Ok(found)
}

/// The one tenant that a TENANT argument means: slug, id, or what `find` matches uniquely.
///
/// # Errors
/// [`DirectoryError::NotFound`] and [`DirectoryError::Ambiguous`].
pub async fn resolve(console: &Console, text: &str) -> Result<Tenant, DirectoryError> {
    let mut found = find(console, text).await?;
    let exact = found.iter().filter(|f| f.matched_by == MatchedBy::Exact).count();
    if exact == 1 {
        found.truncate(1);
    }
    match found.len() {
        1 => Ok(found.swap_remove(0).tenant),
        0 => Err(DirectoryError::NotFound(text.to_owned())),
        count => Err(DirectoryError::Ambiguous {
            text: text.to_owned(),
            count,
            candidates: found.iter().take(5).map(|f| f.tenant.handle()).collect(),
        }),
    }
}

/// Whether a tenant matches a text, and by what. Case does not matter.
fn matches(tenant: &Tenant, text: &str) -> Option<MatchedBy> {
    let wanted = text.to_lowercase();
    if wanted.is_empty() {
        return None;
    }
    let lower = |value: &Option<Untrusted>| {
        value.as_ref().map(|v| v.raw().to_lowercase()).unwrap_or_default()
    };
    let id = tenant.id.as_str().to_lowercase();
    if lower(&tenant.slug) == wanted || id == wanted {
        Some(MatchedBy::Exact)
    } else if lower(&tenant.slug).contains(&wanted) {
        Some(MatchedBy::Slug)
    } else if lower(&tenant.name).contains(&wanted) {
        Some(MatchedBy::Name)
    } else if lower(&tenant.domain).contains(&wanted) {
        Some(MatchedBy::Domain)
    } else if wanted.len() >= 4 && id.starts_with(&wanted) {
        Some(MatchedBy::Id)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenant_is_found_by_any_of_its_names() {
        let tenant = Tenant {
            id: TenantId::from_database("aaaaaaaa-0000-0000-0000-000000000001"),
            slug: Some("acme".into()),
            name: Some("Ácme Rockets".into()),
            plan: None,
            status: None,
            domain: Some("rockets.example".into()),
            created_at: None,
        };
        for (text, by) in [
            ("ACME", MatchedBy::Exact),
            ("acm", MatchedBy::Slug),
            ("ácme r", MatchedBy::Name),
            ("example", MatchedBy::Domain),
            ("aaaaaaaa-0", MatchedBy::Id),
        ] {
            assert_eq!(matches(&tenant, text), Some(by), "{text}");
        }
        assert_eq!(matches(&tenant, ""), None);
        assert_eq!(matches(&tenant, "bolt"), None);
    }
}
