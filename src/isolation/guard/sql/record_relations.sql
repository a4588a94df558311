-- $1: all relations of the map.
insert into tenantdesk.relations (name, class, key, path, reason, guard, relation, view, columns)
select r.name, r.class, r.key, r.path, r.reason, r.guard, r.relation, r.view,
  array(select pg_catalog.jsonb_array_elements_text(r.columns))
from pg_catalog.jsonb_to_recordset($1::jsonb)
  as r (name text, class text, key text, path jsonb, reason text, guard text, relation oid, view text, columns jsonb)
