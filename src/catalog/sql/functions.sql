-- Functions that policies call and all that read a setting, with their source: policies often hide the setting in one.
with called as (
  select distinct d.refobjid as oid from pg_catalog.pg_depend d
  where d.classid = 'pg_catalog.pg_policy'::pg_catalog.regclass and d.refclassid = 'pg_catalog.pg_proc'::pg_catalog.regclass
)
select n.nspname::text, p.proname::text, coalesce(pg_catalog.pg_get_function_sqlbody(p.oid), p.prosrc), c.oid is not null
from pg_catalog.pg_proc p join pg_catalog.pg_namespace n on n.oid = p.pronamespace left join called c on c.oid = p.oid
where n.nspname !~ '^(pg_|tenantdesk(_read|_write|_provision|_move|_restore|_host)?$)' and n.nspname <> 'information_schema' and (c.oid is not null or p.prosrc ~ 'current_setting')
  and not exists (select from pg_catalog.pg_depend d where d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass and d.objid = p.oid and d.deptype = 'e')
order by 1, 2, p.oid
