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
-- The running count that makes a limit race free: a writer holds the row of its tenant until it commits.
create table tenantdesk.usage_counters (
  tenant text not null, metric text not null references tenantdesk.metrics on delete cascade, period_start date not null,
  used bigint not null, primary key (tenant, metric, period_start));

-- The limit that holds for a tenant now: an override until it ends, else that of its plan. No row: no limit.
create function tenantdesk.limit_of(tenant text, plan text, metric text) returns table (soft bigint, hard bigint, source text)
language sql stable set search_path = pg_catalog, pg_temp
begin atomic
  select case when o.hard is not null then least(l.soft, o.hard) else l.soft end, coalesce(o.hard, l.hard),
    case when o.hard is not null then 'override' else 'plan' end
  from (select 1) one
  left join tenantdesk.plan_limits l on l.plan = limit_of.plan and l.metric = limit_of.metric
  left join tenantdesk.limit_overrides o on o.tenant = limit_of.tenant and o.metric = limit_of.metric and o.until > pg_catalog.clock_timestamp()
  where l.metric is not null or o.metric is not null;
end;

-- Counts a change and refuses what goes over the hard limit; called by the generated triggers with the change of one tenant.
create function tenantdesk.count_usage(tenant text, plan text, metric text, period_start date, change bigint, recount text) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
declare
  now_used bigint;
  allowed bigint;
begin
  insert into tenantdesk.usage_counters as c (tenant, metric, period_start, used)
    values (count_usage.tenant, count_usage.metric, count_usage.period_start, 0) on conflict do nothing;
  if found then
    -- The first change since the count began: count what is there, this change included.
    execute recount into now_used using count_usage.tenant, count_usage.period_start;
    update tenantdesk.usage_counters c set used = coalesce(now_used, 0)
      where c.tenant = count_usage.tenant and c.metric = count_usage.metric and c.period_start = count_usage.period_start
      returning c.used into now_used;
  else
    update tenantdesk.usage_counters c set used = greatest(c.used + count_usage.change, 0)
      where c.tenant = count_usage.tenant and c.metric = count_usage.metric and c.period_start = count_usage.period_start
      returning c.used into now_used;
  end if;
  if count_usage.change > 0 then
    select l.hard into allowed from tenantdesk.limit_of(count_usage.tenant, count_usage.plan, count_usage.metric) l;
    if now_used > allowed then
      raise exception 'the plan allows % %', allowed, count_usage.metric using errcode = 'PT402',
        detail = pg_catalog.json_build_object('error', 'PLAN_LIMIT_EXCEEDED', 'metric', count_usage.metric, 'limit', allowed, 'nextUsage', now_used)::text,
        hint = 'a larger plan or a temporary override allows more';
    end if;
  end if;
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

grant select, insert, update, delete on tenantdesk.usage_counters to tenantdesk_meter;
grant select on tenantdesk.plan_limits, tenantdesk.limit_overrides, tenantdesk.metrics, tenantdesk.plans to tenantdesk_meter;
grant execute on function tenantdesk.count_usage, tenantdesk.limit_of to tenantdesk_meter;
grant execute on function tenantdesk.plan_list, tenantdesk.metric_list, tenantdesk.override_list, tenantdesk.limit_override to tenantdesk_operator;
