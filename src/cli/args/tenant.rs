//! Arguments of the verbs about tenants and their members.

use clap::{Args, Subcommand};

use crate::identity::{DisplayName, Email, TenantSlug};

/// Verbs of `tenant`.
#[derive(Debug, Clone, Subcommand)]
pub enum Tenant {
    /// List the tenants
    List,
    /// Find tenants by name, slug, part of the id, domain, or a member's e-mail address
    Find(Find),
    /// Show one tenant
    Show(Which),
    /// Create a tenant with its first admin; all or nothing
    Create(Create),
}

/// Verbs of `member`.
#[derive(Debug, Clone, Subcommand)]
pub enum Member {
    /// List the members of a tenant
    List(Which),
}

/// Arguments of `tenant find`.
#[derive(Debug, Clone, Args)]
pub struct Find {
    /// What to look for
    pub text: String,
}

/// The tenant that is meant.
#[derive(Debug, Clone, Args)]
pub struct Which {
    /// A slug, an id, or a text that matches one tenant
    pub tenant: String,
}

/// Arguments of `tenant create`.
#[derive(Debug, Clone, Args)]
pub struct Create {
    /// The tenant's name, as people write it
    pub name: DisplayName,
    /// The short name in addresses; made from the name where missing
    #[arg(long)]
    pub slug: Option<TenantSlug>,
    /// The first admin, where the database has users; a user with this address is linked, else one is created
    #[arg(long, value_name = "EMAIL")]
    pub admin_email: Option<Email>,
    /// The name of the first admin
    #[arg(long, value_name = "NAME")]
    pub admin_name: Option<DisplayName>,
    /// The plan; the smallest one where missing
    #[arg(long)]
    pub plan: Option<String>,
    /// A value that the template of provisioning asks for; several may be given
    #[arg(long, value_name = "NAME=VALUE", value_parser = named_value)]
    pub set: Vec<(String, String)>,
    /// Show which rows would be made, and change nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// Reads `NAME=VALUE`.
fn named_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("write NAME=VALUE".to_owned()),
    }
}
