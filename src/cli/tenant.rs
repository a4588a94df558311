//! `tenant list|find|show|create` and `member list`.

use std::collections::HashMap;

use serde_json::json;

use super::args::tenant::{Create, Member, Tenant as Verb};
use super::desk::{reading, with_console};
use super::invocation::Invocation;
use super::shown::Shown;
use super::table::{Column, Table};
use crate::console::Console;
use crate::failure::Failure;
use crate::format;
use crate::lifecycle::provision::{self, CreatePlan, CreateTenant, PlannedAdmin};
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
            let shown = Shown::first(invocation, tenants);
            let document = shown.document("tenants", &shown.rows);
            invocation.answer(&document, |printer| printer.table(&table(&shown.rows)))?;
            shown.say_what_is_cut(invocation, "tenants");
            if shown.rows.is_empty() {
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
            let found = Shown::first(invocation, found);
            let tenants: Vec<Tenant> = found.rows.iter().map(|f| f.tenant.clone()).collect();
            let document = found.document("tenants", &found.rows);
            invocation.answer(&document, |printer| printer.table(&table(&tenants)))?;
            found.say_what_is_cut(invocation, "tenants");
            Ok(())
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
    let members = Shown::first(invocation, members);
    invocation.answer(&members.document("members", &members.rows), |printer| {
        let mut table = Table::new(["EMAIL", "NAME", "ROLE", "STATE", "ID"].map(Column::left));
        for member in &members.rows {
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
    })?;
    members.say_what_is_cut(invocation, "members");
    Ok(())
}

/// `tenant create`: the welcome text is data, because it is shown once.
fn create(invocation: &mut Invocation, create: Create) -> Result<(), Failure> {
    let request = CreateTenant {
        name: create.name,
        slug: create.slug,
        admin_email: create.admin_email,
        admin_name: create.admin_name,
        plan: create.plan,
        values: create.set.into_iter().collect(),
    };
    if create.dry_run {
        let plan =
            reading(invocation, async |console, _| provision::prepare(console, request).await)?;
        return invocation
            .answer(&json!({ "plan": plan }), |printer| printer.pairs(planned(&plan)));
    }
    let created = with_console(invocation, async |console, progress| {
        let plan = provision::prepare(console, request).await?;
        provision::create(console, plan, progress).await
    })?;
    invocation.printer.status(&format!("created tenant {}", created.tenant.handle()));
    invocation.answer(&created, |printer| printer.text(created.welcome.trim_end()))
}

/// A plan as labels and values.
fn planned(plan: &CreatePlan) -> Vec<(&'static str, String)> {
    let drawn = || "drawn by the database".to_owned();
    let mut pairs = vec![
        ("id", plan.id.as_ref().map_or_else(drawn, ToString::to_string)),
        ("slug", plan.slug.as_ref().map(ToString::to_string).unwrap_or_default()),
        ("name", plan.name.as_str().to_owned()),
        ("plan", plan.plan.clone().unwrap_or_else(|| "the template's own".to_owned())),
    ];
    if let Some(admin) = &plan.admin {
        let what = match admin {
            PlannedAdmin { exists: true, .. } => "linked, exists already",
            PlannedAdmin { password: true, .. } => "new, with a temporary password (argon2id)",
            PlannedAdmin { .. } => "new, without a password",
        };
        pairs.push(("admin", format!("{} <{}>: {what}", admin.name, admin.email)));
    }
    pairs.push(("rows in", plan.rows.join(", ")));
    pairs
}

/// The handles of all tenants, by id.
///
/// # Errors
/// What the database says.
pub(super) async fn handles(console: &Console) -> Result<HashMap<String, String>, Failure> {
    let tenants = directory::list(console).await?;
    Ok(tenants.into_iter().map(|tenant| (tenant.id.to_string(), tenant.handle())).collect())
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
