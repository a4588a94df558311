//! What discovery costs: the catalogs of 1,000 tables loaded, and every table classified. The schema
//! is made up: areas of keyed tables with children and grandchildren, people, reference data, half of
//! it with policies, all with foreign keys, checks, defaults and indexes.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::panic,
    reason = "a bench prints, and stops at the first surprise"
)]

mod stage;

use std::time::{Duration, Instant};

use stage::{Results, SUPERUSER, Stage, median, size, timed};
use tenantdesk::catalog::{self, Catalog};
use tenantdesk::isolation::discover::{Decisions, discover};
use tenantdesk::postgres::{Isolation, Link, Preamble, Transaction, connect};

/// The tables that the areas hang on.
const TOP: &str = "
create table organizations (id uuid primary key default gen_random_uuid(), slug text not null unique, name text not null,
  plan text, status text not null default 'active' check (status in ('active', 'suspended')), created_at timestamptz not null default now());
create table users (id uuid primary key default gen_random_uuid(), email text not null unique, name text, password_hash text);
create table memberships (organization_id uuid not null references organizations on delete cascade, user_id uuid not null references users,
  role text not null check (role in ('owner', 'member')), primary key (organization_id, user_id));
create table countries (code text primary key, name text not null);";

/// Six tables: one keyed, two below it, one below those, one of people, one of reference data.
fn area(number: usize) -> String {
    let common = "created_at timestamptz not null default now(), updated_at timestamptz, title text not null, body text, \
        state text not null default 'open' check (state in ('open', 'closed', 'archived')), position integer, amount numeric(12,2), \
        settings jsonb not null default '{}', external_reference text, note text";
    format!(
        "create table area{number}_kinds (code text primary key, name text not null, rank integer);
        create table area{number}_records (id uuid primary key default gen_random_uuid(), organization_id uuid not null references organizations on delete cascade,
          kind_code text references area{number}_kinds, country_code text references countries, created_by uuid references users, {common});
        create index on area{number}_records (organization_id, created_at);
        create table area{number}_entries (id uuid primary key default gen_random_uuid(), record_id uuid not null references area{number}_records on delete cascade, {common});
        create index on area{number}_entries (record_id);
        create table area{number}_comments (id bigint generated always as identity primary key, entry_id uuid not null references area{number}_entries on delete cascade,
          author_id uuid references users, {common});
        create index on area{number}_comments (entry_id);
        create table area{number}_links (record_id uuid not null references area{number}_records, other_record_id uuid not null references area{number}_records,
          primary key (record_id, other_record_id));
        create table area{number}_bookmarks (id bigint generated always as identity primary key, user_id uuid not null references users, {common});
        {}",
        if number.is_multiple_of(2) {
            format!(
                "alter table area{number}_records enable row level security;
                create policy tenant on area{number}_records using (organization_id = nullif(current_setting('app.organization_id', true), '')::uuid);"
            )
        } else {
            String::new()
        }
    )
}

/// A snapshot, as setup takes it.
async fn load(link: &Link) -> Catalog {
    let preamble = Preamble { isolation: Isolation::ReadOnly, role: None, settings: &[] };
    let transaction = Transaction::begin(link, preamble).await.unwrap();
    catalog::load(&transaction, None).await.unwrap()
}

fn main() {
    let tables = usize::try_from(size("TENANTDESK_BENCH_TABLES", 1000)).unwrap();
    let stage = Stage::open();
    stage.run(&["server", "start"]);
    stage.run(&["tenant", "list"]);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut results = Results::default();
    let superuser = stage.endpoint(SUPERUSER);
    let (link, catalog) = runtime.block_on(async {
        let host = connect(&superuser, "bench").await.unwrap();
        host.client().batch_execute("create database large").await.unwrap();
        let mut large = superuser.clone();
        "large".clone_into(&mut large.database);
        let link = connect(&large, "bench").await.unwrap();
        link.client().batch_execute(TOP).await.unwrap();
        for number in 0..(tables - 4).div_ceil(6) {
            link.client().batch_execute(&area(number)).await.unwrap();
        }
        link.client().batch_execute("analyze").await.unwrap();
        let catalog = load(&link).await;
        (link, catalog)
    });
    let count = catalog.relations.len();
    let loading = median(9, || {
        let clock = Instant::now();
        runtime.block_on(load(&link));
        clock.elapsed()
    });
    let classifying = median(9, || timed(|| discover(&catalog, &Decisions::default()).unwrap()));
    let proposal = discover(&catalog, &Decisions::default()).unwrap();
    println!(
        "{count} tables: {} classified, {} undecided\n",
        proposal.verdicts.len(),
        proposal.undecided.len()
    );
    results.within(&format!("catalogs of {count} tables loaded"), loading, None);
    results.within(&format!("{count} tables classified"), classifying, None);
    let whole = loading + classifying;
    results.within("both", whole, Some(Duration::from_secs(1)));
    results.print();
}
