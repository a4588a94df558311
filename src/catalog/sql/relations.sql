-- $1: the application role. Everything but the schemas of the system and of ours.
with target as (
  select c.oid, n.nspname, c.relname, c.relkind, c.relispartition, c.relrowsecurity, c.relforcerowsecurity, c.reloptions
  from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  where c.relkind in ('r', 'p', 'v', 'm', 'f') and n.nspname !~ '^(pg_|tenantdesk)' and n.nspname <> 'information_schema'
)
select t.oid, t.nspname, t.relname, t.relkind::text, t.relispartition, t.relrowsecurity, t.relforcerowsecurity,
  coalesce(t.reloptions && array['security_invoker=true', 'security_invoker=on', 'security_invoker=1'], false) as invoker,
  pg_catalog.has_table_privilege($1, t.oid, 'SELECT') as may_select,
  pg_catalog.has_table_privilege($1, t.oid, 'INSERT') as may_insert,
  pg_catalog.has_table_privilege($1, t.oid, 'UPDATE') as may_update,
  pg_catalog.has_table_privilege($1, t.oid, 'DELETE') as may_delete,
  (select pg_catalog.jsonb_agg(pg_catalog.jsonb_build_array(a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod), a.attnotnull,
        a.attgenerated <> '', a.attidentity,
        case when pg_catalog.has_column_privilege($1, t.oid, a.attnum, 'SELECT') then 'r' else '' end
        || case when pg_catalog.has_column_privilege($1, t.oid, a.attnum, 'INSERT') then 'a' else '' end
        || case when pg_catalog.has_column_privilege($1, t.oid, a.attnum, 'UPDATE') then 'w' else '' end) order by a.attnum)
    from pg_catalog.pg_attribute a where a.attrelid = t.oid and a.attnum > 0 and not a.attisdropped) as columns,
  (select array_agg(a.attname::text order by k.place) from pg_catalog.pg_index i
    cross join lateral pg_catalog.unnest(i.indkey::int2[]) with ordinality k (number, place)
    join pg_catalog.pg_attribute a on a.attrelid = t.oid and a.attnum = k.number
    where i.indrelid = t.oid and i.indisprimary) as primary_key,
  -- Whole-table unique keys of plain columns with operators of the system: what one comparison can tell.
  (select pg_catalog.jsonb_agg((select pg_catalog.jsonb_agg(a.attname order by k.place)
        from pg_catalog.unnest(i.indkey::int2[]) with ordinality k (number, place)
        join pg_catalog.pg_attribute a on a.attrelid = t.oid and a.attnum = k.number
        where k.place <= i.indnkeyatts) order by i.indexrelid)
    from pg_catalog.pg_index i
    where i.indrelid = t.oid and i.indisunique and i.indisvalid and not i.indisprimary and i.indpred is null and i.indexprs is null
      and not exists (select from pg_catalog.unnest(i.indclass::oid[]) o (oid) join pg_catalog.pg_opclass c on c.oid = o.oid
        where c.opcnamespace <> 'pg_catalog'::pg_catalog.regnamespace)) as unique_keys,
  (select pg_catalog.jsonb_agg(pg_catalog.jsonb_build_array(p.polname, p.polpermissive,
        (select pg_catalog.jsonb_agg(case when r = 0 then 'public' else pg_catalog.pg_get_userbyid(r)::text end) from pg_catalog.unnest(p.polroles) r),
        exists (select from pg_catalog.unnest(p.polroles) r where r <> 0 and pg_catalog.pg_has_role($1, r, 'member'))) order by p.polname)
    from pg_catalog.pg_policy p where p.polrelid = t.oid) as policies
from target t
