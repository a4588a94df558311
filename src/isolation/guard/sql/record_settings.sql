-- $1: settings of the installation. Who ran setup first manages it, as long as that login exists: by its number, because another
-- may have the name later.
with gone as (delete from tenantdesk.configuration where name = 'setup.suspended')
insert into tenantdesk.configuration (name, value)
select s.key, s.value from pg_catalog.jsonb_each_text($1::jsonb) s
union all select 'setup.manager', r.oid::text from pg_catalog.pg_roles r where r.rolname = session_user
  and not exists (select from tenantdesk.configuration c join pg_catalog.pg_roles m on m.oid::text = c.value
    where c.name = 'setup.manager' and c.database = tenantdesk.this_database())
on conflict (name) do update set value = excluded.value
