//! `tenant list|find|show|create` and `member list`.

use serde_json::json;

use super::args::tenant::{Create, Member, Tenant as Verb};
use super::desk::{reading, with_console};
use super::invocation::Invocation;
use super::table::{Column, Table};
use crate::failure::Failure;
use crate::format;
use crate::lifecycle::provision::{self, CreateTenant};
use crate::tenant::directory::{self, Tenant};
use crate::tenant::members;
use crate::text::Untrusted;

/// Runs a verb of `tenant`.
///
/// # Errors
/// What the verb says.
pub(super) fn run(invocation: &mut Invocation, verb: Verb) -> Result<(), Failure> {
    match verb {
        Verb::List => {
            let tenants =
                reading(invocation, async |console, _| Ok(directory::list(console).await?))?;
            let total = tenants.len();
            let shown = limited(invocation, tenants);
            let document = json!({ "tenants": shown, "total": total });
            invocation.answer(&document, |printer| printer.table(&table(&shown)))?;
            if shown.len() < total {
                invocation.printer.status(&format!("{} of {total} tenants", shown.len()));
            } else if total == 0 {
                invocation.printer.hint("`tenantdesk tenant create NAME --admin-email EMAIL` makes one, `tenantdesk demo` many");
            }
            Ok(())
        }
        Verb::Find(find) => {
            let found = reading(invocation, async |console, _| {
                Ok(directory::find(console, &find.text).await?)
            })?;
            if found.is_empty() {
                return Err(directory::DirectoryError::NotFound(find.text).into());
            }
            let found = limited(invocation, found);
            let tenants: Vec<Tenant> = found.iter().map(|f| f.tenant.clone()).collect();
            invocation
                .answer(&json!({ "tenants": found }), |printer| printer.table(&table(&tenants)))
        }
        Verb::Show(which) => {
            let tenant = reading(invocation, async |console, _| {
                Ok(directory::resolve(console, &which.tenant).await?)
            })?;
            invocation.answer(&json!({ "tenant": tenant }), |printer| printer.pairs(pairs(&tenant)))
        }
        Verb::Create(create) => self::create(invocation, create),
    }
}

/// Runs a verb of `member`.
///
/// # Errors
/// What the verb says.
pub(super) fn member(invocation: &mut Invocation, verb: Member) -> Result<(), Failure> {
    let Member::List(which) = verb;
    let members = reading(invocation, async |console, _| {
        let tenant = directory::resolve(console, &which.tenant).await?;
        Ok(members::list(console, &tenant.id).await?)
    })?;
    let members = limited(invocation, members);
    invocation.answer(&json!({ "members": members }), |printer| {
        let mut table = Table::new(["EMAIL", "NAME", "ROLE", "STATE", "ID"].map(Column::left));
        for member in &members {
            let shown =
                |text: &Option<Untrusted>| text.as_ref().map(Untrusted::screen).unwrap_or_default();
            table.row([
                member.email.screen(),
                shown(&member.name),
                shown(&member.role),
                shown(&member.state),
                member.id.clone(),
            ]);
        }
        printer.table(&table);
    })
}

/// `tenant create`: the welcome text is data, because it is shown once.
fn create(invocation: &mut Invocation, create: Create) -> Result<(), Failure> {
    let request = CreateTenant {
        name: create.name,
        slug: create.slug,
        admin_email: create.admin_email,
        admin_name: create.admin_name,
        plan: create.plan,
    };
    let created = with_console(invocation, async |console, progress| {
        let plan = provision::prepare(console, request).await?;
        provision::create(console, plan, progress).await
    })?;
    invocation.printer.status(&format!("created tenant {}", created.tenant.handle()));
    invocation.answer(&created, |printer| printer.text(created.welcome.trim_end()))
}

/// The first `--limit` rows.
pub(super) fn limited<T>(invocation: &Invocation, mut rows: Vec<T>) -> Vec<T> {
    if let Some(limit) = invocation.flags.limit {
        rows.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    }
    rows
}

/// The tenants as a table.
fn table(tenants: &[Tenant]) -> Table {
    let mut table =
        Table::new(["SLUG", "NAME", "PLAN", "STATUS", "CREATED", "ID"].map(Column::left));
    for tenant in tenants {
        let shown =
            |text: &Option<Untrusted>| text.as_ref().map(Untrusted::screen).unwrap_or_default();
        table.row([
            crate::text::screen(&tenant.handle()),
            shown(&tenant.name),
            shown(&tenant.plan),
            shown(&tenant.status),
            tenant.created_at.map(|at| at.format("%Y-%m-%d").to_string()).unwrap_or_default(),
            tenant.id.to_string(),
        ]);
    }
    table
}

/// One tenant as labels and values.
fn pairs(tenant: &Tenant) -> Vec<(&'static str, String)> {
    let shown = |text: &Option<Untrusted>| text.as_ref().map(Untrusted::screen).unwrap_or_default();
    vec![
        ("id", tenant.id.to_string()),
        ("slug", shown(&tenant.slug)),
        ("name", shown(&tenant.name)),
        ("plan", shown(&tenant.plan)),
        ("status", shown(&tenant.status)),
        ("domain", shown(&tenant.domain)),
        ("created", tenant.created_at.map(format::time).unwrap_or_default()),
    ]
}
