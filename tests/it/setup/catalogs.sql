-- What a removal must leave as it was.
with acl (kind, name, owner, items) as (
  select 'relation ' || c.relkind::text || c.relrowsecurity::text || c.relforcerowsecurity::text, c.oid::regclass::text, c.relowner,
      coalesce(c.relacl, acldefault(case c.relkind when 'S' then 's' else 'r' end::"char", c.relowner))
    from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname !~ '^(pg_|information_schema)'
  union all
  select 'column', a.attrelid::regclass || '.' || a.attname, c.relowner, a.attacl
    from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
    where a.attacl is not null and n.nspname !~ '^(pg_|information_schema)'
  union all
  select 'function ' || coalesce(p.proconfig::text, ''), p.oid::regprocedure::text, p.proowner, coalesce(p.proacl, acldefault('f', p.proowner))
    from pg_proc p join pg_namespace n on n.oid = p.pronamespace where n.nspname !~ '^(pg_|information_schema)'
  union all
  select 'schema', n.nspname, n.nspowner, coalesce(n.nspacl, acldefault('n', n.nspowner)) from pg_namespace n where n.nspname !~ '^pg_(temp|toast)'
  union all
  select 'database', d.datname, d.datdba, coalesce(d.datacl, acldefault('d', d.datdba)) from pg_database d where d.datname = current_database()
)
select line from (
  select kind || '|' || name || '|' || owner::regrole::text || '|'
      || coalesce((select string_agg(x::text, ',' order by x::text) from unnest(items) x), '') as line from acl
  union all
  select 'policy|' || p.polrelid::regclass || '|' || p.polname || '|' || p.polcmd::text || p.polpermissive::text || '|'
      || coalesce(pg_get_expr(p.polqual, p.polrelid), '') || '|' || coalesce(pg_get_expr(p.polwithcheck, p.polrelid), '') || '|'
      || (select string_agg(case r when 0 then 'public' else r::regrole::text end, ',' order by o) from unnest(p.polroles) with ordinality u (r, o)) from pg_policy p
  union all
  select 'trigger|' || t.tgrelid::regclass || '|' || t.tgname || '|' || t.tgenabled::text from pg_trigger t where not t.tgisinternal
  union all
  select 'default|' || d.defaclrole::regrole || '|' || d.defaclacl::text from pg_default_acl d
  union all
  select 'event trigger|' || e.evtname from pg_event_trigger e
) x order by 1
