-- Sequences owned by a column (identity, serial), those that a default draws from, and, without table and column, those that only
-- triggers and functions draw from.
-- $1: the application role.
select distinct sn.nspname::text, s.relname::text, tn.nspname::text, t.relname::text, a.attname::text,
  coalesce(pg_catalog.has_sequence_privilege($1, s.oid, 'USAGE'), false) as usage, ty.typcategory = 'N' as is_number
from pg_catalog.pg_class s join pg_catalog.pg_namespace sn on sn.oid = s.relnamespace
join lateral (
  select d.refobjid as relation, d.refobjsubid as attribute from pg_catalog.pg_depend d
    where d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass and d.objid = s.oid
      and d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass and d.refobjsubid > 0 and d.deptype in ('a', 'i')
  union
  select f.adrelid, f.adnum from pg_catalog.pg_depend d join pg_catalog.pg_attrdef f on f.oid = d.objid
    where d.classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass
      and d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass and d.refobjid = s.oid
) o on true
join pg_catalog.pg_class t on t.oid = o.relation join pg_catalog.pg_namespace tn on tn.oid = t.relnamespace
join pg_catalog.pg_attribute a on a.attrelid = t.oid and a.attnum = o.attribute
join pg_catalog.pg_type ty on ty.oid = a.atttypid
where s.relkind = 'S' and tn.nspname !~ '^(pg_|tenantdesk(_read|_write|_provision|_move|_restore|_host)?$)'
union all
select sn.nspname::text, s.relname::text, '', '', '', coalesce(pg_catalog.has_sequence_privilege($1, s.oid, 'USAGE'), false), false
from pg_catalog.pg_class s join pg_catalog.pg_namespace sn on sn.oid = s.relnamespace
where s.relkind = 'S' and sn.nspname !~ '^(pg_|tenantdesk(_read|_write|_provision|_move|_restore|_host)?$)' and sn.nspname <> 'information_schema'
  and not exists (select from pg_catalog.pg_depend d where d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass and d.objid = s.oid
    and d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass and d.refobjsubid > 0 and d.deptype in ('a', 'i'))
  and not exists (select from pg_catalog.pg_depend d where d.classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass
    and d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass and d.refobjid = s.oid)
  and not exists (select from pg_catalog.pg_depend d where d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass and d.objid = s.oid and d.deptype = 'e')
order by 1, 2, 3, 4, 5
