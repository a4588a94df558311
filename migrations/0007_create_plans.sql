-- Plans, limits and usage. What is counted is declared in the relation map; the functions that count
-- (measure) and refuse (limit_<metric>) are generated from it by setup, and belong to tenantdesk_meter.

set local role tenantdesk_owner;

create table tenantdesk.plans (name text primary key, title text not null, added_at timestamptz not null default pg_catalog.clock_timestamp());
create table tenantdesk.metrics (name text primary key check (name ~ '^[a-z][a-z0-9_]{0,40}$'), unit text not null, period text not null default 'total'
  constraint metrics_period check (period in ('total', 'month')), source text not null);
create table tenantdesk.plan_limits (
  plan text not null references tenantdesk.plans on update cascade on delete cascade,
  metric text not null references tenantdesk.metrics on delete cascade,
  soft bigint, hard bigint,
  primary key (plan, metric),
  constraint plan_limits_order check (soft >= 0 and hard >= 0 and soft <= hard)
);
create table tenantdesk.limit_overrides (
  tenant text not null, metric text not null references tenantdesk.metrics on delete cascade, hard bigint not null check (hard >= 0),
  until timestamptz not null, reason text not null, added_by text not null default session_user,
  added_at timestamptz not null default pg_catalog.clock_timestamp(), primary key (tenant, metric));
-- The running count that makes a limit race free: a writer holds the row of its tenant until it commits. No row means none.
-- Months that were over when counting began have no row either: a late entry is counted from zero.
create table tenantdesk.usage_counters (
  tenant text not null, metric text not null references tenantdesk.metrics on delete cascade, period_start date not null,
  used bigint not null, primary key (tenant, metric, period_start)) with (fillfactor = 50);

-- The limit that holds for a tenant now: an override until it ends, else that of its plan. No row: no limit.
-- In plpgsql, because every write of an application asks it, and a function in SQL is planned anew each time.
create function tenantdesk.limit_of(tenant text, plan text, metric text) returns table (soft bigint, hard bigint, source text)
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
begin
  -- The soft limit keeps its share of the hard one.
  return query select case when o.hard is null then l.soft when l.hard > 0 then (l.soft::numeric * o.hard / l.hard)::bigint end, coalesce(o.hard, l.hard),
      case when o.hard is not null then 'override' else 'plan' end
    from (select 1) one
    left join tenantdesk.plan_limits l on l.plan = limit_of.plan and l.metric = limit_of.metric
    left join tenantdesk.limit_overrides o on o.tenant = limit_of.tenant and o.metric = limit_of.metric and o.until > pg_catalog.clock_timestamp()
    where l.metric is not null or o.metric is not null;
end $$;

-- Counts a change and refuses what goes over the hard limit; called by the generated triggers with the change of one tenant.
-- The counter is changed first and the plan read afterwards, under the lock and in a snapshot of its own.
create function tenantdesk.count_usage(tenant text, metric text, period_start date, change bigint) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
declare
  now_used bigint;
  allowed bigint;
begin
  update tenantdesk.usage_counters c set used = greatest(c.used + count_usage.change, 0)
    where c.tenant = count_usage.tenant and c.metric = count_usage.metric and c.period_start = count_usage.period_start
    returning c.used into now_used;
  if count_usage.change <= 0 then
    return;
  end if;
  if now_used is null then
    insert into tenantdesk.usage_counters as c (tenant, metric, period_start, used)
      values (count_usage.tenant, count_usage.metric, count_usage.period_start, count_usage.change)
      on conflict (tenant, metric, period_start) do update set used = c.used + excluded.used
      returning c.used into now_used;
  end if;
  select l.hard into allowed
    from tenantdesk.limit_of(count_usage.tenant, (select s.plan from tenantdesk.tenant_state(count_usage.tenant) s), count_usage.metric) l;
  -- A restore brings back what was there: it is counted, never refused.
  if now_used > allowed and tenantdesk.archive_writes() is distinct from count_usage.tenant then
    raise exception 'the plan allows % %', allowed, count_usage.metric using errcode = 'PT402',
      detail = pg_catalog.json_build_object('error', 'PLAN_LIMIT_EXCEEDED', 'metric', count_usage.metric, 'limit', allowed, 'nextUsage', now_used)::text,
      hint = 'a larger plan or a temporary override allows more';
  end if;
end $$;

