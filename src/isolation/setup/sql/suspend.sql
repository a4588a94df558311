-- $1: the request. As tenantdesk_owner, in the transaction that takes the guard off.
with noted as (
  insert into tenantdesk.configuration (name, value)
  values ('setup.suspended', session_user || ' since ' || pg_catalog.to_char(pg_catalog.clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'))
  on conflict (name) do update set value = excluded.value
  returning value
)
select n.value, tenantdesk.append('installation', 'setup.suspend', pg_catalog.current_database()::text, 'ok', 'database', null, $1, null)
from noted n
