-- Roles beside the system's and ours: what they may do by themselves on how many tables, and whom they belong to.
with tables as (
  select c.oid, c.relowner, c.relacl from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  where c.relkind in ('r', 'p') and not c.relispartition and n.nspname !~ '^(pg_|tenantdesk(_read|_write|_provision|_move|_restore|_host)?$)' and n.nspname <> 'information_schema'
),
rights as (
  select x.grantee as role, count(distinct t.oid) filter (where x.privilege_type = 'SELECT') as may_select,
    count(distinct t.oid) filter (where x.privilege_type = 'INSERT') as may_insert,
    count(distinct t.oid) filter (where x.privilege_type in ('UPDATE', 'DELETE')) as may_change
  from tables t cross join lateral pg_catalog.aclexplode(t.relacl) x where x.grantee <> t.relowner group by 1
),
owned as (select t.relowner as role, count(*) as tables from tables t group by 1),
named as (
  select r.role, count(distinct p.polrelid) as tables from pg_catalog.pg_policy p cross join lateral pg_catalog.unnest(p.polroles) r (role)
  where r.role <> 0 group by 1
)
select r.rolname::text, r.rolcanlogin, r.rolsuper, r.rolbypassrls, coalesce(o.tables, 0), coalesce(g.may_select, 0),
  coalesce(g.may_insert, 0), coalesce(g.may_change, 0), coalesce(n.tables, 0),
  (select array_agg(s.rolname::text order by s.rolname) from pg_catalog.pg_auth_members m
    join pg_catalog.pg_roles s on s.oid = m.roleid where m.member = r.oid) as groups
from pg_catalog.pg_roles r left join rights g on g.role = r.oid left join owned o on o.role = r.oid left join named n on n.role = r.oid
where r.rolname !~ '^(pg_|tenantdesk_)' and (o.role is not null or g.role is not null or n.role is not null
  or exists (select from pg_catalog.pg_auth_members m where m.member = r.oid))
order by 1
