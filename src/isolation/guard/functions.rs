//! The few functions that look across tenants, generated from the map with fixed output: the
//! directory (directory.rs), the look-ups of members, and `measure` (measure.rs). They belong to
//! `tenantdesk_meter`.

use super::condition::{Conditions, GuardError};
use super::{directory, draw, measure};
use crate::isolation::map::{Members, Users, parse_name};
use crate::postgres::{Ident, Sql};

/// The head that every function here shares.
pub(super) const HEAD: &str = "language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $function$\n#variable_conflict use_column\nbegin\n";

/// The statements that create them, inside `set local role tenantdesk_meter`.
///
/// # Errors
/// [`GuardError`] where map and catalogs do not agree.
pub(super) fn functions(conditions: &Conditions<'_>) -> Result<Vec<Sql>, GuardError> {
    let mut statements = vec![Sql::new("set local role tenantdesk_meter")];
    let lookups = match (&conditions.map.members, &conditions.map.users) {
        (Some(members), Some(users)) => Lookups::of(conditions, members, users)?,
        _ => Lookups::of_nobody(),
    };
    statements.push(tenant_state(conditions)?);
    statements.push(tenant_id(conditions)?);
    statements.extend(directory::directory(conditions, &lookups.select)?);
    statements.extend(members(&lookups));
    statements.extend(measure::measures(conditions)?);
    statements.extend(draw::draws(conditions)?);
    statements.push(Sql::new(
        "grant execute on function tenantdesk.directory, tenantdesk.tenant_named, tenantdesk.find_tenants, \
         tenantdesk.members, tenantdesk.find_user, tenantdesk.measure, tenantdesk.measure_tenant to tenantdesk_operator",
    ));
    statements.push(Sql::new(
        "grant execute on function tenantdesk.tenant_state, tenantdesk.tenant_id, tenantdesk.member_state, tenantdesk.has_members, tenantdesk.count_metric to tenantdesk_owner",
    ));
    statements.push(Sql::new("reset role"));
    Ok(statements)
}

/// `alias.column::text`, or a null where the schema has no such column.
pub(super) fn text_of(alias: &'static str, column: Option<&str>) -> Sql {
    column.map_or_else(
        || Sql::new("null::text"),
        |name| Sql::new(alias).text(".").ident(&Ident::new(name)).text("::text"),
    )
}

/// What `open_session` and the limits ask about one tenant; an id of the wrong form is no tenant.
fn tenant_state(conditions: &Conditions<'_>) -> Result<Sql, GuardError> {
    let root = &conditions.map.root;
    if root.table.is_none() {
        // Whatever has the form of a key names a tenant, be there rows of it or not yet.
        return Ok(Sql::fill(
            "create or replace function tenantdesk.tenant_state(tenant text) returns table (slug text, plan text, suspended boolean)\n\
             {head}  return query select null::text, null::text, false where tenant_state.tenant::{type} is not null;\n\
             exception when invalid_text_representation or numeric_value_out_of_range then return;\nend $function$",
            &[("head", &Sql::new(HEAD)), ("type", &conditions.tenant_type()?)],
        ));
    }
    let (tenants, key) = &conditions.tenants()?;
    let suspended = match (&root.status, &root.suspended) {
        (Some(_), Some(word)) => {
            text_of("r", root.status.as_deref()).text(" is not distinct from").literal(word)
        }
        _ => Sql::new("false"),
    };
    Ok(Sql::fill(
        "create or replace function tenantdesk.tenant_state(tenant text) returns table (slug text, plan text, suspended boolean)\n\
         {head}  return query select {slug}, {plan}, {suspended} from {root} r where r.{key} = tenant_state.tenant::{type};\n\
         exception when invalid_text_representation or numeric_value_out_of_range or check_violation then return;\nend $function$",
        &[
            ("head", &Sql::new(HEAD)),
            ("slug", &text_of("r", root.slug.as_deref())),
            ("plan", &text_of("r", root.plan.as_deref())),
            ("suspended", &suspended),
            ("root", tenants),
            ("key", &Sql::from(key)),
            ("type", &conditions.tenant_type()?),
        ],
    ))
}

/// The one spelling of a tenant's id, or null: sessions, chains and limits are compared as text.
///
/// Of a tenant that is there, its key as the root prints it: `1.00` and `1` are one number, and
/// `Acme` and `acme` one citext.
fn tenant_id(conditions: &Conditions<'_>) -> Result<Sql, GuardError> {
    let cast = Sql::fill("tenant_id.tenant::{type}", &[("type", &conditions.tenant_type()?)]);
    let spelling = if conditions.map.root.table.is_some() {
        let (tenants, key) = conditions.tenants()?;
        Sql::fill(
            "coalesce((select r.{key}::text from {tenants} r where r.{key} = {cast}), ({cast})::text)",
            &[("key", &Sql::from(&key)), ("tenants", &tenants), ("cast", &cast)],
        )
    } else {
        Sql::fill("({cast})::text", &[("cast", &cast)])
    };
    Ok(Sql::fill(
        "create or replace function tenantdesk.tenant_id(tenant text) returns text\n\
         {head}  return {spelling};\n\
         exception when invalid_text_representation or numeric_value_out_of_range or check_violation then return null;\nend $function$",
        &[("head", &Sql::new(HEAD)), ("spelling", &spelling)],
    ))
}

