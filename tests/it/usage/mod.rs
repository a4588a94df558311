//! Plans, limits and usage: the shop that the tests sell plans in.

mod counting;
mod races;
mod refusals;
mod report;
mod rights;

use tenantdesk::console::Console;
use tenantdesk::usage::plans;

use crate::harness::cluster::{PsqlOutput, SUPERUSER};
use crate::harness::desk::Desk;

/// A starter database with a plan `tiny`: 2 users, 3 projects, 4 AI runs a month, 1000 bytes.
pub struct Shop {
    pub desk: Desk,
}

/// What each metric of `tiny` allows.
pub const TINY: [(&str, i64); 4] =
    [("users", 2), ("projects", 3), ("ai_runs", 4), ("storage_bytes", 1000)];

/// The ids of the tenants: `acme` has 1, `bolt` 2.
pub fn id(tenant: u8) -> String {
    format!("{tenant:08}-0000-0000-0000-000000000000")
}

impl Shop {
    /// The database with plan `tiny` and nobody in it.
    pub async fn open() -> Self {
        let desk = Desk::starter();
        let manager = Console::connect(desk.endpoint("app_owner")).await.unwrap();
        assert_eq!(plans::load(&manager).await.unwrap(), 3);
        for (metric, hard) in TINY {
            let soft = hard / 2;
            desk.rows(
                "app_owner",
                &format!(
                    "select tenantdesk.plan_set('tiny', null, '{metric}', {soft}, {hard}, null)"
                ),
            );
        }
        Self { desk }
    }

    /// The same with tenants `acme` and `bolt` on plan `tiny`, a workspace and ten people each.
    pub async fn with_tenants() -> Self {
        let shop = Self::open().await;
        for (tenant, slug) in [(1, "acme"), (2, "bolt")] {
            shop.add_tenant(tenant, slug, "tiny");
        }
        shop
    }

    pub fn add_tenant(&self, tenant: u8, slug: &str, plan: &str) {
        let id = id(tenant);
        self.desk.rows(
            SUPERUSER,
            &format!(
                "insert into app.tenants (id, slug, name, plan, subdomain) values ('{id}', '{slug}', '{slug}', '{plan}', '{slug}');
                insert into app.workspaces (tenant_id, id, slug, name) values ('{id}', '{id}', 'main', 'Main');
                insert into app.app_users (id, email, name, password_hash) select ('{tenant:08}-0000-0000-0000-' || lpad(n::text, 12, '0'))::uuid, '{slug}' || n || '@example.test', 'N', '$argon2id$v=19$m=1,t=1,p=1$abcd$abcd'
                  from generate_series(1, 10) n"
            ),
        );
    }

    /// Runs statements as the application, in one transaction of a tenant.
    pub fn app(&self, tenant: u8, sql: &str) -> PsqlOutput {
        let tenant = id(tenant);
        self.desk.psql("app_user", &format!("begin;\n\\o /dev/null\nselect set_config('app.tenant_id', '{tenant}', true);\n\\o\n{sql};\ncommit;"))
    }

    /// Calls functions of ours as an operator does: under the group role, in one transaction.
    pub fn ask(&self, login: &str, sql: &str) -> PsqlOutput {
        let role = if login == "app_user" { "" } else { "set local role tenantdesk_operator;" };
        self.desk.psql(login, &format!("begin; {role} {sql}; commit"))
    }

    /// The rows of a call.
    #[track_caller]
    pub fn rows(&self, login: &str, sql: &str) -> String {
        self.ask(login, sql).rows().to_owned()
    }

    /// The counter of the present period; empty where there is none.
    pub fn counter(&self, tenant: u8, metric: &str) -> String {
        let tenant = id(tenant);
        self.desk.rows(SUPERUSER, &format!("select used from tenantdesk.usage_counters where tenant = '{tenant}' and metric = '{metric}' and period_start in ('2000-01-01', date_trunc('month', now() at time zone 'UTC'))"))
    }

    /// Counters that are not what the tables hold; must be empty at all times.
    pub fn drift(&self) -> String {
        self.desk.rows(SUPERUSER, "select m.name, n.tenant, n.period_start, n.used, c.used from tenantdesk.metrics m cross join lateral tenantdesk.count_metric(m.name) n
            full join tenantdesk.usage_counters c on c.metric = m.name and c.tenant = n.tenant and c.period_start = n.period_start
            where coalesce(n.used, 0) <> coalesce(c.used, 0) and coalesce(n.period_start, c.period_start) in ('2000-01-01', date_trunc('month', now() at time zone 'UTC'))")
    }
}

/// Statements that add `count` of a metric to a tenant, each new.
pub fn add(tenant: u8, metric: &str, count: i64) -> String {
    let id = id(tenant);
    match metric {
        "users" => format!(
            "insert into app.tenant_memberships (tenant_id, user_id, role, state) select '{id}', u.id, 'member', 'active'
            from (select ('{tenant:08}-0000-0000-0000-' || lpad(n::text, 12, '0'))::uuid as id from generate_series(1, 10) n) u
            where not exists (select from app.tenant_memberships m where m.tenant_id = '{id}' and m.user_id = u.id) order by u.id limit {count}"
        ),
        "projects" => format!(
            "insert into app.projects (tenant_id, workspace_id, name) select '{id}', '{id}', gen_random_uuid()::text from generate_series(1, {count})"
        ),
        "ai_runs" => format!(
            "insert into app.ai_runs (tenant_id, model, purpose, input_tokens, output_tokens) select '{id}', 'm', 'p', 1, 1 from generate_series(1, {count})"
        ),
        _ => format!(
            "insert into app.files (tenant_id, name, content_type, bytes, storage_key) values ('{id}', 'f', 'text/plain', {count}, 'tenants/{id}/' || gen_random_uuid())"
        ),
    }
}
