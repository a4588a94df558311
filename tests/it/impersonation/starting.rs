//! Who may start an impersonation, as whom, and what is refused.

use chrono::TimeDelta;
use tenantdesk::failure::Kind;
use tenantdesk::identity::Mode;
use tenantdesk::impersonation::prepare;

use super::{console, first, reader, request, run, try_start};
use crate::harness::cluster::SUPERUSER;
use crate::harness::desk::{ACME, Desk};

#[tokio::test]
async fn a_member_is_acted_as_and_his_role_is_shown() {
    let desk = Desk::product();
    let impersonation = reader(&desk).await;
    let member = impersonation.member.clone().unwrap();
    assert_eq!((member.id.as_str(), member.role.unwrap().raw()), ("3", "member"));
    assert_eq!(impersonation.tenant.handle(), "acme");
    let seen = run(&impersonation, "select current_setting('app.tenant_id')").await.unwrap();
    assert_eq!(first(&seen), ACME);
    let left = impersonation.expires_at() - impersonation.opened_at();
    assert_eq!(left, TimeDelta::minutes(15));
}

#[tokio::test]
async fn levels_members_and_tenants_are_checked_before_and_by_the_database() {
    let desk = Desk::product();
    let viewer = console(&desk, &desk.operator("viewer")).await;
    let support = console(&desk, &desk.operator("support")).await;
    let refused = prepare(&viewer, request(Mode::Read)).await.unwrap_err();
    assert_eq!(refused.kind, Kind::Refused);
    assert!(refused.message.contains("level support"), "{refused}");
    assert!(prepare(&support, request(Mode::Write)).await.unwrap_err().message.contains("admin"));
    let mut nobody = request(Mode::Read);
    nobody.member = None;
    let refused = prepare(&support, nobody).await.unwrap_err();
    assert_eq!(refused.kind, Kind::Usage);
    assert!(refused.hints.iter().any(|hint| hint.contains("@acme.test")), "{refused:?}");
    for stranger in ["user1000@acme.test", "user4@bolt.test", "4"] {
        let mut request = request(Mode::Read);
        request.member = Some(stranger.into());
        let refused = prepare(&support, request).await.unwrap_err();
        assert!(refused.message.contains("not found"), "{stranger}: {refused}");
    }
    let mut unknown = request(Mode::Read);
    unknown.tenant = "zzz".into();
    assert!(prepare(&support, unknown).await.unwrap_err().message.contains("not found"));
}

#[tokio::test]
async fn a_second_impersonation_is_refused_until_the_first_has_ended() {
    let desk = Desk::product();
    let console = console(&desk, &desk.operator("support")).await;
    let first = try_start(&console, request(Mode::Read)).await.unwrap();
    let refused = try_start(&console, request(Mode::Read)).await.unwrap_err();
    assert!(refused.message.contains("already") && refused.kind == Kind::Refused, "{refused}");
    assert!(refused.hints[0].contains("impersonation end"), "{refused:?}");
    first.end("operator").await.unwrap();
    try_start(&console, request(Mode::Read)).await.unwrap().end("operator").await.unwrap();
}

#[tokio::test]
async fn the_longest_duration_is_configured_in_the_database() {
    let desk = Desk::product();
    let console = console(&desk, &desk.operator("support")).await;
    let mut long = request(Mode::Read);
    long.duration = Some(TimeDelta::minutes(61));
    let refused = try_start(&console, long).await.unwrap_err();
    assert!(refused.message.contains("60 minutes"), "{refused}");
}

/// Two people and two tenants in the starter schema.
const STARTER_ROWS: &str = "
insert into app.tenants (id, slug, name, subdomain, status) values
  ('aaaaaaaa-0000-4000-8000-000000000001', 'acme', 'Acme', 'acme', 'active'),
  ('bbbbbbbb-0000-4000-8000-000000000002', 'gone', 'Gone', 'gone', 'suspended');
insert into app.app_users (id, email, name, password_hash)
  select gen_random_uuid(), e || '@acme.test', e, '$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$aGFzaGhhc2g' from unnest(array['ann', 'bob']) e;
insert into app.tenant_memberships (tenant_id, user_id, role, state)
  select t.id, u.id, 'owner', case u.name when 'ann' then 'active' else 'disabled' end from app.tenants t, app.app_users u;
";

#[tokio::test]
async fn suspended_tenants_and_inactive_members_are_refused_by_us_and_by_the_database() {
    let desk = Desk::starter();
    desk.rows(SUPERUSER, STARTER_ROWS);
    let console = console(&desk, &desk.operator("support")).await;
    let asked = |tenant: &str, member: &str| {
        let mut request = request(Mode::Read);
        request.tenant = tenant.into();
        request.member = Some(member.into());
        request
    };
    let refused = prepare(&console, asked("gone", "ann@acme.test")).await.unwrap_err();
    assert!(refused.message.contains("suspended"), "{refused}");
    let refused = prepare(&console, asked("acme", "bob@acme.test")).await.unwrap_err();
    assert!(refused.message.contains("not active"), "{refused}");
    // A plan that has become wrong since: the database decides.
    let plan = prepare(&console, asked("acme", "ann@acme.test")).await.unwrap();
    desk.rows(SUPERUSER, "update app.tenant_memberships set state = 'disabled'");
    let refused = tenantdesk::impersonation::open(&console, plan.clone()).await.unwrap_err();
    assert!(refused.message.contains("not active"), "{refused}");
    desk.rows(SUPERUSER, "update app.tenant_memberships set state = 'active'; update app.tenants set status = 'suspended'");
    let refused = tenantdesk::impersonation::open(&console, plan.clone()).await.unwrap_err();
    assert!(refused.message.contains("suspended"), "{refused}");
    // The control: with both put right, the same plan opens.
    desk.rows(SUPERUSER, "update app.tenants set status = 'active'");
    tenantdesk::impersonation::open(&console, plan).await.unwrap().end("operator").await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn eight_operators_at_once_see_their_own_tenant_only() {
    let desk = Desk::product();
    let mut tasks = Vec::new();
    for (number, (tenant, member)) in
        [("acme", "3"), ("bolt", "4"), ("core", "2")].into_iter().cycle().take(8).enumerate()
    {
        let console = console(&desk, &desk.operator("support")).await;
        tasks.push(tokio::spawn(async move {
            let mut request = request(Mode::Read);
            request.tenant = tenant.into();
            request.member = Some(member.into());
            let impersonation = try_start(&console, request).await.unwrap();
            for round in 0..15 {
                let sql = "select distinct t.slug from app.projects p join app.tenants t on t.id = p.tenant_id \
                           union all select count(*)::text from app.projects union all select distinct secret from notes where secret not like '%' || (select slug from app.tenants) || '%'";
                let outcome = run(&impersonation, sql).await.unwrap();
                let seen = super::cells(&outcome);
                assert_eq!(seen, [[tenant], ["1000"]], "operator {number}, round {round}");
            }
            impersonation.end("operator").await.unwrap();
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
}
