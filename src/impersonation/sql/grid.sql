-- $1, $2: schema and name of each relation that is read; $3, $4: of the table that has its key, which is another
-- where a guarded view stands in its place. One row for each that exists and may be read by the present role.
select r.place,
  c.relkind = 'r' and c.oid = t.oid and pg_catalog.has_table_privilege(c.oid, 'SELECT') as physical,
  (select pg_catalog.jsonb_agg(pg_catalog.jsonb_build_array(a.attname, pg_catalog.format_type(a.atttypid, -1), a.attnotnull,
        y.typcategory = 'N',
        y.typtype in ('e', 'r', 'm') or y.typcategory = 'A' or b.oid = 'pg_catalog.varchar'::pg_catalog.regtype
          or exists (select from pg_catalog.pg_opclass o join pg_catalog.pg_am m on m.oid = o.opcmethod
            where m.amname = 'btree' and o.opcdefault and o.opcintype = b.oid),
        y.typlen = -1 and y.typcategory not in ('N', 'I')) order by a.attnum)
    from pg_catalog.pg_attribute a join pg_catalog.pg_type y on y.oid = a.atttypid
      join pg_catalog.pg_type b on b.oid = coalesce(nullif(y.typbasetype, 0), y.oid)
    where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
      and pg_catalog.has_column_privilege(c.oid, a.attnum, 'SELECT')) as columns,
  (select pg_catalog.array_agg(a.attname::text order by k.place) from pg_catalog.pg_index i
    cross join lateral pg_catalog.unnest(i.indkey::int2[]) with ordinality k (number, place)
    join pg_catalog.pg_attribute a on a.attrelid = t.oid and a.attnum = k.number
    where i.indrelid = t.oid and i.indisprimary) as key
from rows from (pg_catalog.unnest($1::text[]), pg_catalog.unnest($2::text[]), pg_catalog.unnest($3::text[]), pg_catalog.unnest($4::text[]))
  with ordinality r (schema, name, key_schema, key_name, place)
join pg_catalog.pg_namespace n on n.nspname = r.schema
join pg_catalog.pg_class c on c.relnamespace = n.oid and c.relname = r.name
join pg_catalog.pg_namespace kn on kn.nspname = r.key_schema
join pg_catalog.pg_class t on t.relnamespace = kn.oid and t.relname = r.key_name
where pg_catalog.has_any_column_privilege(c.oid, 'SELECT')
order by r.place