-- Whether a tenant can have this plan: asked of whoever provisions by hand. Without any plan in the installation every word will do.
create function tenantdesk.is_known_plan(plan text) returns boolean language plpgsql stable security definer
set search_path = pg_catalog, pg_temp as $$
begin
  return is_known_plan.plan is null or exists (select from tenantdesk.plans p where p.name = is_known_plan.plan) or not exists (select from tenantdesk.plans);
end $$;
grant execute on function tenantdesk.is_known_plan to tenantdesk_provisioner;

-- Sets all counters to what the tables hold and gives how many were wrong. Writers wait: those that have counted are
-- waited for, those that have not will add to the new count. For setup and for what passes the triggers by
-- (session_replication_role, a disabled trigger, statements that name a partition).
create function tenantdesk.refill_counters() returns bigint
language plpgsql set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
declare
  counted_metric text;
  wrong bigint;
  all_wrong bigint := 0;
begin
  if pg_catalog.current_setting('transaction_isolation') <> 'read committed' then
    raise exception 'usage is counted anew under READ COMMITTED only' using errcode = '25001';
  end if;
  lock table tenantdesk.usage_counters in share row exclusive mode;
  for counted_metric in select m.name from tenantdesk.metrics m order by m.name loop
    with counted as materialized (select n.tenant, n.period_start, n.used from tenantdesk.count_metric(counted_metric) n),
    changed as (insert into tenantdesk.usage_counters as c (tenant, metric, period_start, used)
      select n.tenant, counted_metric, n.period_start, n.used from counted n
      on conflict (tenant, metric, period_start) do update set used = excluded.used where c.used <> excluded.used returning 1),
    stale as (delete from tenantdesk.usage_counters c
      where c.metric = counted_metric and not exists (select from counted n where n.tenant = c.tenant and n.period_start = c.period_start)
      returning c.used, c.period_start)
    select (select count(*) from changed)
        + (select count(*) from stale s where s.used <> 0 and (s.period_start = date '2000-01-01'
          or s.period_start >= pg_catalog.date_trunc('month', pg_catalog.statement_timestamp() at time zone 'UTC')))
      into wrong;
    all_wrong := all_wrong + wrong;
  end loop;
  return all_wrong;
end $$;

create function tenantdesk.recount_usage(request uuid) returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp set lock_timeout = '10s' as $$
declare
  wrong bigint;
begin
  -- It keeps the application's writers waiting until its transaction ends, so it is the owner's alone.
  if not tenantdesk.is_manager() then
    raise exception 'counting usage anew is for the owner of the database' using errcode = '42501';
  end if;
  wrong := tenantdesk.refill_counters();
  perform tenantdesk.append('installation', 'usage.recount', wrong || ' counters corrected', 'ok', 'database', null, recount_usage.request, null);
  return wrong;
end $$;

create function tenantdesk.plan_list() returns table (plan text, title text, metric text, unit text, period text, soft bigint, hard bigint)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
  perform tenantdesk.require('viewer', 'listing plans', true);
  return query select p.name, p.title, m.name, m.unit, m.period, l.soft, l.hard
    from tenantdesk.plans p left join tenantdesk.plan_limits l on l.plan = p.name left join tenantdesk.metrics m on m.name = l.metric
    order by p.added_at, p.name, m.name;
end $$;
create function tenantdesk.metric_list() returns table (metric text, unit text, period text, source text)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
  perform tenantdesk.require('viewer', 'listing metrics', true);
  return query select m.name, m.unit, m.period, m.source from tenantdesk.metrics m order by m.name;
end $$;
create function tenantdesk.override_list() returns table (tenant text, metric text, hard bigint, until timestamptz)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
  perform tenantdesk.require('viewer', 'listing limits', true);
  return query select o.tenant, o.metric, o.hard, o.until from tenantdesk.limit_overrides o where o.until > pg_catalog.clock_timestamp();
end $$;

create function tenantdesk.limit_override(tenant text, metric text, hard bigint, until timestamptz, reason text, request uuid) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
declare
  known_tenant text := tenantdesk.tenant_id(limit_override.tenant);