/// Whether the tenant that is being provisioned has no member yet. Volatile, so that it sees the
/// rows of the statement that asks: provisioning links one person, its owner, and nobody else. A policy
/// asks before the row is written, a view's check option afterwards: then it is the only one.
pub(super) fn first_member(conditions: &Conditions<'_>) -> Result<Vec<Sql>, GuardError> {
    let Some(members) = &conditions.map.members else { return Ok(Vec::new()) };
    let link = conditions
        .map
        .find(&members.table)
        .ok_or_else(|| GuardError::NoRelation(members.table.clone()))?;
    let present = conditions.catalog.relations.get(&members.table);
    let before = present.is_some_and(|present| present.row_security);
    Ok(vec![
        Sql::new("set local role tenantdesk_meter"),
        Sql::fill(
            "create or replace function tenantdesk.is_first_member() returns boolean\n\
             language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $function$\nbegin\n  \
             return not exists (select from {memberships} m where m.{tenant} = tenantdesk.provision_tenant()::{type} offset {itself});\nend $function$",
            &[
                ("memberships", &Sql::from(&parse_name(&members.table))),
                ("tenant", &Sql::from(&Ident::new(&members.tenant))),
                ("type", &conditions.key_type(&link)?),
                ("itself", &Sql::new(if before { "0" } else { "1" })),
            ],
        ),
        Sql::new("grant execute on function tenantdesk.is_first_member to tenantdesk_provisioner"),
        Sql::new("reset role"),
    ])
}

/// The queries that the look-ups of members are made of.
struct Lookups {
    /// All memberships with their people.
    select: Sql,
    /// Those of one tenant, by the index on its key.
    of_tenant: Sql,
    /// One member of one tenant.
    state: Sql,
    /// One person by his e-mail address.
    known: Sql,
    /// Whether the schema knows members at all.
    has: Sql,
}

impl Lookups {
    /// A schema without memberships: the look-ups exist and find nobody.
    fn of_nobody() -> Self {
        let select = Sql::new(
            "select null::text as tenant, null::text as id, null::text as email, null::text as name, null::text as role, null::text as state where false",
        );
        Self {
            of_tenant: select.clone(),
            select,
            state: Sql::new("select null::text, null::text, false where false"),
            known: Sql::new("select null::text where false"),
            has: Sql::new("false"),
        }
    }

    /// Memberships and people as the map names them.
    fn of(
        conditions: &Conditions<'_>,
        members: &Members,
        users: &Users,
    ) -> Result<Self, GuardError> {
        let tenant = Ident::new(&members.tenant);
        let link = conditions
            .map
            .find(&members.table)
            .ok_or_else(|| GuardError::NoRelation(members.table.clone()))?;
        let active = members.active.as_ref().map_or_else(
            || Sql::new("true"),
            |word| text_of("m", members.state.as_deref()).text(" =").literal(word),
        );
        let pieces = [
            ("tenant", Sql::new("m.").ident(&tenant).text("::text")),
            ("id", text_of("u", Some(&users.id))),
            ("email", text_of("u", Some(&users.email))),
            ("name", text_of("u", users.name.as_deref())),
            ("role", text_of("m", members.role.as_deref())),
            ("state", text_of("m", members.state.as_deref())),
            ("memberships", Sql::from(&parse_name(&members.table))),
            ("people", Sql::from(&parse_name(&users.table))),
            ("member", Sql::from(&Ident::new(&members.member))),
            ("user_id", Sql::from(&Ident::new(&users.id))),
            ("active", active),
            ("key", Sql::from(&tenant)),
            ("type", conditions.key_type(&link)?),
        ];
        let pieces: Vec<(&'static str, &Sql)> = pieces.iter().map(|(n, s)| (*n, s)).collect();
        let select = Sql::fill(
            "select {tenant} as tenant, {id} as id, {email} as email, {name} as name, {role} as role, {state} as state \
             from {memberships} m join {people} u on u.{user_id} = m.{member}",
            &pieces,
        );
        Ok(Self {
            of_tenant: select
                .clone()
                .append(&Sql::fill(" where m.{key} = members.tenant::{type}", &pieces)),
            select,
            state: Sql::fill(
                "select {email}, {role}, {active} from {memberships} m join {people} u on u.{user_id} = m.{member} \
                 where m.{key} = member_state.tenant::{type} and (u.{user_id}::text = member_state.member or lower({email}) = lower(member_state.member))",
                &pieces,
            ),
            known: Sql::fill(
                "select {id} from {people} u where lower({email}) = lower(find_user.email)",
                &pieces,
            ),
            has: Sql::new("true"),
        })
    }
}

/// The look-ups of members.
fn members(lookups: &Lookups) -> Vec<Sql> {
    let Lookups { of_tenant, state, known, has, .. } = lookups;
    let head = &Sql::new(HEAD);
    let pieces = [
        ("head", head),
        ("of_tenant", of_tenant),
        ("state", state),
        ("known", known),
        ("has", has),
    ];
    vec![
        Sql::fill(
            "create or replace function tenantdesk.members(tenant text) returns table (id text, email text, name text, role text, state text)\n\
             {head}  perform tenantdesk.require('support', 'listing members');\n  \
             return query select x.id, x.email, x.name, x.role, x.state from ({of_tenant}) x order by x.email;\n\
             exception when invalid_text_representation or numeric_value_out_of_range or check_violation then return;\nend $function$",
            &pieces,
        ),
        Sql::fill(
            "create or replace function tenantdesk.find_user(email text) returns text\n\
             {head}  perform tenantdesk.require('support', 'provisioning');\n  return ({known} limit 1);\nend $function$",
            &pieces,
        ),
        Sql::fill(
            "create or replace function tenantdesk.member_state(tenant text, member text) returns table (email text, role text, active boolean)\n\
             {head}  return query {state};\nexception when invalid_text_representation or numeric_value_out_of_range or check_violation then return;\nend $function$",
            &pieces,
        ),
        Sql::fill(
            "create or replace function tenantdesk.has_members() returns boolean language sql immutable set search_path = pg_catalog, pg_temp return {has}",
            &pieces,
        ),
    ]
}
