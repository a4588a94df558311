-- As the superuser, in the application's database: the functions of large objects belong to the system.
do $do$
declare
  routine pg_catalog.regprocedure;
begin
  for routine in select p.oid from pg_catalog.pg_proc p
    where p.pronamespace = 'pg_catalog'::pg_catalog.regnamespace and (p.proname like 'lo\_%' or p.proname in ('loread', 'lowrite'))
  loop
    execute pg_catalog.format('revoke execute on function %s from public', routine);
    execute pg_catalog.format('grant execute on function %s to app_user, app_owner', routine);
  end loop;
end $do$;