begin
  perform tenantdesk.require('admin', 'a limit override');
  if limit_override.until <= pg_catalog.clock_timestamp() then
    raise exception 'the override ends in the past' using errcode = '22023';
  end if;
  if not exists (select from tenantdesk.metrics m where m.name = limit_override.metric) then
    raise exception 'no metric %', limit_override.metric using errcode = 'P0002', hint = 'tenantdesk plan list shows the metrics';
  end if;
  if not exists (select from tenantdesk.tenant_state(known_tenant)) then
    raise exception 'tenant not found' using errcode = 'P0002';
  end if;
  insert into tenantdesk.limit_overrides (tenant, metric, hard, until, reason)
    values (known_tenant, limit_override.metric, limit_override.hard, limit_override.until, limit_override.reason)
    on conflict (tenant, metric) do update set hard = excluded.hard, until = excluded.until, reason = excluded.reason,
      added_by = session_user, added_at = pg_catalog.clock_timestamp();
  perform tenantdesk.append('tenant:' || known_tenant, 'limit.override', limit_override.metric, 'ok', 'database', null, limit_override.request,
    pg_catalog.jsonb_build_object('reason', limit_override.reason, 'hard', limit_override.hard, 'until', limit_override.until)::text);
end $$;

-- One plan and one limit of it. Without a metric only the plan itself; without soft and hard the metric is unlimited.
create function tenantdesk.plan_set(plan text, title text, metric text, soft bigint, hard bigint, request uuid) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
begin
  perform tenantdesk.require('admin', 'changing a plan', true);
  if plan_set.plan is null or plan_set.plan !~ '^[a-z][a-z0-9_-]{0,62}$' then
    raise exception 'a plan is named with a-z, 0-9, - and _' using errcode = '22023';
  end if;
  if plan_set.metric is not null and not exists (select from tenantdesk.metrics m where m.name = plan_set.metric) then
    raise exception 'no metric %', plan_set.metric using errcode = 'P0002', hint = 'tenantdesk plan list shows the metrics';
  end if;
  insert into tenantdesk.plans as p (name, title) values (plan_set.plan, coalesce(plan_set.title, plan_set.plan))
    on conflict (name) do update set title = coalesce(plan_set.title, p.title);
  if plan_set.metric is not null and plan_set.soft is null and plan_set.hard is null then
    delete from tenantdesk.plan_limits l where l.plan = plan_set.plan and l.metric = plan_set.metric;
  elsif plan_set.metric is not null then
    insert into tenantdesk.plan_limits (plan, metric, soft, hard) values (plan_set.plan, plan_set.metric, plan_set.soft, plan_set.hard)
      on conflict (plan, metric) do update set soft = excluded.soft, hard = excluded.hard;
  end if;
  perform tenantdesk.append('installation', 'plan.set', plan_set.plan, 'ok', 'database', null, plan_set.request,
    pg_catalog.jsonb_build_object('title', plan_set.title, 'metric', plan_set.metric, 'soft', plan_set.soft, 'hard', plan_set.hard)::text);
end $$;

-- The plans of a new installation, in one ledger entry; where a plan is known already it changes nothing. Gives how many were added.
-- document: [{name, title, limits: {metric: {soft, hard}}}]; a metric that this target does not count is left out.
create function tenantdesk.plans_load(document jsonb, request uuid) returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  added integer;
begin
  perform tenantdesk.require('admin', 'loading plans', true);
  lock table tenantdesk.plans in share row exclusive mode;
  if exists (select from tenantdesk.plans) then
    return 0;
  end if;
  insert into tenantdesk.plans (name, title) select e.value ->> 'name', e.value ->> 'title'
    from pg_catalog.jsonb_array_elements(plans_load.document) with ordinality e (value, place) order by e.place;
  get diagnostics added = row_count;
  insert into tenantdesk.plan_limits (plan, metric, soft, hard)
    select e.value ->> 'name', l.key, (l.value ->> 'soft')::bigint, (l.value ->> 'hard')::bigint
    from pg_catalog.jsonb_array_elements(plans_load.document) e (value)
    cross join lateral pg_catalog.jsonb_each(e.value -> 'limits') l join tenantdesk.metrics m on m.name = l.key;
  perform tenantdesk.append('installation', 'plan.load', added || ' plans', 'ok', 'database', null, plans_load.request, plans_load.document::text);
  return added;
end $$;

grant select, insert, update, delete on tenantdesk.usage_counters to tenantdesk_meter;
grant select on tenantdesk.plan_limits, tenantdesk.limit_overrides, tenantdesk.metrics, tenantdesk.plans to tenantdesk_meter;
grant execute on function tenantdesk.count_usage, tenantdesk.limit_of, tenantdesk.archive_writes to tenantdesk_meter;
grant execute on function tenantdesk.plan_list, tenantdesk.metric_list, tenantdesk.override_list, tenantdesk.limit_override,
  tenantdesk.plan_set, tenantdesk.plans_load, tenantdesk.recount_usage to tenantdesk_operator;
