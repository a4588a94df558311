-- $1: a role. The rights that lists of rights name it for.
select count(*) from (
  select c.relacl as items from pg_catalog.pg_class c
  union all select a.attacl from pg_catalog.pg_attribute a where a.attacl is not null
  union all select p.proacl from pg_catalog.pg_proc p
  union all select n.nspacl from pg_catalog.pg_namespace n
  union all select d.datacl from pg_catalog.pg_database d where d.datname = pg_catalog.current_database()
  union all select s.srvacl from pg_catalog.pg_foreign_server s
) l cross join lateral pg_catalog.aclexplode(l.items) a
where a.grantee = (select r.oid from pg_catalog.pg_roles r where r.rolname = $1::text)
