-- The control schema with all that stands in it, and the owners' default privileges in this database.
set local role tenantdesk_owner;
drop schema tenantdesk cascade;
reset role;
do $do$
declare
  setup_role constant text := current_user;
  role_name text;
begin
  foreach role_name in array array['tenantdesk_owner', 'tenantdesk_ledger', 'tenantdesk_killer', 'tenantdesk_registrar', 'tenantdesk_meter'] loop
    execute format('set local role %I', role_name);
    alter default privileges grant execute on functions to public;
    execute format('set local role %I', setup_role);
  end loop;
end $do$;
