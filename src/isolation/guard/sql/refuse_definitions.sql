-- DROP OWNED asks for no ownership of the tables whose policies it takes a role out of: a role that an operator may act as
-- would take the guard's policies with it. So whoever is an operator (the killer is a member of each) runs no definition but
-- what a restore needs. Idempotent.
do $do$
begin
  -- What somebody else planted under this name would run as whoever defines something.
  if exists (select from pg_catalog.pg_namespace n join pg_catalog.pg_roles o on o.oid = n.nspowner
      where n.nspname = 'tenantdesk_host' and not o.rolsuper and o.rolname <> current_user) then
    raise exception 'the schema tenantdesk_host belongs to somebody else' using errcode = '42501', hint = 'drop it';
  end if;
end $do$;
create schema if not exists tenantdesk_host;
create or replace function tenantdesk_host.refuse_definitions() returns event_trigger language plpgsql
set search_path = pg_catalog, pg_temp as $$
begin
  if tg_tag not in ('CREATE TABLE AS', 'GRANT') and exists (select from pg_catalog.pg_auth_members m
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
