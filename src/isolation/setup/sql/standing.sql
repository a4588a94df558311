-- Before anything of ours is trusted to be there.
select pg_catalog.current_database()::text as database, session_user::text as login,
  pg_catalog.current_setting('server_version_num')::int as version,
  (select r.rolsuper from pg_catalog.pg_roles r where r.rolname = session_user) as superuser,
  exists (select from pg_catalog.pg_proc p join pg_catalog.pg_namespace n on n.oid = p.pronamespace
    where n.nspname = 'tenantdesk' and p.proname = 'setup_state') as controlled,
  exists (select from pg_catalog.pg_roles r where r.rolname = 'tenantdesk_operator'
    and pg_catalog.pg_has_role(session_user, r.oid, 'member')) as member,
  exists (select from pg_catalog.pg_event_trigger t where t.evtname = 'tenantdesk_refuse_definitions' and t.evtenabled in ('O', 'A')) as has_trigger
