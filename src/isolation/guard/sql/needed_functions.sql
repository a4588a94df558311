-- Functions of the application that its policies, defaults, checks and generated columns call: whoever is
-- subject to them must be able to run them, as the application is.
select distinct p.oid::pg_catalog.regprocedure::text as routine
from pg_catalog.pg_depend d
join pg_catalog.pg_proc p on d.refclassid = 'pg_catalog.pg_proc'::pg_catalog.regclass and p.oid = d.refobjid
join pg_catalog.pg_namespace n on n.oid = p.pronamespace
where d.classid in ('pg_catalog.pg_policy'::pg_catalog.regclass, 'pg_catalog.pg_attrdef'::pg_catalog.regclass, 'pg_catalog.pg_constraint'::pg_catalog.regclass)
  and n.nspname !~ '^(pg_|information_schema$|tenantdesk(_read|_write|_provision|_move|_restore|_host)?$)'
  and not exists (select from pg_catalog.aclexplode(coalesce(p.proacl, pg_catalog.acldefault('f', p.proowner))) a where a.grantee = 0 and a.privilege_type = 'EXECUTE')
order by 1
