//! Acting as a member: what policies see of him, who stands behind him, and when he may not act any more.

use tenantdesk::identity::Mode;
use tenantdesk::impersonation::ImpersonationError;
use tenantdesk::isolation::map::RelationMap;
use tenantdesk::tenant::sessions;

use super::{cells, console, first, request, run, try_start, until};
use crate::attack_intruder::Line;
use crate::harness::cluster::SUPERUSER;
use crate::harness::desk::{ACME, Desk};

/// A schema as Supabase has them: claims of a token, read by functions, and policies by role.
const TABLES: &str = r"
create schema auth;
create function auth.jwt() returns jsonb language sql stable as
  $$ select coalesce(nullif(current_setting('request.jwt.claims', true), ''), '{}')::jsonb $$;
create function auth.uid() returns uuid language sql stable as $$ select (auth.jwt() ->> 'sub')::uuid $$;
create function auth.role() returns text language sql stable as $$ select auth.jwt() ->> 'role' $$;
grant usage on schema auth to public;
create table orgs (id uuid primary key, slug text not null unique, name text not null, status text not null default 'active' check (status in ('active', 'suspended')));
create table users (id uuid primary key, email text not null unique, name text);
create table memberships (org_id uuid not null references orgs, user_id uuid not null references users, role text not null,
  state text not null default 'active' check (state in ('active', 'disabled')), primary key (org_id, user_id));
create table notes (id bigint generated always as identity primary key, org_id uuid not null references orgs, author_id uuid, body text not null,
  written_by text);
create table invoices (id bigint generated always as identity primary key, org_id uuid not null references orgs, amount int not null);
create table letters (id bigint generated always as identity primary key, org_id uuid not null references orgs, recipient text not null);
alter table orgs enable row level security;
alter table memberships enable row level security;
alter table notes enable row level security;
alter table invoices enable row level security;
alter table letters enable row level security;
create policy own on orgs to app_user using (id::text = auth.jwt() -> 'app_metadata' ->> 'org_id');
create policy own on memberships to app_user using (org_id::text = auth.jwt() -> 'app_metadata' ->> 'org_id');
create policy own on notes to app_user using (auth.role() = 'app_user' and org_id::text = auth.jwt() -> 'app_metadata' ->> 'org_id')
  with check (org_id::text = auth.jwt() -> 'app_metadata' ->> 'org_id' and author_id = auth.uid());
create policy owners on invoices to app_user
  using (org_id::text = auth.jwt() -> 'app_metadata' ->> 'org_id' and auth.jwt() -> 'app_metadata' ->> 'role' = 'owner');
create policy mine on letters to app_user
  using (org_id::text = auth.jwt() -> 'app_metadata' ->> 'org_id' and recipient = auth.jwt() ->> 'email');
create function who() returns trigger language plpgsql as
  $$ begin new.written_by := current_setting('tenantdesk.act', true); return new; end $$;
create trigger who before insert on notes for each row execute function who();
grant select, insert, update, delete on all tables in schema public to app_user;
grant usage on all sequences in schema public to app_user;
";

const ROWS: &str = "
insert into orgs values ('aaaaaaaa-0000-0000-0000-000000000001', 'acme', 'Acme'), ('bbbbbbbb-0000-0000-0000-000000000002', 'bolt', 'Bolt');
insert into users values ('00000000-0000-0000-0000-000000000001', 'ann@acme.test', 'Ann'), ('00000000-0000-0000-0000-000000000002', 'ben@acme.test', 'Ben');
insert into memberships values ('aaaaaaaa-0000-0000-0000-000000000001', '00000000-0000-0000-0000-000000000001', 'owner', 'active'),
  ('aaaaaaaa-0000-0000-0000-000000000001', '00000000-0000-0000-0000-000000000002', 'singer', 'active');
insert into notes (org_id, body) select id, 'hello ' || slug from orgs;
insert into invoices (org_id, amount) select id, 7 from orgs;
insert into letters (org_id, recipient) select id, 'ben@acme.test' from orgs;
";

fn tokens() -> Desk {
    Desk::discovered("", TABLES, ROWS)
}

async fn as_member(
    desk: &Desk,
    level: &str,
    mode: Mode,
    member: &str,
) -> tenantdesk::impersonation::Impersonation {
    let console = console(desk, &desk.operator(level)).await;
    let mut ask = request(mode);
    ask.member = Some(member.into());
    try_start(&console, ask).await.unwrap()
}

#[tokio::test]
async fn discovery_finds_the_claims_that_policies_read_of_a_member() {
    let desk = tokens();
    let map = desk.rows(SUPERUSER, "select document from tenantdesk.map");
    let map = RelationMap::from_json(serde_json::from_str(&map).unwrap()).unwrap();
    assert_eq!(map.tenant_setting, "request.jwt.claims#app_metadata.org_id");
    assert_eq!(map.member_setting.as_deref(), Some("request.jwt.claims#sub"));
    assert_eq!(map.role_setting.as_deref(), Some("request.jwt.claims#app_metadata.role"));
    assert_eq!(map.email_setting.as_deref(), Some("request.jwt.claims#email"));
    let fixed: Vec<_> = map.settings.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    assert_eq!(fixed, [("request.jwt.claims#role", "app_user")]);
    let again = RelationMap::from_toml(&map.to_toml().unwrap()).unwrap();
    assert_eq!(again, map);
}

