-- The last installation of the server goes: nothing needs our roles any more.
do $do$
declare
  role_name text;
begin
  foreach role_name in array array['tenantdesk_reader', 'tenantdesk_inserter', 'tenantdesk_changer', 'tenantdesk_provisioner', 'tenantdesk_archivist',
    'tenantdesk_archive_inserter', 'tenantdesk_archive_changer', 'tenantdesk_operator', 'tenantdesk_killer', 'tenantdesk_registrar', 'tenantdesk_meter',
    'tenantdesk_ledger', 'tenantdesk_owner'] loop
    execute format('drop role %I', role_name);
  end loop;
end $do$;
