select c.conname::text, fn.nspname::text, f.relname::text, tn.nspname::text, t.relname::text, c.condeferrable,
  (select array_agg(a.attname::text order by k.place) from pg_catalog.unnest(c.conkey) with ordinality k (number, place)
    join pg_catalog.pg_attribute a on a.attrelid = c.conrelid and a.attnum = k.number) as columns,
  (select array_agg(a.attname::text order by k.place) from pg_catalog.unnest(c.confkey) with ordinality k (number, place)
    join pg_catalog.pg_attribute a on a.attrelid = c.confrelid and a.attnum = k.number) as referenced,
  c.convalidated, c.confdeltype::text,
  c.confmatchtype <> 'f' or pg_catalog.cardinality(c.conkey) = 1 as simple
from pg_catalog.pg_constraint c
join pg_catalog.pg_class f on f.oid = c.conrelid join pg_catalog.pg_namespace fn on fn.oid = f.relnamespace
join pg_catalog.pg_class t on t.oid = c.confrelid join pg_catalog.pg_namespace tn on tn.oid = t.relnamespace
where c.contype = 'f' and c.conparentid = 0 and fn.nspname !~ '^(pg_|tenantdesk(_read|_write|_provision|_move|_restore|_host)?$)'
order by 2, 3, 1