#[tokio::test]
async fn policies_by_role_and_by_person_give_what_the_member_would_see() {
    let desk = tokens();
    let ann = as_member(&desk, "support", Mode::Read, "ann@acme.test").await;
    let counts = "select (select count(*) from notes), (select count(*) from invoices), (select count(*) from letters), auth.uid(), auth.role()";
    let id = |n| format!("00000000-0000-0000-0000-00000000000{n}");
    assert_eq!(cells(&run(&ann, counts).await.unwrap())[0], ["1", "1", "0", &id(1), "app_user"]);
    let ben = as_member(&desk, "support", Mode::Read, "ben@acme.test").await;
    assert_eq!(cells(&run(&ben, counts).await.unwrap())[0], ["1", "0", "1", &id(2), "app_user"]);
}

#[tokio::test]
async fn a_trigger_of_the_application_can_write_down_who_acts_in_the_members_place() {
    let desk = tokens();
    let ann = as_member(&desk, "admin", Mode::Write, "ann@acme.test").await;
    let sql = format!(
        "insert into notes (org_id, author_id, body) values ('{ACME}', auth.uid(), 'by support') returning written_by"
    );
    let told: serde_json::Value =
        serde_json::from_str(&first(&run(&ann, &sql).await.unwrap())).unwrap();
    assert_eq!(told["sub"], ann.operator().as_str());
    assert_eq!(told["session"], ann.id());
    let actors = desk.rows(SUPERUSER, "select body::jsonb -> 'actors' from tenantdesk.ledger_details where body::jsonb ? 'actors'");
    let actors: serde_json::Value = serde_json::from_str(&actors).unwrap();
    assert_eq!(actors["sub"], "00000000-0000-0000-0000-000000000001");
    assert_eq!(actors["act"]["sub"], ann.operator().as_str());
}

/// What changes under a session, and the reason that it ends for.
const CHANGES: [(&str, &str); 3] = [
    ("update memberships set state = 'disabled'", "member inactive"),
    ("delete from memberships", "member inactive"),
    ("update orgs set status = 'suspended'", "tenant suspended"),
];

#[tokio::test]
async fn a_member_or_a_tenant_that_may_not_act_any_more_ends_the_session() {
    for (change, why) in CHANGES {
        let desk = tokens();
        let ann = as_member(&desk, "support", Mode::Read, "ann@acme.test").await;
        run(&ann, "select 1").await.unwrap();
        desk.rows(SUPERUSER, change);
        let error = run(&ann, "select count(*) from notes").await.unwrap_err();
        let ImpersonationError::Ended(ending) = &error else { panic!("{change}: {error:?}") };
        assert_eq!(ending.why, why);
        until("its connection is closed", || ann.is_closed()).await;
    }
}

#[tokio::test]
async fn the_sweep_of_anybody_ends_it_too_and_would_not_without_the_rule() {
    let desk = tokens();
    let ann = as_member(&desk, "support", Mode::Read, "ann@acme.test").await;
    desk.rows(SUPERUSER, CHANGES[0].0);
    let rule = "do $do$ declare body text := pg_get_functiondef('tenantdesk.why_unwelcome'::regproc); begin execute replace(body, 'return case', 'return null; return case'); end $do$";
    let whole =
        desk.rows(SUPERUSER, "select pg_get_functiondef('tenantdesk.why_unwelcome'::regproc)");
    desk.rows(SUPERUSER, rule);
    let other = console(&desk, &desk.operator("viewer")).await;
    assert_eq!(sessions::sweep(&other).await.unwrap(), 0, "the control");
    run(&ann, "select 1").await.unwrap();
    desk.rows(SUPERUSER, &whole);
    assert_eq!(sessions::sweep(&other).await.unwrap(), 1);
    until("its connection is closed", || ann.is_closed()).await;
    let said = desk
        .rows(SUPERUSER, "select outcome from tenantdesk.ledger where action = 'impersonate.end'");
    assert_eq!(said, "member inactive");
}

// The sweep reads tables of the application, and whoever holds one must not keep an expired session alive.
#[tokio::test]
async fn a_held_table_of_the_application_holds_up_no_expiry() {
    let desk = tokio::task::spawn_blocking(tokens).await.unwrap();
    let support = console(&desk, &desk.operator("support")).await;
    let mut short = request(Mode::Read);
    short.member = Some("ann@acme.test".into());
    short.duration = Some(chrono::TimeDelta::seconds(1));
    let expired = try_start(&support, short).await.unwrap();
    let over =
        "select count(*) from tenantdesk.tenant_sessions where expires_at < clock_timestamp()";
    until("it has expired", || desk.rows(SUPERUSER, over) == "1").await;
    let living = as_member(&desk, "support", Mode::Read, "ben@acme.test").await;
    let mut holder = Line::open(&desk, SUPERUSER);
    holder.say("begin; lock table memberships in access exclusive mode");
    let whole = desk.rows(SUPERUSER, "select pg_get_functiondef('tenantdesk.unwelcome'::regproc)");
    desk.rows(SUPERUSER, &whole.replace("raise warning", "raise exception"));
    let other = console(&desk, &desk.operator("viewer")).await;
    sessions::sweep(&other).await.expect_err("the control: the lock would hold it up");
    desk.rows(SUPERUSER, &whole);
    assert_eq!(sessions::sweep(&other).await.unwrap(), 1);
    until("its connection is closed", || expired.is_closed()).await;
    assert!(!living.is_closed());
    holder.say("rollback");
    run(&living, "select 1").await.unwrap();
}
