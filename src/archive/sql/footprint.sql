-- How many rows this transaction has inserted, updated and deleted in tables ($1: names as SQL needs them) and their
-- partitions, whoever they belong to and whatever did it.
select coalesce(sum(pg_catalog.pg_stat_get_xact_tuples_inserted(o.oid)), 0)::bigint,
  coalesce(sum(pg_catalog.pg_stat_get_xact_tuples_updated(o.oid)), 0)::bigint,
  coalesce(sum(pg_catalog.pg_stat_get_xact_tuples_deleted(o.oid)), 0)::bigint
from pg_catalog.unnest($1::text[]) with ordinality n (name, place)
left join lateral (
  select pg_catalog.to_regclass(n.name)::oid as oid
  union select t.relid from pg_catalog.pg_partition_tree(pg_catalog.to_regclass(n.name)) t) o on true
group by n.place order by n.place
