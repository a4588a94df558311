//! Why no tenant was made, and what helps.

use thiserror::Error;

use crate::failure::{Explain, Kind};
use crate::identity::{Email, TenantSlug};

/// Why no tenant was made. Nothing was changed.
#[derive(Debug, Error)]
pub enum CreateError {
    /// No slug can be made from the name.
    #[error("no slug can be made from the name `{0}`")]
    NoSlug(String),
    /// The slug is taken.
    #[error("the slug `{0}` is taken")]
    SlugTaken(TenantSlug),
    /// There is no such plan.
    #[error("there is no plan `{0}`")]
    NoPlan(String),
    /// Somebody took the e-mail address in between, or it may be there once only.
    #[error("the e-mail address `{0}` is registered already")]
    EmailTaken(Email),
    /// Something else that must be unique is there already.
    #[error("a value that must be unique is there already: `{0}`")]
    Taken(String),
    /// Tenants are no rows of their own.
    #[error("a tenant of this database begins with its first row")]
    NoRoot,
    /// The map does not say which rows make a tenant.
    #[error("the relation map does not say which rows make a tenant")]
    NoTemplate,
    /// Nothing says where the id of a row comes from.
    #[error("nothing says where the ids of {0} come from: the key has no sequence of its own")]
    NoId(String),
    /// The same for the first admin.
    #[error("nothing says where the ids of {0} come from, so nobody new can be made")]
    NoPersonId(String),
    /// The first admin is not given.
    #[error(
        "a tenant of this database begins with its first admin, and no e-mail address is given"
    )]
    NoEmail,
    /// There is nobody to be the admin.
    #[error("this database has no users, so a tenant has no first admin")]
    NoPeople,
    /// Values that only the operator can give.
    #[error("values are missing: {}", .0.join(", "))]
    Missing(Vec<String>),
    /// A value that the template does not ask for.
    #[error("the template does not ask for `{0}`")]
    NotAsked(String),
}

impl Explain for CreateError {
    fn kind(&self) -> Kind {
        Kind::Refused
    }

    fn hints(&self) -> Vec<String> {
        vec![match self {
            Self::NoSlug(_) => "give one with --slug: a-z, 0-9 and `-`".to_owned(),
            Self::SlugTaken(_) => {
                "give another with --slug; `tenantdesk tenant list` shows the ones in use"
                    .to_owned()
            }
            Self::NoPlan(_) => "`tenantdesk plan list` shows the plans".to_owned(),
            Self::EmailTaken(_) => {
                "where people belong to several tenants, run it again and the person will be linked; else give another address".to_owned()
            }
            Self::Taken(_) => {
                "where it is a key that a sequence fills, the sequence is behind the rows; else give another value"
                    .to_owned()
            }
            Self::NoRoot => "the application makes it by writing rows with a new key".to_owned(),
            Self::NoTemplate => {
                "`tenantdesk setup` proposes them; docs/provisioning.md says how to write them".to_owned()
            }
            Self::NoPersonId(_) => {
                "give the address of somebody who exists, or give the key an identity or a sequence and run `tenantdesk setup`".to_owned()
            }
            Self::NoId(_) => "give one with --set tenant_id=ID, or give the key an identity or a sequence and run `tenantdesk setup`".to_owned(),
            Self::NoEmail => "give it with --admin-email".to_owned(),
            Self::NoPeople => "leave out --admin-email and --admin-name".to_owned(),
            Self::Missing(names) => {
                let flags: Vec<String> = names.iter().map(|name| format!("--set {name}=VALUE")).collect();
                format!("give {}, or write the values into the template of the relation map ([provision])", flags.join(" "))
            }
            Self::NotAsked(_) => "`tenantdesk tenant create NAME --dry-run` shows what it asks for".to_owned(),
        }]
    }
}
