-- The first statement of an installation: our roles exist, and the role that runs setup may act as their owners
-- until leave.sql. Roles belong to the whole server; another database's installation may have made them.
do $do$
declare
  role_name text;
  setup_role constant text := current_user;
  modern constant boolean := current_setting('server_version_num')::int >= 160000;
  owners constant text[] := array['tenantdesk_owner', 'tenantdesk_ledger', 'tenantdesk_killer', 'tenantdesk_registrar', 'tenantdesk_meter'];
  rights constant text[] := array['tenantdesk_reader', 'tenantdesk_inserter', 'tenantdesk_changer', 'tenantdesk_provisioner',
    'tenantdesk_archivist', 'tenantdesk_archive_inserter', 'tenantdesk_archive_changer'];
begin
  foreach role_name in array owners || rights || array['tenantdesk_operator'] loop
    if not exists (select from pg_roles where rolname = role_name) then
      execute format('create role %I nologin %s', role_name, case when role_name = 'tenantdesk_registrar' then 'createrole' else 'nocreaterole' end);
    end if;
  end loop;
  foreach role_name in array owners loop
    if modern then
      execute format('grant %I to %I with inherit false, set true', role_name, current_user);
    else
      execute format('grant %I to %I', role_name, current_user);
    end if;
  end loop;
  -- No function of ours is ever executable by PUBLIC, not even between two statements of a migration.
  foreach role_name in array owners loop
    execute format('set local role %I', role_name);
    alter default privileges revoke execute on functions from public;
    execute format('set local role %I', setup_role);
  end loop;
  -- Whoever runs setup manages the installation through the same functions as operators.
  execute format('grant tenantdesk_operator to %I', current_user);
  if modern then
    -- Before 16 CREATEROLE alone may grant any role that is no superuser.
    foreach role_name in array rights || array['tenantdesk_operator'] loop
      execute format('grant %I to tenantdesk_registrar with admin true, inherit false, set false', role_name);
    end loop;
  end if;
end $do$;

create schema if not exists tenantdesk authorization tenantdesk_owner;
set local role tenantdesk_owner;
grant usage on schema tenantdesk to tenantdesk_ledger, tenantdesk_killer, tenantdesk_registrar, tenantdesk_meter, tenantdesk_operator,
  tenantdesk_reader, tenantdesk_inserter, tenantdesk_changer, tenantdesk_provisioner,
  tenantdesk_archivist, tenantdesk_archive_inserter, tenantdesk_archive_changer;
grant create on schema tenantdesk to tenantdesk_ledger, tenantdesk_killer, tenantdesk_registrar, tenantdesk_meter;
create table if not exists tenantdesk.migrations (
  version integer primary key,
  name text not null,
  checksum bytea not null,
  applied_at timestamptz not null default clock_timestamp(),
  applied_by text not null default session_user
);
reset role;
