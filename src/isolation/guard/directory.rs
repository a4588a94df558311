//! The directory of tenants, generated from the map with fixed output: all of them, the one that a
//! word names, and those that a text is found in. They belong to `tenantdesk_meter`.

use super::condition::{Conditions, GuardError};
use super::functions::{HEAD, text_of};
use crate::postgres::{Ident, Sql};

/// The columns of the directory, as its functions declare them.
const COLUMNS: &str =
    "id text, slug text, name text, plan text, status text, domain text, created_at timestamptz";

/// The statements that create the functions. `memberships` is the query of all members.
///
/// # Errors
/// [`GuardError`] where map and catalogs do not agree.
pub(super) fn directory(
    conditions: &Conditions<'_>,
    memberships: &Sql,
) -> Result<Vec<Sql>, GuardError> {
    let root = &conditions.map.root;
    let (tenants, key) = &conditions.tenants()?;
    let column = |name: &Option<String>| text_of("r", name.as_deref());
    let slug = &column(&root.slug);
    let domains: Vec<Sql> = root.domains.iter().map(|name| text_of("r", Some(name))).collect();
    let domain = match &domains[..] {
        [] => Sql::new("null::text"),
        _ => Sql::new("coalesce(").append(&Sql::join(&domains, ", ")).text(")"),
    };
    let created = created(conditions)?;
    let row =
        [text_of("r", Some(key.as_str())), slug.clone(), column(&root.name), column(&root.plan)];
    let row: Vec<Sql> = row.into_iter().chain([column(&root.status), domain, created]).collect();
    let any_domain = if domains.is_empty() {
        Sql::new("null")
    } else {
        Sql::new("concat_ws(' ', ").append(&Sql::join(&domains, ", ")).text(")")
    };
    Ok(statements(&[
        ("head", &Sql::new(HEAD)),
        ("columns", &Sql::new(COLUMNS)),
        ("row", &Sql::join(&row, ", ")),
        ("root", tenants),
        ("key", &Sql::new("r.").ident(key)),
        ("type", &conditions.tenant_type()?),
        ("slug", slug),
        ("name", &column(&root.name)),
        ("domains", &any_domain),
        ("memberships", memberships),
    ]))
}

/// When a tenant was made: a time without a zone is one of UTC, and what is no time is none.
fn created(conditions: &Conditions<'_>) -> Result<Sql, GuardError> {
    let none = Sql::new("null::timestamptz");
    let (Some(table), Some(name)) = (&conditions.map.root.table, &conditions.map.root.created_at)
    else {
        return Ok(none);
    };
    let column = conditions.column(table, name)?;
    let base = column.base_type.clone().unwrap_or_else(|| column.bare_type());
    let own = Sql::new("r.").ident(&Ident::new(name));
    Ok(match base.as_str() {
        zoned if zoned.starts_with("timestamp") && zoned.ends_with("with time zone") => {
            own.text("::timestamptz")
        }
        plain if plain.starts_with("timestamp") || plain == "date" => {
            Sql::new("(").append(&own).text("::timestamp at time zone 'UTC')")
        }
        _ => none,
    })
}

/// The three functions, from the pieces that the map gives.
fn statements(pieces: &[(&'static str, &Sql)]) -> Vec<Sql> {
    vec![
        Sql::fill(
            "create or replace function tenantdesk.directory() returns table ({columns})\n\
             {head}  perform tenantdesk.require('viewer', 'listing tenants', true);\n  \
             return query select {row} from {root} r;\nend $function$",
            pieces,
        ),
        // Two indexes serve it, however many tenants there are.
        Sql::fill(
            "create or replace function tenantdesk.tenant_named(word text) returns table ({columns})\n\
             {head}  perform tenantdesk.require('viewer', 'looking up a tenant', true);\n  \
             return query select {row} from {root} r where {key} = tenantdesk.tenant_id(tenant_named.word)::{type}\n    \
             or {slug} in (tenant_named.word, lower(tenant_named.word));\nend $function$",
            pieces,
        ),
        Sql::fill(
            "create or replace function tenantdesk.find_tenants(part text, at_most integer) returns table ({columns}, matched_by text)\n\
             {head}  perform tenantdesk.require('viewer', 'finding tenants', true);\n  \
             part := lower(find_tenants.part);\n  \
             return query select x.* from (select {row}, case\n      \
               when lower({slug}) = find_tenants.part or lower({key}::text) = find_tenants.part then 'exact'\n      \
               when strpos(lower({slug}), find_tenants.part) > 0 then 'slug'\n      \
               when strpos(lower({name}), find_tenants.part) > 0 then 'name'\n      \
               when strpos(lower({domains}), find_tenants.part) > 0 then 'domain'\n      \
               when length(find_tenants.part) >= 4 and starts_with(lower({key}::text), find_tenants.part) then 'id'\n      \
               when strpos(find_tenants.part, '@') > 0 and exists (select from ({memberships}) m where m.tenant = {key}::text and lower(m.email) = find_tenants.part) then 'email'\n      \
               end from {root} r) as x (id, slug, name, plan, status, domain, created_at, matched_by)\n    \
             where x.matched_by is not null and find_tenants.part <> ''\n    \
             order by array_position(array['exact', 'slug', 'name', 'domain', 'id', 'email'], x.matched_by), coalesce(x.slug, x.id)\n    \
             limit find_tenants.at_most;\nend $function$",
            pieces,
        ),
    ]
}
