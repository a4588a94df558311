-- As the superuser, in the application's database: what only he can close. Idempotent; run at each preparation.

-- Large objects know no row level security, and the shared lock table is everybody's: both are the application's and its owner's.
do $do$
declare
  routine pg_catalog.regprocedure;
begin
  for routine in select p.oid from pg_catalog.pg_proc p
    where p.pronamespace = 'pg_catalog'::pg_catalog.regnamespace
      and (p.proname like 'lo\_%' or p.proname in ('loread', 'lowrite') or p.proname like 'pg\_%advisory%')
  loop
    execute pg_catalog.format('revoke execute on function %s from public', routine);
    execute pg_catalog.format('grant execute on function %s to app_user, app_owner', routine);
  end loop;
end $do$;

-- Operators have business in the application's database only: elsewhere they could make objects that others trip over.
revoke connect on database postgres, template1 from public;
grant connect on database postgres to app_owner;

-- The event trigger against definitions by operators is guard/sql/refuse_definitions.sql, run before this. Here only: the
-- application does not take itself out of its own policies.
create or replace function tenantdesk_host.keep_the_application() returns event_trigger language plpgsql
set search_path = pg_catalog, pg_temp as $$
begin
  if session_user = 'app_user' then
    raise exception 'the application does not drop its own policies and rights' using errcode = '42501';
  end if;
end $$;
do $do$
begin
  if not exists (select from pg_catalog.pg_event_trigger where evtname = 'tenantdesk_keep_the_application') then
    create event trigger tenantdesk_keep_the_application on ddl_command_start when tag in ('DROP OWNED')
      execute function tenantdesk_host.keep_the_application();
  end if;
end $do$;
alter event trigger tenantdesk_keep_the_application enable always;
