-- The last statement of an installation: the role that ran setup gives the owners' roles back (a policy names some
-- of them, and on 15 the owner's own rows would vanish), and keeps SELECT so that its pg_dump works.
do $do$
declare
  setup_role constant text := current_user;
  role_name text;
  schema_name text;
begin
  set local role tenantdesk_owner;
  for schema_name in select nspname from pg_namespace where nspname ~ '^tenantdesk(_read|_write|_provision|_move|_restore)?$' loop
    execute format('grant usage on schema %I to %I', schema_name, setup_role);
  end loop;
  foreach role_name in array array['tenantdesk_owner', 'tenantdesk_ledger'] loop
    execute format('set local role %I', role_name);
    for schema_name in select format('%I.%I', n.nspname, c.relname) from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where n.nspname ~ '^tenantdesk(_read|_write|_provision|_move|_restore)?$' and c.relkind in ('r', 'v', 'S', 'p') and pg_get_userbyid(c.relowner) = role_name loop
      execute format('grant select on %s to %I', schema_name, setup_role);
    end loop;
  end loop;
  execute format('set local role %I', setup_role);
  foreach role_name in array array['tenantdesk_owner', 'tenantdesk_ledger', 'tenantdesk_killer', 'tenantdesk_registrar', 'tenantdesk_meter'] loop
    execute format('revoke %I from %I', role_name, setup_role);
  end loop;
end $do$;
