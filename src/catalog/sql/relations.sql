-- $1: the application role, null where it is not known yet: nothing is then seen as its right. Everything but the schemas of the
-- system and of ours.
with recursive target as (
  select c.oid, n.nspname, c.relname, c.relkind, c.relispartition, c.relrowsecurity, c.relforcerowsecurity, c.reloptions, c.relowner, c.reltuples
  from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  where c.relkind in ('r', 'p', 'v', 'm', 'f') and n.nspname !~ '^(pg_|tenantdesk(_read|_write|_provision|_move|_restore|_host)?$)' and n.nspname <> 'information_schema'
),
-- Domains down to the type that they are made of.
made_of (domain, type, typmod) as (
  select t.oid, t.typbasetype, t.typtypmod from pg_catalog.pg_type t where t.typtype = 'd'
  union all
  select m.domain, t.typbasetype, t.typtypmod from made_of m join pg_catalog.pg_type t on t.oid = m.type where t.typtype = 'd'
),
based as (
  select m.domain, m.type, m.typmod from made_of m join pg_catalog.pg_type t on t.oid = m.type where t.typtype <> 'd'
),
words as (
  select e.enumtypid as type, pg_catalog.jsonb_agg(e.enumlabel order by e.enumsortorder) as labels from pg_catalog.pg_enum e group by 1
)
select t.oid, t.nspname, t.relname, t.relkind::text, t.relispartition, t.relrowsecurity, t.relforcerowsecurity,
  t.relkind = 'r' and exists (select from pg_catalog.pg_inherits h where h.inhparent = t.oid) as has_heirs,
  coalesce(t.reloptions && array['security_invoker=true', 'security_invoker=on', 'security_invoker=1'], false) as invoker,
  coalesce(pg_catalog.has_table_privilege($1, t.oid, 'SELECT'), false) as may_select,
  coalesce(pg_catalog.has_table_privilege($1, t.oid, 'INSERT'), false) as may_insert,
  coalesce(pg_catalog.has_table_privilege($1, t.oid, 'UPDATE'), false) as may_update,
  coalesce(pg_catalog.has_table_privilege($1, t.oid, 'DELETE'), false) as may_delete,
  (select pg_catalog.jsonb_agg(pg_catalog.jsonb_build_array(a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod), a.attnotnull,
        a.attgenerated <> '', a.attidentity,
        case when pg_catalog.has_column_privilege($1, t.oid, a.attnum, 'SELECT') then 'r' else '' end
        || case when pg_catalog.has_column_privilege($1, t.oid, a.attnum, 'INSERT') then 'a' else '' end
        || case when pg_catalog.has_column_privilege($1, t.oid, a.attnum, 'UPDATE') then 'w' else '' end,
        case when a.attgenerated = '' then pg_catalog.pg_get_expr(d.adbin, d.adrelid) end,
        pg_catalog.format_type(b.type, b.typmod), w.labels) order by a.attnum)
    from pg_catalog.pg_attribute a
    left join pg_catalog.pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
    left join based b on b.domain = a.atttypid
    left join words w on w.type = coalesce(b.type, a.atttypid)
    where a.attrelid = t.oid and a.attnum > 0 and not a.attisdropped) as columns,
  (select array_agg(a.attname::text order by k.place) from pg_catalog.pg_index i
    cross join lateral pg_catalog.unnest(i.indkey::int2[]) with ordinality k (number, place)
    join pg_catalog.pg_attribute a on a.attrelid = t.oid and a.attnum = k.number
    where i.indrelid = t.oid and i.indisprimary and k.place <= i.indnkeyatts) as primary_key,
  (select array_agg(pg_catalog.format('operator(%I.%s)', n.nspname, o.oprname) order by k.place) from pg_catalog.pg_index i
    cross join lateral pg_catalog.unnest(i.indclass::oid[]) with ordinality k (class, place)
    join pg_catalog.pg_opclass c on c.oid = k.class
    join pg_catalog.pg_amop m on m.amopfamily = c.opcfamily and m.amoplefttype = c.opcintype and m.amoprighttype = c.opcintype
      and m.amopstrategy = 3 and m.amoppurpose = 's'
    join pg_catalog.pg_operator o on o.oid = m.amopopr join pg_catalog.pg_namespace n on n.oid = o.oprnamespace
    where i.indrelid = t.oid and i.indisprimary) as primary_key_equals,
  -- Whole-table unique keys of plain columns with operators of the system: what one comparison can tell.
  (select pg_catalog.jsonb_agg((select pg_catalog.jsonb_agg(a.attname order by k.place)
        from pg_catalog.unnest(i.indkey::int2[]) with ordinality k (number, place)
        join pg_catalog.pg_attribute a on a.attrelid = t.oid and a.attnum = k.number
        where k.place <= i.indnkeyatts) order by i.indexrelid)
    from pg_catalog.pg_index i
    where i.indrelid = t.oid and i.indisunique and i.indisvalid and i.indimmediate and not i.indisprimary and i.indpred is null and i.indexprs is null
      and not exists (select from pg_catalog.unnest(i.indclass::oid[]) o (oid) join pg_catalog.pg_opclass c on c.oid = o.oid
        where c.opcnamespace <> 'pg_catalog'::pg_catalog.regnamespace)) as unique_keys,
  (select pg_catalog.jsonb_agg(pg_catalog.jsonb_build_array(p.polname, p.polpermissive,
        (select pg_catalog.jsonb_agg(case when r = 0 then 'public' else pg_catalog.pg_get_userbyid(r)::text end) from pg_catalog.unnest(p.polroles) r),
        exists (select from pg_catalog.unnest(p.polroles) r where r <> 0 and pg_catalog.pg_has_role($1, r, 'member')),
        p.polcmd, pg_catalog.pg_get_expr(p.polqual, p.polrelid), pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid)) order by p.polname)
    from pg_catalog.pg_policy p where p.polrelid = t.oid) as policies,
  pg_catalog.pg_get_userbyid(t.relowner)::text as owner,
  (select e.extname::text from pg_catalog.pg_depend d join pg_catalog.pg_extension e on e.oid = d.refobjid
    where d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass and d.objid = t.oid and d.deptype = 'e'
      and d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass limit 1) as extension,
  (select pg_catalog.jsonb_agg(pg_catalog.jsonb_build_array(n.nspname, c.relname) order by i.inhseqno)
    from pg_catalog.pg_inherits i join pg_catalog.pg_class c on c.oid = i.inhparent join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    where i.inhrelid = t.oid) as parents,
  case when t.reltuples >= 0 then t.reltuples::bigint end as rows_estimate,
  pg_catalog.obj_description(t.oid, 'pg_class') as comment,
  (select array_agg(pg_catalog.pg_get_constraintdef(k.oid) order by k.conname) from pg_catalog.pg_constraint k
    where k.conrelid = t.oid and k.contype = 'c') as checks,
  (select array_agg(distinct a.attname::text) from pg_catalog.pg_index i
    join pg_catalog.pg_attribute a on a.attrelid = t.oid and a.attnum = i.indkey[0]
    where i.indrelid = t.oid and i.indisvalid and i.indpred is null) as indexed
from target t
