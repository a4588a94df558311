//! What words of names mean in multi-tenant products: who a tenant may be, who a person is, which
//! tables are reference data or bookkeeping. A list is one sign among several and never decides alone.
//!
//! All words are singular and lower case, as `names` gives them.

/// Words for a tenant, by how much they say: 100 is beyond doubt.
const TENANT_WORDS: [(u32, &str); 18] = [
    (100, "tenant"),
    (95, "organization org"),
    (90, "tenancy"),
    (88, "workspace"),
    (85, "company"),
    (80, "realm"),
    (75, "account"),
    (70, "namespace school clinic business enterprise corporation church"),
    (65, "merchant team shop hospital agency restaurant firm institution"),
    (
        60,
        "community practice studio club household dealership gym salon guild congregation \
        subaccount",
    ),
    (55, "store hotel franchise space university college municipality pharmacy"),
    (50, "association foundation site council farm landlord family charity"),
    (45, "customer project instance brand platform district office"),
    (40, "client venue hub seller"),
    (35, "network domain scope vendor partner subscriber publisher"),
    (30, "supplier property environment application app"),
    (25, "entity group branch"),
    (20, "department"),
];

/// Words for a person who logs in.
const PERSON_WORDS: &str = "user person member profile login identity individual employee staff admin administrator \
    operator agent author";

/// Words before a reference that make it a mention and not an owner: `current_team_id`.
const MENTIONS: &str = "current default last latest active selected preferred personal referrer referred referral \
    previous prev next original origin source target destination dest from to copied cloned \
    forked parent linked related merged into duplicate template replaced favorite featured \
    shared home landing impersonated transferred old new initial root first";

/// The last word of tables whose rows are the same for all.
const REFERENCE_WORDS: &str = "country currency language locale timezone zone state province region city continent plan \
    permission privilege capability feature flag tier product price unit color icon industry \
    sector category type kind status level holiday translation rate model provider template \
    license class package addon catalog";

/// Tables in which migration programs keep their books.
const MIGRATION_TABLES: &str = "schema_migrations schema_migration ar_internal_metadata _prisma_migrations goose_db_version \
    goose_migrations atlas_schema_revisions flyway_schema_history schema_version alembic_version \
    django_migrations migrations knex_migrations knex_migrations_lock migrations_lock \
    databasechangelog databasechangeloglock gorp_migrations __efmigrationshistory \
    __drizzle_migrations drizzle_migrations sequelizemeta sequelizedata pgmigrations \
    _sqlx_migrations __diesel_schema_migrations gopg_migrations typeorm_metadata \
    typeorm_migrations kysely_migration kysely_migration_lock phinxlog";

/// How much the words of a table or a stem say that it is a tenant; 0 where they do not.
#[must_use]
pub(super) fn tenant_weight(words: &[String]) -> u32 {
    let weight = |word: &str| {
        TENANT_WORDS.iter().find(|(_, list)| is_in(list, word)).map_or(0, |(weight, _)| *weight)
    };
    match words {
        [] => 0,
        [word] => weight(word),
        // A version or an area in front says nothing; another noun makes it another thing.
        [.., last] => weight(last) / 2,
    }
}

/// Whether the words end in a word for a person.
#[must_use]
pub(super) fn is_person(words: &[String]) -> bool {
    words.last().is_some_and(|last| is_in(PERSON_WORDS, last))
}

/// Whether a stem only mentions what it refers to.
#[must_use]
pub(super) fn is_mention(words: &[String]) -> bool {
    words.len() > 1 && is_in(MENTIONS, &words[0])
}

/// Whether the words name reference data.
#[must_use]
pub(super) fn is_reference(words: &[String]) -> bool {
    words.last().is_some_and(|last| is_in(REFERENCE_WORDS, last))
}

/// Whether a table of that name is a migration program's.
#[must_use]
pub(super) fn is_migrations(table: &str) -> bool {
    let lower = table.to_lowercase();
    let ends = |ending: &str| lower.ends_with(ending);
    is_in(MIGRATION_TABLES, &lower)
        || ends("schema_migrations")
        || ends("_schema_history")
        || ends("goose_db_version")
        || ends("alembic_version")
        || ends("schema_version")
        || ends("schema_versions")
        || ends("data_migrations")
        || ends("datamigration")
        || ends("background_migrations")
}

/// Words of somebody who did something to a row, and does not own it.
const ACTORS: &str = "by creator updater approver reviewer editor modifier assignee sender inviter requester \
    publisher created updated deleted uploader author operator assigned modified approved reviewed \
    invited";

/// Whether a stem names somebody who did something to a row.
#[must_use]
pub(super) fn is_actor(words: &[String]) -> bool {
    any(words, ACTORS)
}

/// Whether a list, written with spaces between, has a word.
#[must_use]
pub(super) fn is_in(list: &str, word: &str) -> bool {
    list.split(' ').any(|listed| listed == word)
}

/// Whether any of the words is in a list.
#[must_use]
pub(super) fn any(words: &[String], list: &str) -> bool {
    words.iter().any(|word| is_in(list, word))
}
