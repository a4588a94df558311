-- Whether another database of this server holds an installation, too: our owner role has objects there.
select exists (select from pg_catalog.pg_shdepend d join pg_catalog.pg_roles r on r.oid = d.refobjid
  where d.refclassid = 'pg_catalog.pg_authid'::pg_catalog.regclass and r.rolname = 'tenantdesk_owner' and d.deptype = 'o'
    and d.dbid <> 0 and d.dbid <> (select x.oid from pg_catalog.pg_database x where x.datname = pg_catalog.current_database()))
