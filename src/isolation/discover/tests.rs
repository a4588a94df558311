//! Discovery on small catalogs made by hand: decoys, and what a person decided.

use super::{Certainty, ChosenRoot, DecisionError, Decisions, Proposal, discover};
use crate::catalog::{
    Catalog, CatalogRelation, Column, ForeignKey, Function, Policy, RelationKind, Rights, Role,
};
use crate::isolation::map::{Class, Relation};
use crate::postgres::RelationName;

/// Tables of `public`, a line each: `name: column type, column type? > parent`; `?` may be null, `>`
/// is a foreign key to the parent's `id`. The first column is the primary key.
fn catalog(lines: &str) -> Catalog {
    let mut catalog = Catalog::default();
    for line in lines.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (name, columns) = line.split_once(": ").unwrap();
        let plain = RelationName::new("public", name).plain();
        let mut relation = empty(name);
        for text in columns.split(", ") {
            let (column, parent) =
                text.split_once(" > ").map_or((text, None), |(c, p)| (c, Some(p)));
            let (column, type_name) = column.split_once(' ').unwrap();
            relation.columns.push(Column {
                name: column.to_owned(),
                type_name: type_name.trim_end_matches('?').to_owned(),
                not_null: !type_name.ends_with('?'),
                generated: false,
                identity_always: None,
                application_rights: String::new(),
                default: None,
                base_type: None,
                labels: Vec::new(),
            });
            catalog.foreign_keys.extend(parent.map(|parent| ForeignKey {
                name: format!("{name}_{column}_fkey"),
                from: plain.clone(),
                columns: vec![column.to_owned()],
                to: RelationName::new("public", parent).plain(),
                referenced: vec!["id".to_owned()],
                deferrable: false,
                validated: true,
                delete_action: "c".to_owned(),
                simple: true,
            }));
        }
        relation.primary_key = vec![relation.columns[0].name.clone()];
        catalog.relations.insert(plain, relation);
    }
    catalog.roles = vec![
        Role { name: "boss".to_owned(), login: true, owned: 50, ..Role::default() },
        Role {
            name: "shop_app".to_owned(),
            login: true,
            groups: vec!["writers".to_owned()],
            ..Role::default()
        },
        Role {
            name: "writers".to_owned(),
            may_insert: 50,
            may_change: 50,
            may_select: 50,
            ..Role::default()
        },
        Role { name: "report".to_owned(), login: true, may_select: 50, ..Role::default() },
    ];
    catalog
}

/// A table without columns.
fn empty(name: &str) -> CatalogRelation {
    CatalogRelation {
        oid: 0,
        name: RelationName::new("public", name),
        kind: RelationKind::Table,
        is_partition: false,
        has_heirs: false,
        row_security: false,
        forced: false,
        security_invoker: false,
        columns: Vec::new(),
        primary_key: Vec::new(),
        primary_key_equals: Vec::new(),
        unique_keys: Vec::new(),
        application: Rights::default(),
        policies: Vec::new(),
        owner: "boss".to_owned(),
        extension: None,
        parents: Vec::new(),
        rows_estimate: None,
        comment: None,
        checks: Vec::new(),
        indexed: Vec::new(),
    }
}

const PRODUCT: &str = "
    organizations: id uuid, name text, slug text
    users: id uuid, email text, password_hash text, current_project_id uuid? > projects
    organization_users: id uuid, organization_id uuid > organizations, user_id uuid > users, role text
    accounts: id uuid, user_id uuid > users, provider text, provider_account_id text, id_token text?, token_type text?
    sessions: id uuid, user_id uuid > users, active_organization_id uuid? > organizations
    projects: id uuid, organization_id uuid > organizations, parent_id uuid? > projects
    tasks: id uuid, project_id uuid > projects, assignee_id uuid? > users
    comments: id uuid, task_id uuid > tasks, user_id uuid > users
    labels: id uuid, organization_id uuid? > organizations, name text
    tenants: id uuid, flat text, organization_id uuid > organizations
    countries: code text, name text
    invoices: id uuid, organization_id uuid > organizations, country_code text?
    schema_migrations: version text
    widgets: id uuid, blob text";

fn proposed(catalog: &Catalog) -> Proposal {
    discover(catalog, &Decisions::default()).unwrap()
}

fn class(proposal: &Proposal, table: &str) -> Option<Class> {
    let name = format!("public.{table}");
    proposal.verdicts.iter().find(|v| v.relation.name == name).map(|v| v.relation.class)
}

