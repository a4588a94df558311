-- $1: the tables of the map, quoted. From 16 on, CREATEROLE gives nothing over roles that another login made.
with me as (
  select r.oid, r.rolname, r.rolsuper, r.rolcreaterole, pg_catalog.current_setting('server_version_num')::int >= 160000 as modern
  from pg_catalog.pg_roles r where r.rolname = session_user
), owners as (
  select c.relowner as owner, count(*) as tables, min(c.oid::pg_catalog.regclass::text) as example
  from pg_catalog.unnest($1::text[]) t (name) join pg_catalog.pg_class c on c.oid = pg_catalog.to_regclass(t.name)
  group by c.relowner
), schemas as (
  select distinct n.nspname, n.nspowner, n.oid
  from pg_catalog.unnest($1::text[]) t (name) join pg_catalog.pg_class c on c.oid = pg_catalog.to_regclass(t.name)
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
)
select 'login ' || pg_catalog.quote_ident(me.rolname) as object, 'it must create the roles of the guard' as why,
  pg_catalog.format('ALTER ROLE %I CREATEROLE', me.rolname) as fix
from me where not me.rolcreaterole and not me.rolsuper
union all
select 'database ' || pg_catalog.quote_ident(pg_catalog.current_database()), 'the control schema is made in it',
  pg_catalog.format('GRANT CREATE ON DATABASE %I TO %I', pg_catalog.current_database(), me.rolname)
from me where not pg_catalog.has_database_privilege(me.oid, pg_catalog.current_database(), 'CREATE')
union all
select o.tables || ' tables of ' || pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(o.owner)) || ', such as ' || o.example,
  'only their owner may put policies on them and grant rights',
  pg_catalog.format('GRANT %I TO %I', pg_catalog.pg_get_userbyid(o.owner), me.rolname) || case when me.modern then ' WITH INHERIT TRUE' else '' end
from me, owners o where not pg_catalog.pg_has_role(me.oid, o.owner, 'USAGE')
union all
select 'schema ' || pg_catalog.quote_ident(s.nspname), 'our roles need USAGE on it, which its owner grants',
  case when pg_catalog.pg_get_userbyid(s.nspowner) = 'pg_database_owner' then pg_catalog.format('GRANT USAGE ON SCHEMA %I TO %I WITH GRANT OPTION', s.nspname, me.rolname)
    else pg_catalog.format('GRANT %I TO %I', pg_catalog.pg_get_userbyid(s.nspowner), me.rolname) end
from me, schemas s
where not pg_catalog.pg_has_role(me.oid, s.nspowner, 'USAGE') and not pg_catalog.has_schema_privilege(me.oid, s.oid, 'USAGE WITH GRANT OPTION')
union all
select 'role ' || pg_catalog.quote_ident(r.rolname), 'another installation on this server made it, and this one shares it',
  pg_catalog.format('GRANT %I TO %I WITH ADMIN OPTION', r.rolname, me.rolname)
from me join pg_catalog.pg_roles r on r.rolname ~ '^tenantdesk_(owner|ledger|killer|registrar|meter|operator|reader|inserter|changer|provisioner|archivist|archive_inserter|archive_changer)$'
where me.modern and not me.rolsuper and not pg_catalog.pg_has_role(me.oid, r.oid, 'MEMBER WITH ADMIN OPTION')
order by 1
