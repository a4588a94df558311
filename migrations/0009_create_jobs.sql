-- Work that the application leaves for later. A job always belongs to one tenant: the column is never null,
-- the tenant comes from the transaction's own setting, and a tenant that does not exist is refused.

set local role tenantdesk_owner;

create table tenantdesk.jobs (
  id bigint generated always as identity primary key,
  tenant text not null constraint jobs_tenant check (tenant <> ''),
  kind text not null constraint jobs_kind check (kind ~ '^[a-z][a-z0-9_.]{0,62}$'),
  payload jsonb not null default '{}',
  enqueued_at timestamptz not null default pg_catalog.clock_timestamp(),
  enqueued_by text not null default session_user,
  run_after timestamptz not null default pg_catalog.clock_timestamp(),
  attempts integer not null default 0,
  finished_at timestamptz,
  outcome text,
  constraint jobs_end check ((finished_at is null) = (outcome is null))
);
create index jobs_waiting on tenantdesk.jobs (run_after) where finished_at is null;

create function tenantdesk.enqueue_job(kind text, payload jsonb default '{}', run_after timestamptz default null) returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
declare
  named text := tenantdesk.application_tenant();
  of_tenant text := tenantdesk.tenant_id(named);
  made bigint;
begin
  if named is null then
    raise exception 'a job needs a tenant' using errcode = '22004',
      hint = 'set the tenant setting in the transaction that enqueues the job';
  end if;
  if not exists (select from tenantdesk.tenant_state(of_tenant)) then
    raise exception 'tenant not found' using errcode = 'P0002';
  end if;
  insert into tenantdesk.jobs (tenant, kind, payload, run_after)
    values (of_tenant, enqueue_job.kind, enqueue_job.payload, coalesce(enqueue_job.run_after, pg_catalog.clock_timestamp()))
    returning jobs.id into made;
  return made;
end $$;
