-- Another database of the server is set up as well: the roles are its, too. Whoever ran setup here gives them back.
do $do$
declare
  role_name text;
begin
  foreach role_name in array array['tenantdesk_owner', 'tenantdesk_ledger', 'tenantdesk_killer', 'tenantdesk_registrar', 'tenantdesk_meter'] loop
    execute format('revoke %I from %I', role_name, current_user);
  end loop;
end $do$;
