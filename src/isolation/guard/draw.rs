//! Where the ids of a new tenant and of his first admin come from, decided by the type of the key:
//! a fresh uuid, the key's own sequence, a text. The functions give an id and record nothing: an id
//! that is never used is a gap in a sequence. They belong to `tenantdesk_meter`.

use super::condition::{Conditions, GuardError};
use super::functions::HEAD;
use crate::isolation::map::parse_name;
use crate::postgres::{RelationName, Sql};

/// How an id comes about.
enum Form {
    /// A random uuid.
    Uuid,
    /// The next number of this sequence.
    Sequence(RelationName),
    /// A random text; with room for so many characters, where the type says.
    Text(Option<usize>),
    /// The slug itself.
    Slug,
    /// It cannot be known.
    Unknown(&'static str),
}

impl Form {
    /// The word that the program knows it by.
    const fn word(&self) -> &'static str {
        match self {
            Self::Uuid => "uuid",
            Self::Sequence(_) => "sequence",
            Self::Text(_) => "text",
            Self::Slug => "slug",
            Self::Unknown(_) => "unknown",
        }
    }

    /// The statements of a function that draws one.
    fn body(&self) -> Sql {
        match self {
            Self::Sequence(name) => Sql::new("return pg_catalog.nextval(")
                .literal(&name.to_string())
                .text("::pg_catalog.regclass)::text;"),
            // As long as a cuid where a uuid has no room.
            Self::Text(room) if room.is_some_and(|room| room < 36) => Sql::new(
                "return 'c' || pg_catalog.left(pg_catalog.replace(pg_catalog.gen_random_uuid()::text || pg_catalog.gen_random_uuid()::text, '-', ''), 24);",
            ),
            Self::Uuid | Self::Text(_) => Sql::new("return pg_catalog.gen_random_uuid()::text;"),
            Self::Slug => Sql::new("return null;"),
            Self::Unknown(why) => Sql::new("raise exception using errcode = '55000', message =")
                .literal(why)
                .text(";"),
        }
    }
}

/// The statements, inside `set local role tenantdesk_meter`.
///
/// # Errors
/// [`GuardError`] where map and catalogs do not agree.
pub(super) fn draws(conditions: &Conditions<'_>) -> Result<Vec<Sql>, GuardError> {
    let tenant = tenant(conditions)?;
    let person = person(conditions)?;
    let head = HEAD.replacen("stable", "volatile", 1);
    let head = &Sql::danger_declared_text(head);
    let draw = |name: &'static str, form: &Form| {
        Sql::fill(
            "create or replace function tenantdesk.{name}() returns text\n\
             {head}  perform tenantdesk.require('support', 'provisioning');\n  {body}\nend $function$",
            &[("name", &Sql::new(name)), ("head", head), ("body", &form.body())],
        )
    };
    Ok(vec![
        Sql::fill(
            "create or replace function tenantdesk.id_forms() returns table (tenant text, person text)\n\
             {head}  perform tenantdesk.require('support', 'provisioning');\n  return query select {tenant}, {person};\nend $function$",
            &[
                ("head", &Sql::new(HEAD)),
                ("tenant", &Sql::default().literal(tenant.word())),
                ("person", &Sql::default().literal(person.word())),
            ],
        ),
        draw("draw_tenant_id", &tenant),
        draw("draw_person_id", &person),
        Sql::new(
            "grant execute on function tenantdesk.id_forms, tenantdesk.draw_tenant_id, tenantdesk.draw_person_id to tenantdesk_operator",
        ),
    ])
}

/// The rights that the functions need, granted by whoever owns the sequences.
///
/// # Errors
/// [`GuardError`] where map and catalogs do not agree.
pub(super) fn draw_grants(conditions: &Conditions<'_>) -> Result<Vec<Sql>, GuardError> {
    let forms = [tenant(conditions)?, person(conditions)?];
    let grant = |form: &Form| match form {
        Form::Sequence(name) => Some(Sql::fill(
            "grant usage on sequence {name} to tenantdesk_meter",
            &[("name", &Sql::from(name))],
        )),
        _ => None,
    };
    Ok(forms.iter().filter_map(grant).collect())
}

/// The form of a tenant's id.
fn tenant(conditions: &Conditions<'_>) -> Result<Form, GuardError> {
    let root = &conditions.map.root;
    let (Some(table), Some(key)) = (&root.table, &root.key) else {
        return Ok(Form::Unknown("a tenant of this database begins with its first row"));
    };
    let slug = root.slug.as_ref().is_some_and(|slug| slug != key);
    form(conditions, table, key, slug)
}

/// The form of a person's id.
fn person(conditions: &Conditions<'_>) -> Result<Form, GuardError> {
    conditions.map.users.as_ref().map_or_else(
        || Ok(Form::Unknown("this database has no people")),
        |users| match form(conditions, &users.table, &users.id, true)? {
            Form::Slug => Ok(Form::Unknown("the key of a person has no room for a random text")),
            form => Ok(form),
        },
    )
}

/// The form of a key; `drawn` where a text is not the slug itself.
fn form(
    conditions: &Conditions<'_>,
    table: &str,
    key: &str,
    drawn: bool,
) -> Result<Form, GuardError> {
    let column = conditions.column(table, key)?;
    let printed = column.base_type.clone().unwrap_or_else(|| column.type_name.clone());
    let (bare, room) = printed.split_once('(').map_or((printed.as_str(), None), |(bare, rest)| {
        (bare, rest.trim_end_matches(')').parse::<usize>().ok())
    });
    let known = parse_name(table).plain();
    let sequence =
        conditions.catalog.sequences.iter().find(|s| s.relation == known && s.column == key);
    Ok(match (bare, sequence) {
        ("uuid", _) => Form::Uuid,
        ("smallint" | "integer" | "bigint" | "numeric", Some(sequence)) => {
            Form::Sequence(sequence.name.clone())
        }
        ("text" | "character varying" | "character" | "bpchar", _) if !drawn => Form::Slug,
        // No room for anything random.
        ("text" | "character varying" | "character" | "bpchar", _)
            if room.is_some_and(|room| room < 25) =>
        {
            Form::Slug
        }
        ("text" | "character varying" | "character" | "bpchar", _) => Form::Text(room),
        _ => Form::Unknown(
            "the key has no sequence of its own, and nothing says where ids come from",
        ),
    })
}
