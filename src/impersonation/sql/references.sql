-- $1, $2: schema and name of each table that can be browsed. One row for each foreign key between two of them, also from a table to itself.
select f.place as from_place, t.place as to_place,
  (select pg_catalog.array_agg(a.attname::text order by k.place) from pg_catalog.unnest(c.conkey) with ordinality k (number, place)
    join pg_catalog.pg_attribute a on a.attrelid = c.conrelid and a.attnum = k.number) as columns,
  (select pg_catalog.array_agg(a.attname::text order by k.place) from pg_catalog.unnest(c.confkey) with ordinality k (number, place)
    join pg_catalog.pg_attribute a on a.attrelid = c.confrelid and a.attnum = k.number) as referenced
from pg_catalog.pg_constraint c
join (select r.place, o.oid from rows from (pg_catalog.unnest($1::text[]), pg_catalog.unnest($2::text[])) with ordinality r (schema, name, place)
  join pg_catalog.pg_namespace n on n.nspname = r.schema join pg_catalog.pg_class o on o.relnamespace = n.oid and o.relname = r.name) f on f.oid = c.conrelid
join (select r.place, o.oid from rows from (pg_catalog.unnest($1::text[]), pg_catalog.unnest($2::text[])) with ordinality r (schema, name, place)
  join pg_catalog.pg_namespace n on n.nspname = r.schema join pg_catalog.pg_class o on o.relnamespace = n.oid and o.relname = r.name) t on t.oid = c.confrelid
where c.contype = 'f'
order by f.place, c.conname
