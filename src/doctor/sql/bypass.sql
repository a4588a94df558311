-- Logins whom the guard does not bind, and the first reason for each; what follows from being an operator is the last column.
select r.rolname::text as login, w.why, w.expected,
  coalesce(pg_catalog.pg_has_role(r.oid, (select g.oid from pg_catalog.pg_roles g where g.rolname = 'tenantdesk_operator'), 'member'), false)
    and not w.expected as operator
from pg_catalog.pg_roles r
cross join lateral (
  select c.why, c.expected from (values
    (1, r.rolsuper, 'superuser', true),
    (2, r.rolbypassrls, 'BYPASSRLS', false),
    (3, r.rolreplication, 'REPLICATION', false),
    (4, exists (select from pg_catalog.pg_roles p where p.rolname in ('pg_read_all_data', 'pg_write_all_data', 'pg_execute_server_program',
        'pg_read_server_files', 'pg_write_server_files', 'pg_checkpoint', 'pg_maintain') and p.rolname <> 'pg_checkpoint'
      and pg_catalog.pg_has_role(r.oid, p.oid, 'member')), 'member of a role that reads or writes all data or files', false),
    -- Who owns the tables switches row level security off; that it is so is the target's own choice.
    (5, exists (select from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
      where c.relkind in ('r', 'p') and n.nspname !~ '^(pg_|information_schema$|tenantdesk(_read|_write|_provision|_move|_restore|_host)?$)'
        and pg_catalog.pg_has_role(r.oid, c.relowner, 'member')), 'owner of tables', true),
    -- From 16 on CREATEROLE gives no role that one does not administer.
    (6, r.rolcreaterole and pg_catalog.current_setting('server_version_num')::int < 160000, 'CREATEROLE', false)
  ) as c (place, holds, why, expected) where c.holds order by c.place limit 1) w
where r.rolcanlogin
order by w.expected desc, w.why, 1
