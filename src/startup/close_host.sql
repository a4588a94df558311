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

-- DROP OWNED asks for no ownership of the tables whose policies it takes a role out of: a role that an operator may act as
-- would take the guard's policies with it. So whoever is an operator runs no definition but what a restore needs, and the
-- application does not take itself out of its own policies.
do $do$
begin
  if exists (select from pg_catalog.pg_namespace n join pg_catalog.pg_roles o on o.oid = n.nspowner
      where n.nspname = 'tenantdesk_host' and not o.rolsuper) then
    raise exception 'the schema tenantdesk_host belongs to somebody else' using errcode = '42501', hint = 'drop it';
  end if;
end $do$;
create schema if not exists tenantdesk_host;
create or replace function tenantdesk_host.refuse_definitions() returns event_trigger language plpgsql
set search_path = pg_catalog, pg_temp as $$
begin
  if session_user = 'app_user' and tg_tag = 'DROP OWNED' then
    raise exception 'the application does not drop its own policies and rights' using errcode = '42501';
  elsif tg_tag not in ('CREATE TABLE AS', 'GRANT') and exists (select from pg_catalog.pg_auth_members m
      join pg_catalog.pg_roles l on l.oid = m.roleid join pg_catalog.pg_roles k on k.oid = m.member
      where l.rolname = session_user and k.rolname = 'tenantdesk_killer') then
    raise exception '% is not for operators', tg_tag using errcode = '42501', hint = 'the owner of the database defines things in it';
  end if;
end $$;
do $do$
begin
  if not exists (select from pg_catalog.pg_event_trigger where evtname = 'tenantdesk_refuse_definitions') then
    create event trigger tenantdesk_refuse_definitions on ddl_command_start execute function tenantdesk_host.refuse_definitions();
  end if;
end $do$;
alter event trigger tenantdesk_refuse_definitions enable always;
