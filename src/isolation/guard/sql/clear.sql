-- Takes the guard off the target, as setup put it there: triggers, policies, our names in the application's
-- policies, rights, views. Idempotent; setup runs it before it generates the guard anew, in the same transaction.
do $do$
declare
  r record;
  -- Our roles, and every operator: what the plan does not give them is taken, so that an installation mends a drift.
  ours text[] := array['tenantdesk_reader', 'tenantdesk_inserter', 'tenantdesk_changer', 'tenantdesk_provisioner',
    'tenantdesk_archivist', 'tenantdesk_archive_inserter', 'tenantdesk_archive_changer', 'tenantdesk_owner', 'tenantdesk_meter', 'tenantdesk_operator', 'tenantdesk_registrar', 'tenantdesk_killer', 'tenantdesk_ledger'];
begin
  set local role tenantdesk_owner;
  ours := ours || array(select o.name from tenantdesk.operators o);
  reset role;
  for r in select t.tgname, t.tgrelid::regclass as relation from pg_trigger t where not t.tgisinternal and t.tgparentid = 0 and t.tgname like '!tenantdesk %' loop
    execute format('drop trigger %I on %s', r.tgname, r.relation);
  end loop;
  for r in select p.polname, p.polrelid::regclass as relation from pg_policy p where p.polname like '!tenantdesk%' or p.polname in ('tenantdesk archive', 'tenantdesk meter', 'tenantdesk provision', 'tenantdesk views') loop
    execute format('drop policy %I on %s', r.polname, r.relation);
  end loop;
  for r in
    select p.polname, p.polrelid::regclass as relation,
      (select string_agg(case when x.role = 0 then 'public' else quote_ident(pg_get_userbyid(x.role)) end, ', ' order by x.place)
        from unnest(p.polroles) with ordinality x (role, place) where x.role = 0 or pg_get_userbyid(x.role) <> all (ours)) as others
    from pg_policy p where exists (select from unnest(p.polroles) x where x <> 0 and pg_get_userbyid(x) = any (ours))
  loop
    -- A policy for nobody else is none of the application's.
    execute case when r.others is null then format('drop policy %I on %s', r.polname, r.relation)
      else format('alter policy %I on %s to %s', r.polname, r.relation, r.others) end;
  end loop;
  for r in
    select distinct c.oid::regclass as relation, c.relkind, pg_get_userbyid(a.grantee) as role
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    cross join lateral (
      select (aclexplode(c.relacl)).grantee
      union select (aclexplode(t.attacl)).grantee from pg_attribute t where t.attrelid = c.oid and t.attacl is not null) a
    where a.grantee <> 0 and pg_get_userbyid(a.grantee) = any (ours) and n.nspname !~ '^(pg_|tenantdesk(_read|_write|_provision|_move|_restore|_host)?$)'
  loop
    execute format('revoke all on %s %s from %I', case r.relkind when 'S' then 'sequence' else '' end, r.relation, r.role);
  end loop;
  for r in select n.nspname, x.role from pg_namespace n cross join lateral (select pg_get_userbyid((aclexplode(n.nspacl)).grantee) as role) x
    where n.nspname !~ '^(pg_|tenantdesk(_read|_write|_provision|_move|_restore|_host)?$)' and x.role = any (ours)
  loop
    execute format('revoke all on schema %I from %I', r.nspname, r.role);
  end loop;
  for r in select p.oid::regprocedure as routine, x.role from pg_proc p join pg_namespace n on n.oid = p.pronamespace
      cross join lateral (select pg_get_userbyid((aclexplode(p.proacl)).grantee) as role) x
    where n.nspname !~ '^(pg_|information_schema$|tenantdesk(_read|_write|_provision|_move|_restore|_host)?$)' and x.role = any (ours)
  loop
    execute format('revoke all on routine %s from %I', r.routine, r.role);
  end loop;
  for r in select distinct d.datname, x.role from pg_database d cross join lateral (select pg_get_userbyid((aclexplode(d.datacl)).grantee) as role) x
    where d.datname = current_database() and x.role = any (ours)
  loop
    execute format('revoke all on database %I from %I', r.datname, r.role);
  end loop;
  for r in select distinct f.srvname, x.role from pg_foreign_server f cross join lateral (select pg_get_userbyid((aclexplode(f.srvacl)).grantee) as role) x
    where x.role = any (ours)
  loop
    execute format('revoke all on foreign server %I from %I', r.srvname, r.role);
  end loop;
  for r in select n.nspname from pg_namespace n where n.nspname in ('tenantdesk_read', 'tenantdesk_write', 'tenantdesk_provision', 'tenantdesk_move', 'tenantdesk_restore') loop
    set local role tenantdesk_owner;
    execute format('drop schema %I cascade', r.nspname);
    reset role;
  end loop;
end $do$;
