//! `tenant list`, `tenant find`, `tenant show`: the directory of tenants, through the one function
//! that looks across them with fixed output.

use chrono::{DateTime, Utc};
use serde::Serialize;
use thiserror::Error;
use tokio_postgres::Row;

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

    fn logged(&self) -> Option<String> {
        match self {
            Self::Console(error) => error.logged(),
            Self::NotFound(_) | Self::Ambiguous { .. } => None,
        }
    }
}

/// Why a tenant was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
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

impl MatchedBy {
    /// The word of the database.
    fn of(word: &str) -> Option<Self> {
        Some(match word {
            "exact" => Self::Exact,
            "slug" => Self::Slug,
            "name" => Self::Name,
            "domain" => Self::Domain,
            "id" => Self::Id,
            "email" => Self::Email,
            _ => return None,
        })
    }
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

/// The most that a search answers with: more is no answer.
const MOST_FOUND: i32 = 1_000;

/// All tenants, in the order of their handles.
///
/// # Errors
/// [`ConsoleError`].
pub async fn list(console: &Console) -> Result<Vec<Tenant>, ConsoleError> {
    let sql = Sql::new(
        "select id, slug, name, plan, status, domain, created_at from tenantdesk.directory()",
    );
    let mut tenants: Vec<Tenant> = console.query(&sql, &[]).await?.iter().map(tenant).collect();
    tenants.sort_by_cached_key(Tenant::handle);
    Ok(tenants)
}

/// The tenant with this slug or id; none where there is none.
///
/// # Errors
/// [`ConsoleError`].
pub async fn named(console: &Console, word: &str) -> Result<Option<Tenant>, ConsoleError> {
    let sql = Sql::new(
        "select id, slug, name, plan, status, domain, created_at from tenantdesk.tenant_named($1)",
    );
    let rows = console.query(&sql, &[&word]).await?;
    // Somebody's slug may be another one's id: then it names nobody for sure.
    Ok(if rows.len() == 1 { rows.first().map(tenant) } else { None })
}

/// The tenant with this id, whoever else has it as a slug; none where there is none.
///
/// # Errors
/// [`ConsoleError`].
pub async fn by_id(console: &Console, id: &str) -> Result<Option<Tenant>, ConsoleError> {
    let sql = Sql::new(
        "select id, slug, name, plan, status, domain, created_at from tenantdesk.tenant_named($1) where id = $1",
    );
    Ok(console.query(&sql, &[&id]).await?.first().map(tenant))
}

/// Finds tenants by name, slug, id, domain or a member's e-mail address; best matches first, at
/// most 1,000.
///
/// # Errors
/// [`ConsoleError`].
pub async fn find(console: &Console, text: &str) -> Result<Vec<Found>, ConsoleError> {
    let sql = Sql::new(
        "select id, slug, name, plan, status, domain, created_at, matched_by from tenantdesk.find_tenants($1, $2)",
    );
    let rows = console.query(&sql, &[&text, &MOST_FOUND]).await?;
    let found = |row| Some(Found { tenant: tenant(row), matched_by: MatchedBy::of(row.get(7))? });
    Ok(rows.iter().filter_map(found).collect())
}

/// The one tenant that a TENANT argument means: slug, id, or what `find` matches uniquely.
///
/// # Errors
/// [`DirectoryError::NotFound`] and [`DirectoryError::Ambiguous`].
pub async fn resolve(console: &Console, text: &str) -> Result<Tenant, DirectoryError> {
    if let Some(tenant) = named(console, text).await? {
        return Ok(tenant);
    }
    let mut found = find(console, text).await?;
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

/// A row of the directory.
fn tenant(row: &Row) -> Tenant {
    let text = |column: usize| row.get::<_, Option<String>>(column).map(Untrusted::from);
    Tenant {
        id: TenantId::from_database(row.get::<_, String>(0)),
        slug: text(1),
        name: text(2),
        plan: text(3),
        status: text(4),
        domain: text(5),
        created_at: row.get(6),
    }
}