/// A policy of a table.
fn with_policy(catalog: &mut Catalog, table: &str, using: &str) {
    catalog.relations.get_mut(table).unwrap().policies.push(Policy {
        name: "by_tenant".to_owned(),
        permissive: true,
        roles: vec!["public".to_owned()],
        names_application: false,
        command: "*".to_owned(),
        using: Some(using.to_owned()),
        check: None,
    });
}

#[test]
fn decoys_are_seen_through() {
    let proposal = proposed(&catalog(PRODUCT));
    assert!(
        matches!(&proposal.root, ChosenRoot::Table { table, .. } if table == "public.organizations"),
        "{:?}",
        proposal.root
    );
    for (table, expected) in [
        ("users", Class::Linked),
        ("organization_users", Class::Keyed),
        ("accounts", Class::Excluded),
        ("sessions", Class::Excluded),
        ("projects", Class::Keyed),
        ("tasks", Class::Derived),
        ("comments", Class::Derived),
        ("labels", Class::Keyed),
        ("tenants", Class::Keyed),
        ("countries", Class::Global),
        ("schema_migrations", Class::Excluded),
    ] {
        assert_eq!(class(&proposal, table), Some(expected), "{table}");
    }
    assert_eq!(proposal.members.unwrap().value.table, "public.organization_users");
    assert_eq!(proposal.application_roles[0].value, "shop_app");
    let undecided: Vec<&str> = proposal.undecided.iter().map(|u| u.relation.as_str()).collect();
    assert_eq!(undecided, ["public.widgets"]);
    assert_eq!(proposal.map, None);
}

#[test]
fn a_null_key_means_everybody_only_where_a_policy_says_so() {
    let mut catalog = catalog(PRODUCT);
    let labels = |p: &Proposal| {
        p.verdicts.iter().find(|v| v.relation.name == "public.labels").cloned().unwrap()
    };
    let silent = labels(&proposed(&catalog));
    assert!(!silent.relation.shared && silent.remarks[0].contains("hidden"), "{silent:?}");
    catalog.functions.push(Function {
        name: RelationName::new("security", "tenant"),
        source: "select nullif(current_setting('shop.organization', true), '')::uuid".to_owned(),
        called_by_policy: true,
    });
    with_policy(
        &mut catalog,
        "public.labels",
        "((organization_id IS NULL) OR (organization_id = security.tenant()))",
    );
    let proposal = proposed(&catalog);
    assert!(labels(&proposal).relation.shared);
    assert_eq!(proposal.settings[0].value, "shop.organization");
    assert_eq!(proposal.settings[0].sure, Certainty::Certain);
}

#[test]
fn what_a_person_decided_wins_or_is_refused_by_name() {
    let catalog = catalog(PRODUCT);
    let excluded = |name: &str| Relation {
        reason: Some("a trial".to_owned()),
        ..Relation::new(name, Class::Excluded)
    };
    let mut decisions = Decisions {
        relations: vec![excluded("public.widgets"), excluded("public.tasks")],
        ..Decisions::default()
    };
    let proposal = discover(&catalog, &decisions).unwrap();
    // What only reached its tenant through an excluded table has no way any more.
    assert_eq!(class(&proposal, "tasks"), Some(Class::Excluded));
    assert_ne!(class(&proposal, "comments"), Some(Class::Derived));
    decisions.relations.push(excluded("public.comments"));
    let map = discover(&catalog, &decisions).unwrap().map.unwrap();
    assert_eq!(map.find("public.widgets").unwrap().class, Class::Excluded);
    decisions.relations.push(Relation {
        key: Some("nothing".to_owned()),
        ..Relation::new("public.labels", Class::Keyed)
    });
    let refused = discover(&catalog, &decisions).unwrap_err();
    assert!(matches!(&refused, DecisionError::NoColumn { column, .. } if column == "nothing"));
    assert!(refused.to_string().contains("public.labels"), "{refused}");
    let mut hinted = Decisions::default();
    hinted.hints.tenant_root = Some("projects".to_owned());
    let proposal = discover(&catalog, &hinted).unwrap();
    assert_eq!(class(&proposal, "tasks"), Some(Class::Keyed));
    hinted.hints.tenant_root = Some("nowhere".to_owned());
    assert!(discover(&catalog, &hinted).unwrap_err().to_string().contains("nowhere"));
}
