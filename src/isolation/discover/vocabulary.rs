//! What words of names mean in multi-tenant products: who a tenant may be, who a person is, which
//! tables are reference data or bookkeeping. A list is one sign among several and never decides alone.
//!
//! All words are singular and lower case, as `names` gives them.

/// Words for a tenant, with how much they say: 100 is beyond doubt.
const TENANT_WORDS: [(&str, u32); 77] = [
    ("tenant", 100),
    ("organization", 95),
    ("org", 95),
    ("workspace", 88),
    ("company", 85),
    ("realm", 80),
    ("account", 75),
    ("namespace", 70),
    ("school", 70),
    ("clinic", 70),
    ("business", 70),
    ("enterprise", 70),
    ("corporation", 70),
    ("church", 70),
    ("merchant", 65),
    ("team", 65),
    ("shop", 65),
    ("hospital", 65),
    ("agency", 65),
    ("restaurant", 65),
    ("firm", 65),
    ("institution", 65),
    ("community", 60),
    ("practice", 60),
    ("studio", 60),
    ("club", 60),
    ("household", 60),
    ("dealership", 60),
    ("gym", 60),
    ("salon", 60),
    ("guild", 60),
    ("congregation", 60),
    ("store", 55),
    ("hotel", 55),
    ("franchise", 55),
    ("space", 55),
    ("university", 55),
    ("college", 55),
    ("municipality", 55),
    ("pharmacy", 55),
    ("tenancy", 90),
    ("subaccount", 60),
    ("association", 50),
    ("foundation", 50),
    ("site", 50),
    ("council", 50),
    ("farm", 50),
    ("landlord", 50),
    ("family", 50),
    ("charity", 50),
    ("customer", 45),
    ("project", 45),
    ("instance", 45),
    ("brand", 45),
    ("platform", 45),
    ("district", 45),
    ("office", 45),
    ("client", 40),
    ("venue", 40),
    ("hub", 40),
    ("network", 35),
    ("domain", 35),
    ("scope", 35),
    ("vendor", 35),
    ("partner", 35),
    ("supplier", 30),
    ("seller", 40),
    ("subscriber", 35),
    ("property", 30),
    ("environment", 30),
    ("application", 30),
    ("app", 30),
    ("entity", 25),
    ("group", 25),
    ("branch", 25),
    ("department", 20),
    ("publisher", 35),
];

/// Words for a person who logs in.
const PERSON_WORDS: [&str; 14] = [
    "user",
    "person",
    "member",
    "profile",
    "login",
    "identity",
    "individual",
    "employee",
    "staff",
    "admin",
    "administrator",
    "operator",
    "agent",
    "author",
];

/// Words before a reference that make it a mention and not an owner: `current_team_id`.
const MENTIONS: [&str; 45] = [
    "current",
    "default",
    "last",
    "latest",
    "active",
    "selected",
    "preferred",
    "personal",
    "referrer",
    "referred",
    "referral",
    "previous",
    "prev",
    "next",
    "original",
    "origin",
    "source",
    "target",
    "destination",
    "dest",
    "from",
    "to",
    "copied",
    "cloned",
    "forked",
    "parent",
    "linked",
    "related",
    "merged",
    "into",
    "duplicate",
    "template",
    "replaced",
    "favorite",
    "featured",
    "shared",
    "home",
    "landing",
    "impersonated",
    "transferred",
    "old",
    "new",
    "initial",
    "root",
    "first",
];

/// The last word of tables whose rows are the same for all.
const REFERENCE_WORDS: [&str; 44] = [
    "country",
    "currency",
    "language",
    "locale",
    "timezone",
    "zone",
    "state",
    "province",
    "region",
    "city",
    "continent",
    "plan",
    "permission",
    "privilege",
    "capability",
    "feature",
    "flag",
    "tier",
    "product",
    "price",
    "unit",
    "color",
    "icon",
    "industry",
    "sector",
    "category",
    "type",
    "kind",
    "status",
    "level",
    "holiday",
    "translation",
    "rate",
    "model",
    "provider",
    "template",
    "scope",
    "contenttype",
    "statu",
    "license",
    "class",
    "package",
    "addon",
    "catalog",
];

/// Tables in which migration programs keep their books.
const MIGRATION_TABLES: [&str; 32] = [
    "schema_migrations",
    "schema_migration",
    "ar_internal_metadata",
    "_prisma_migrations",
    "goose_db_version",
    "goose_migrations",
    "atlas_schema_revisions",
    "flyway_schema_history",
    "schema_version",
    "alembic_version",
    "django_migrations",
    "migrations",
    "knex_migrations",
    "knex_migrations_lock",
    "migrations_lock",
    "databasechangelog",
    "databasechangeloglock",
    "gorp_migrations",
    "__efmigrationshistory",
    "__drizzle_migrations",
    "drizzle_migrations",
    "sequelizemeta",
    "sequelizedata",
    "pgmigrations",
    "_sqlx_migrations",
    "__diesel_schema_migrations",
    "gopg_migrations",
    "typeorm_metadata",
    "typeorm_migrations",
    "kysely_migration",
    "kysely_migration_lock",
    "phinxlog",
];

/// How much the words of a table or a stem say that it is a tenant; 0 where they do not.
#[must_use]
pub(super) fn tenant_weight(words: &[String]) -> u32 {
    let weight = |word: &str| {
        TENANT_WORDS.iter().find(|(known, _)| *known == word).map_or(0, |(_, weight)| *weight)
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
    words.last().is_some_and(|last| PERSON_WORDS.contains(&last.as_str()))
}

/// Whether a stem only mentions what it refers to.
#[must_use]
pub(super) fn is_mention(words: &[String]) -> bool {
    words.len() > 1 && MENTIONS.contains(&words[0].as_str())
}

/// Whether the words name reference data.
#[must_use]
pub(super) fn is_reference(words: &[String]) -> bool {
    words.last().is_some_and(|last| REFERENCE_WORDS.contains(&last.as_str()))
}

/// Whether a table of that name is a migration program's.
#[must_use]
pub(super) fn is_migrations(table: &str) -> bool {
    let lower = table.to_lowercase();
    let ends = |ending: &str| lower.ends_with(ending);
    MIGRATION_TABLES.contains(&lower.as_str())
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

/// Whether any of the words is among those.
#[must_use]
pub(super) fn any(words: &[String], among: &[&str]) -> bool {
    words.iter().any(|word| among.contains(&word.as_str()))
}
