-- The relation map, what setup installed on the target, and the check that it is still so.
-- faults() compares the catalogs with the record of the installation: whatever was taken away, added or
-- changed since is a fault, and while there is one no session opens.

set local role tenantdesk_owner;

create table tenantdesk.relations (
  name text primary key,
  class text not null constraint relations_class check (class in ('root', 'keyed', 'derived', 'linked', 'global', 'excluded')),
  key text,
  path jsonb,
  reason text,
  guard text not null constraint relations_guard check (guard in ('policy', 'view', 'none')),
  relation oid not null,
  -- The name of its guarded views, where it has them.
  view text,
  -- Its columns when it was set up: name and type.
  columns text[] not null default '{}'
);
create table tenantdesk.map (
  only_row boolean primary key default true check (only_row),
  document jsonb not null,
  recorded_at timestamptz not null default pg_catalog.clock_timestamp()
);

-- What a person decided about the schema; a later setup comes to the same map by it.
create table tenantdesk.decisions (
  only_row boolean primary key default true check (only_row),
  document jsonb not null,
  decided_at timestamptz not null default pg_catalog.clock_timestamp(),
  decided_by text not null default session_user
);

-- What setup left on the target, as the catalogs told it in the same transaction.
create table tenantdesk.guard_policies (relation oid not null, policy text not null, command text not null, permissive boolean not null,
  roles text[] not null, qual text, with_check text, ours boolean not null, primary key (relation, policy));
create table tenantdesk.guard_grants (kind text not null, object oid not null, attribute text not null default '', role text not null, privilege text not null,
  primary key (kind, object, attribute, role, privilege));
create table tenantdesk.guard_views (view oid primary key, definition text not null);
-- `unkeep` takes from the application what it was given in the place of PUBLIC, where it had no right of its own before.
create table tenantdesk.guard_changes (object text primary key, change text not null, kept text not null, undo text not null, unkeep text, made_at timestamptz not null default pg_catalog.clock_timestamp());
comment on table tenantdesk.guard_changes is 'What setup closed with consent on the target, and the statement that opens it again';
create table tenantdesk.exceptions (object text primary key, reason text not null check (pg_catalog.length(reason) >= 10),
  added_by text not null default session_user, added_at timestamptz not null default pg_catalog.clock_timestamp());

-- Our roles that can hold rights on the target.
create function tenantdesk.guarded_roles() returns setof text language sql immutable parallel safe
set search_path = pg_catalog, pg_temp
begin atomic
  select pg_catalog.unnest(array['tenantdesk_operator', 'tenantdesk_reader', 'tenantdesk_inserter', 'tenantdesk_changer', 'tenantdesk_provisioner',
    'tenantdesk_archivist', 'tenantdesk_archive_inserter', 'tenantdesk_archive_changer', 'tenantdesk_owner', 'tenantdesk_meter',
    'tenantdesk_ledger', 'tenantdesk_registrar', 'tenantdesk_killer']);
end;

create view tenantdesk.present_policies as
  select p.polrelid as relation, p.polname::text as policy, p.polcmd::text as command, p.polpermissive as permissive,
    array(select case when r = 0 then 'public' else pg_catalog.pg_get_userbyid(r)::text end from pg_catalog.unnest(p.polroles) r order by 1) as roles,
    -- Digests of the parsed expressions: printing them as SQL took most of the time of faults().
    pg_catalog.encode(pg_catalog.sha256(pg_catalog.convert_to(p.polqual::text, 'UTF8')), 'hex') as qual,
    pg_catalog.encode(pg_catalog.sha256(pg_catalog.convert_to(p.polwithcheck::text, 'UTF8')), 'hex') as with_check,
    p.polname like '!tenantdesk%' or p.polname in ('tenantdesk archive', 'tenantdesk meter', 'tenantdesk provision', 'tenantdesk views') as ours
  from pg_catalog.pg_policy p;

-- Every right of ours and of operators, whatever it is on: a function that runs as its owner or a schema to create in walks around
-- a guard as a table does; on what is ours, also every right of PUBLIC. The database is object 0, because a copy of it has another number.
create view tenantdesk.present_grants as
  with ours (oid) as materialized (select n.oid from pg_catalog.pg_namespace n where n.nspname in ('tenantdesk', 'tenantdesk_read', 'tenantdesk_write', 'tenantdesk_provision', 'tenantdesk_move', 'tenantdesk_restore')),
  acl (kind, object, attribute, items, owner) as (
    select 'relation', c.oid, '', c.relacl, c.relowner from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
      where c.relacl is not null and n.nspname !~ '^(pg_|information_schema$)'
    union all
    select 'relation', c.oid, a.attname::text, a.attacl, c.relowner from pg_catalog.pg_attribute a join pg_catalog.pg_class c on c.oid = a.attrelid
      join pg_catalog.pg_namespace n on n.oid = c.relnamespace
      where a.attacl is not null and n.nspname !~ '^(pg_|information_schema$)'
    union all
    select 'routine', p.oid, '', p.proacl, p.proowner from pg_catalog.pg_proc p join pg_catalog.pg_namespace n on n.oid = p.pronamespace
      where p.proacl is not null and n.nspname !~ '^pg_(toast_)?temp_'
    union all
    select 'schema', n.oid, '', n.nspacl, n.nspowner from pg_catalog.pg_namespace n where n.nspacl is not null and n.nspname !~ '^pg_(toast_)?temp_'
    union all
    select 'database', 0::oid, '', d.datacl, d.datdba from pg_catalog.pg_database d where d.datname = pg_catalog.current_database()
    union all
    select 'server', s.oid, '', s.srvacl, s.srvowner from pg_catalog.pg_foreign_server s)
  select distinct l.kind, l.object, l.attribute, coalesce(r.rolname::text, 'public') as role, a.privilege_type || case when a.is_grantable then ' with grant option' else '' end as privilege
    from acl l cross join lateral pg_catalog.aclexplode(l.items) a left join pg_catalog.pg_roles r on r.oid = a.grantee
    -- What an owner holds by itself appears in a list as soon as somebody else is given something.
    where a.grantee <> l.owner and (a.grantee = 0 and case l.kind when 'relation' then (select c.relnamespace from pg_catalog.pg_class c where c.oid = l.object)
        when 'routine' then (select p.pronamespace from pg_catalog.pg_proc p where p.oid = l.object) when 'schema' then l.object end in (select o.oid from ours o)
      or r.rolname in (select tenantdesk.guarded_roles()) or r.rolname in (select o.name from tenantdesk.operators o));

create function tenantdesk.name_of(kind text, object oid) returns text language sql stable set search_path = pg_catalog, pg_temp
return case kind when 'relation' then object::pg_catalog.regclass::text
  when 'routine' then 'function ' || object::pg_catalog.regprocedure::text
  when 'schema' then 'schema ' || object::pg_catalog.regnamespace::text
  when 'server' then 'foreign server ' || (select pg_catalog.quote_ident(s.srvname) from pg_catalog.pg_foreign_server s where s.oid = object)
  else kind end;

-- The views that stand for tables without row level security, as the server keeps them: text and options.
create view tenantdesk.present_views as
  select c.oid as view, pg_catalog.encode(pg_catalog.sha256(pg_catalog.convert_to(coalesce(pg_catalog.array_to_string(c.reloptions, ','), '') || w.ev_action::text, 'UTF8')), 'hex') as definition
    from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace join pg_catalog.pg_rewrite w on w.ev_class = c.oid
    where c.relkind = 'v' and n.nspname in ('tenantdesk_read', 'tenantdesk_write', 'tenantdesk_provision', 'tenantdesk_move', 'tenantdesk_restore');

-- A function that a policy or a default of the application calls, so that operators may run it, and that runs as its owner.
create view tenantdesk.lent_functions as
  select distinct tenantdesk.name_of('routine', p.oid) as object,
      'operators may run it, because a policy or a default calls it, and it runs with the rights of its owner' as why
    from tenantdesk.present_grants g join pg_catalog.pg_proc p on p.oid = g.object and p.prosecdef join pg_catalog.pg_namespace n on n.oid = p.pronamespace
    where g.kind = 'routine' and n.nspname not in ('tenantdesk', 'pg_catalog');

-- A restrictive policy for everybody also holds for the archivist: rows that it hides are in no export.
create view tenantdesk.hiding_policies as
  select 'policy ' || pg_catalog.quote_ident(p.policy) || ' on ' || p.relation::pg_catalog.regclass::text as object, r.name as relation,
      'it is restrictive and for every role, so rows that it hides are in no export' as why
    from tenantdesk.present_policies p join tenantdesk.relations r on r.relation = p.relation and r.guard = 'policy'
    where not p.permissive and not p.ours and 'public' = any (p.roles) and p.command in ('*', 'r');

-- DROP OWNED by a role that an operator may act as takes that role out of every policy, whoever owns the tables. What is left are
-- policies for everybody: they would show him every tenant. An event trigger, which a superuser makes, stops it, or a policy of ours
-- for everybody, on tables that hold the key themselves.
create view tenantdesk.drop_owned as
  select 'DROP OWNED' as object, 'no event trigger keeps operators from it, and it takes the policies away that name their roles; ' || p.relation::pg_catalog.regclass::text
        || ' has a policy for every role that would then be the only one' as why,
      'tenantdesk setup as a superuser; or tenantdesk setup --pin-public, for tables that hold the key themselves; or tenantdesk setup --except ''DROP OWNED'' --reason "why"' as fix
    from (select min(p.relation) as relation from tenantdesk.present_policies p join tenantdesk.relations r on r.relation = p.relation and r.guard = 'policy'
        where p.permissive and not p.ours and 'public' = any (p.roles)
          and not exists (select from tenantdesk.present_policies q where q.relation = p.relation and q.policy = '!tenantdesk public')) p
    where p.relation is not null
      and not exists (select from pg_catalog.pg_event_trigger t where t.evtname = 'tenantdesk_refuse_definitions' and t.evtenabled in ('O', 'A'));

-- Operators who hold a role that no session of theirs needs, here or in another database of the server.
create view tenantdesk.overheld as
  select o.name as operator, g.rolname::text as role
    from tenantdesk.operators o join pg_catalog.pg_roles l on l.rolname = o.name
      join pg_catalog.pg_auth_members m on m.member = l.oid join pg_catalog.pg_roles g on g.oid = m.roleid
    where o.database = tenantdesk.this_database() and g.rolname ~ '^tenantdesk_' and g.rolname <> 'tenantdesk_operator'
      and not tenantdesk.in_session_elsewhere(o.name)
      and g.rolname <> all (coalesce((select pg_catalog.array_agg(x.role) from tenantdesk.tenant_sessions s
        cross join lateral pg_catalog.unnest(tenantdesk.roles_for(s.purpose, s.mode)) x (role)
        where s.operator = o.name and s.ended_at is null and s.database = o.database), '{}'));

-- Roles of ours that became more than setup made them, and operators who hold a role that no session of theirs needs.
create view tenantdesk.role_drift as
  select 'role ' || pg_catalog.quote_ident(r.rolname) as object,
      case when r.rolsuper then 'it is a superuser' when r.rolbypassrls then 'it bypasses row level security' when r.rolcanlogin then 'it may log in'
        when r.rolreplication then 'it may replicate' when r.rolcreatedb then 'it may create databases' else 'it may create roles' end as fault
    from pg_catalog.pg_roles r where r.rolname in (select tenantdesk.guarded_roles())
      and (r.rolsuper or r.rolbypassrls or r.rolcanlogin or r.rolreplication or r.rolcreatedb or r.rolcreaterole and r.rolname <> 'tenantdesk_registrar')
  union all
  -- The killer is a member of each operator, and from 16 on the registrar of each group and each login that it made.
  select 'role ' || pg_catalog.quote_ident(r.rolname), 'it is a member of ' || pg_catalog.quote_ident(g.rolname)
    from pg_catalog.pg_auth_members m join pg_catalog.pg_roles r on r.oid = m.member join pg_catalog.pg_roles g on g.oid = m.roleid
    where r.rolname in (select tenantdesk.guarded_roles()) and r.rolname not in ('tenantdesk_killer', 'tenantdesk_registrar')
  union all
  select c.oid::pg_catalog.regclass::text, 'it belongs to ' || pg_catalog.pg_get_userbyid(c.relowner)
    from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    where n.nspname !~ '^(pg_|tenantdesk(_read|_write|_provision|_move|_restore|_host)?$)' and c.relkind in ('r', 'p', 'v', 'm', 'f', 'S')
      and pg_catalog.pg_get_userbyid(c.relowner) in (select tenantdesk.guarded_roles())
  union all
  select 'operator ' || pg_catalog.quote_ident(x.operator), 'it holds ' || x.role || ' without a session that needs it' from tenantdesk.overheld x;


-- What every login gets from PUBLIC and what walks around a guard. Closed by setup with consent, or excepted with a reason.
create view tenantdesk.open_doors as
  select 'database ' || pg_catalog.quote_ident(d.datname) as object, 'every login may create temporary tables and functions' as why,
      pg_catalog.format('REVOKE TEMPORARY ON DATABASE %I FROM PUBLIC', d.datname) as fix,
      -- What the application keeps; the application role is put in by setup.
      pg_catalog.format('GRANT TEMPORARY ON DATABASE %s TO %%I, tenantdesk_archivist', pg_catalog.replace(pg_catalog.quote_ident(d.datname), '%', '%%')) as keep,
      pg_catalog.format('GRANT TEMPORARY ON DATABASE %I TO PUBLIC', d.datname) as undo
    from pg_catalog.pg_database d cross join lateral pg_catalog.aclexplode(coalesce(d.datacl, pg_catalog.acldefault('d', d.datdba))) a
    where d.datname = pg_catalog.current_database() and a.grantee = 0 and a.privilege_type = 'TEMPORARY'
  union all
  select 'schema ' || pg_catalog.quote_ident(n.nspname), 'every login may create objects in it', pg_catalog.format('REVOKE CREATE ON SCHEMA %I FROM PUBLIC', n.nspname),
      pg_catalog.format('GRANT CREATE ON SCHEMA %s TO %%I', pg_catalog.replace(pg_catalog.quote_ident(n.nspname), '%', '%%')), pg_catalog.format('GRANT CREATE ON SCHEMA %I TO PUBLIC', n.nspname)
    from pg_catalog.pg_namespace n cross join lateral pg_catalog.aclexplode(n.nspacl) a
    where a.grantee = 0 and a.privilege_type = 'CREATE' and n.nspname !~ '^pg_'
  union all
  select 'function ' || p.oid::pg_catalog.regprocedure::text, 'every login may run it, and it runs with the rights of its owner',
      pg_catalog.format('REVOKE EXECUTE ON ROUTINE %s FROM PUBLIC', p.oid::pg_catalog.regprocedure),
      pg_catalog.format('GRANT EXECUTE ON ROUTINE %s TO %%I', pg_catalog.replace(p.oid::pg_catalog.regprocedure::text, '%', '%%')), pg_catalog.format('GRANT EXECUTE ON ROUTINE %s TO PUBLIC', p.oid::pg_catalog.regprocedure)
    from pg_catalog.pg_proc p join pg_catalog.pg_namespace n on n.oid = p.pronamespace
      cross join lateral pg_catalog.aclexplode(coalesce(p.proacl, pg_catalog.acldefault('f', p.proowner))) a
    -- Trigger functions, too: whoever may make a temporary table hangs them on it. And an aggregate runs its functions without asking.
    where (p.prosecdef or exists (select from pg_catalog.pg_aggregate g join pg_catalog.pg_proc s on s.prosecdef
        and s.oid in (g.aggtransfn, g.aggfinalfn, g.aggcombinefn, g.aggserialfn, g.aggdeserialfn, g.aggmtransfn, g.aggminvtransfn, g.aggmfinalfn)
        where g.aggfnoid = p.oid))
      and a.grantee = 0 and a.privilege_type = 'EXECUTE' and n.nspname !~ '^(pg_|information_schema$|tenantdesk(_read|_write|_provision|_move|_restore|_host)?$)'
  union all
  -- A role with TEMP (the application, a restore) puts a temporary table in the place of one that the function names.
  select 'search_path of function ' || f.oid::pg_catalog.regprocedure::text, 'a trigger, a policy or a default runs it as its owner, and its search_path does not end in pg_temp',
      pg_catalog.format('ALTER FUNCTION %s SET search_path = %s', f.oid::pg_catalog.regprocedure, f.closed),
      pg_catalog.replace(pg_catalog.format('ALTER FUNCTION %s SET search_path = %s', f.oid::pg_catalog.regprocedure, f.closed), '%', '%%'),
      pg_catalog.format(case when f.path is null then 'ALTER FUNCTION %s RESET search_path' else 'ALTER FUNCTION %s SET search_path = %s' end, f.oid::pg_catalog.regprocedure, coalesce(nullif(f.path, ''), ''''''))
    from (select p.oid, c.path, pg_catalog.concat_ws(', ', nullif(coalesce(c.path, pg_catalog.quote_ident(n.nspname)), ''), 'pg_temp') as closed
      from pg_catalog.pg_proc p join pg_catalog.pg_namespace n on n.oid = p.pronamespace
        left join lateral (
          -- Each schema in quotes of its own: FROM CURRENT keeps whatever text a setting held, and this becomes a statement of setup.
          select coalesce((select pg_catalog.string_agg(pg_catalog.quote_ident(case when e.name ~ '^".*"$' then pg_catalog.replace(pg_catalog.substr(e.name, 2, pg_catalog.length(e.name) - 2), '""', '"')
                else e.name end), ', ' order by e.place)
              from (select pg_catalog.btrim(y.name) as name, y.place from pg_catalog.unnest(pg_catalog.string_to_array(pg_catalog.substr(x, 13), ',')) with ordinality y (name, place)) e
              where e.name not in ('', '""')), '') as path
            from pg_catalog.unnest(p.proconfig) x where x like 'search_path=%') c on true
      where p.prosecdef and n.nspname !~ '^(pg_|information_schema$|tenantdesk(_read|_write|_provision|_move|_restore|_host)?$)'
        and (exists (select from pg_catalog.pg_trigger t where t.tgfoid = p.oid and not t.tgisinternal)
          or exists (select from pg_catalog.pg_depend d where d.refclassid = 'pg_catalog.pg_proc'::pg_catalog.regclass and d.refobjid = p.oid
            and d.classid in ('pg_catalog.pg_policy'::pg_catalog.regclass, 'pg_catalog.pg_attrdef'::pg_catalog.regclass, 'pg_catalog.pg_constraint'::pg_catalog.regclass)))) f
    where f.path is null or f.path !~ '(^|, )"?pg_temp"?$'
  union all
  select 'column ' || c.oid::pg_catalog.regclass::text || '.' || pg_catalog.quote_ident(t.attname) || ' (' || pg_catalog.lower(a.privilege_type) || ')', 'every login may ' || pg_catalog.lower(a.privilege_type) || ' it',
      pg_catalog.format('REVOKE %s (%I) ON %s FROM PUBLIC', a.privilege_type, t.attname, c.oid::pg_catalog.regclass),
      pg_catalog.format('GRANT %s (%s) ON %s TO %%I', a.privilege_type, pg_catalog.replace(pg_catalog.quote_ident(t.attname), '%', '%%'), c.oid::pg_catalog.regclass),
      pg_catalog.format('GRANT %s (%I) ON %s TO PUBLIC', a.privilege_type, t.attname, c.oid::pg_catalog.regclass)
    from pg_catalog.pg_attribute t join pg_catalog.pg_class c on c.oid = t.attrelid join pg_catalog.pg_namespace n on n.oid = c.relnamespace
      cross join lateral pg_catalog.aclexplode(t.attacl) a left join tenantdesk.relations r on r.relation = c.oid
    where t.attacl is not null and a.grantee = 0 and n.nspname !~ '^(pg_|information_schema$|tenantdesk(_read|_write|_provision|_move|_restore|_host)?$)'
      and not (a.privilege_type = 'SELECT' and coalesce(r.class, '') = 'global')
  union all
  select 'relation ' || c.oid::pg_catalog.regclass::text, 'every login may ' || pg_catalog.lower(pg_catalog.string_agg(distinct a.privilege_type, ', ')) || ' it',
      pg_catalog.format('REVOKE ALL ON %s %s FROM PUBLIC', case c.relkind when 'S' then 'SEQUENCE' else 'TABLE' end, c.oid::pg_catalog.regclass),
      pg_catalog.format('GRANT %s ON %s %s TO %%I', pg_catalog.string_agg(distinct a.privilege_type, ', '), case c.relkind when 'S' then 'SEQUENCE' else 'TABLE' end, c.oid::pg_catalog.regclass),
      pg_catalog.format('GRANT %s ON %s %s TO PUBLIC', pg_catalog.string_agg(distinct a.privilege_type, ', '), case c.relkind when 'S' then 'SEQUENCE' else 'TABLE' end, c.oid::pg_catalog.regclass)
    from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace cross join lateral pg_catalog.aclexplode(c.relacl) a
      left join tenantdesk.relations r on r.relation = c.oid
    where a.grantee = 0 and n.nspname !~ '^(pg_|information_schema$|tenantdesk(_read|_write|_provision|_move|_restore|_host)?$)' and c.relkind in ('r', 'p', 'v', 'm', 'f', 'S')
      and not (a.privilege_type = 'SELECT' and (coalesce(r.class, '') = 'global' or exists (select from pg_catalog.pg_depend x
        where x.classid = 'pg_catalog.pg_class'::pg_catalog.regclass and x.objid = c.oid and x.deptype = 'e')))
    group by c.oid
  union all
  select 'foreign server ' || pg_catalog.quote_ident(s.srvname), 'every login may use it', pg_catalog.format('REVOKE USAGE ON FOREIGN SERVER %I FROM PUBLIC', s.srvname),
      pg_catalog.format('GRANT USAGE ON FOREIGN SERVER %s TO %%I', pg_catalog.replace(pg_catalog.quote_ident(s.srvname), '%', '%%')), pg_catalog.format('GRANT USAGE ON FOREIGN SERVER %I TO PUBLIC', s.srvname)
    from pg_catalog.pg_foreign_server s cross join lateral pg_catalog.aclexplode(s.srvacl) a
    where a.grantee = 0 and a.privilege_type = 'USAGE';

-- A policy of the application reads a table that operators may not read: where it applies, their sessions fail.
create view tenantdesk.unreadable_policies as
  select distinct 'policy ' || pg_catalog.quote_ident(p.policy) || ' on ' || r.name as object,
      'it reads ' || d.refobjid::pg_catalog.regclass::text || ', which operators may not, and their sessions fail on ' || r.name as why,
      'tenantdesk tables explain ' || pg_catalog.quote_literal(d.refobjid::pg_catalog.regclass::text) || ': give it a class, or row level security' as fix
    from tenantdesk.present_policies p join tenantdesk.relations r on r.relation = p.relation and r.guard = 'policy'
      join pg_catalog.pg_policy y on y.polrelid = p.relation and y.polname = p.policy
      join pg_catalog.pg_depend d on d.classid = 'pg_catalog.pg_policy'::pg_catalog.regclass and d.objid = y.oid
        and d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass and d.refobjid <> p.relation
      join pg_catalog.pg_class c on c.oid = d.refobjid and c.relkind in ('r', 'p', 'v')
    where not p.ours and p.command in ('*', 'r') and ('tenantdesk_reader' = any (p.roles) or 'public' = any (p.roles))
      and not pg_catalog.has_any_column_privilege('tenantdesk_reader', d.refobjid, 'SELECT');

-- Everything that setup reports and that can be excepted.
create view tenantdesk.reported as
  select d.object, d.why, d.fix from tenantdesk.open_doors d
  union all select d.object, d.why, d.fix from tenantdesk.drop_owned d
  union all select l.object, l.why, pg_catalog.format('tenantdesk setup --except %s --reason "why it is safe"', pg_catalog.quote_literal(l.object)) from tenantdesk.lent_functions l
  union all select h.object, h.why, pg_catalog.format('tenantdesk setup --except %s --reason "why it may hide rows"', pg_catalog.quote_literal(h.object)) from tenantdesk.hiding_policies h
  union all select u.object, u.why, u.fix from tenantdesk.unreadable_policies u;

-- Records the installation; called by setup as its last step, in the transaction that made it.
create function tenantdesk.seal_guard() returns void language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  delete from tenantdesk.guard_policies;
  insert into tenantdesk.guard_policies select p.* from tenantdesk.present_policies p
    where p.ours or exists (select from pg_catalog.unnest(p.roles) r where r in (select tenantdesk.guarded_roles()));
  delete from tenantdesk.guard_grants;
  insert into tenantdesk.guard_grants select g.* from tenantdesk.present_grants g;
  delete from tenantdesk.guard_views;
  insert into tenantdesk.guard_views select v.* from tenantdesk.present_views v;
end $$;

-- Compiling its hundreds of expressions takes 270 ms, running them 20: every opening asks it.
create function tenantdesk.all_faults() returns table (object text, fault text) language sql stable security definer
set search_path = pg_catalog, pg_temp set jit = off
begin atomic
  with policies as materialized (select p.* from tenantdesk.present_policies p),
    grants as materialized (select g.* from tenantdesk.present_grants g)
  select 'tenantdesk', 'the guard was never installed' where not exists (select from tenantdesk.guard_policies union all select from tenantdesk.guard_grants)
  union all
  select r.name, 'the relation is gone' from tenantdesk.relations r
    where not exists (select from pg_catalog.pg_class c where c.oid = r.relation)
  union all
  select r.name, 'row level security is off' from tenantdesk.relations r join pg_catalog.pg_class c on c.oid = r.relation
    where r.guard = 'policy' and not c.relrowsecurity
  union all
  select coalesce(g.relation::pg_catalog.regclass::text, '?'), 'policy ' || pg_catalog.quote_ident(g.policy) || ' is missing or was changed'
    from tenantdesk.guard_policies g where not exists (
      select from policies p where p.relation = g.relation and p.policy = g.policy and p.command = g.command
        and p.permissive = g.permissive and p.roles = g.roles and p.qual is not distinct from g.qual and p.with_check is not distinct from g.with_check)
      and exists (select from pg_catalog.pg_class c where c.oid = g.relation)
  union all
  select p.relation::pg_catalog.regclass::text, 'policy ' || pg_catalog.quote_ident(p.policy) || ' names our roles and is not of setup'
    from policies p
    where (p.ours or exists (select from pg_catalog.unnest(p.roles) r where r = any (array(select tenantdesk.guarded_roles()))))
      and not exists (select from tenantdesk.guard_policies g where g.relation = p.relation and g.policy = p.policy)
  union all
  -- A restrictive policy of the application that does not name our roles would show an operator more than the application sees.
  select p.relation::pg_catalog.regclass::text, 'policy ' || pg_catalog.quote_ident(p.policy) || ' holds for the application and not for operators'
    from policies p join tenantdesk.relations r on r.relation = p.relation and r.guard = 'policy'
    where not p.permissive and not p.ours and not ('public' = any (p.roles))
      and not exists (select from tenantdesk.guard_policies g where g.relation = p.relation and g.policy = p.policy)
      and exists (select from pg_catalog.unnest(p.roles) x
        where pg_catalog.pg_has_role((select m.document ->> 'application_role' from tenantdesk.map m), x, 'member'))
  union all
  select tenantdesk.name_of(p.kind, p.object), p.role || ' has ' || p.privilege || ' and setup did not give it'
    from grants p where not exists (select from tenantdesk.guard_grants g
      where g.kind = p.kind and g.object = p.object and g.attribute = p.attribute and g.role = p.role and g.privilege = p.privilege)
  union all
  select coalesce(tenantdesk.name_of(g.kind, g.object), '?'), g.role || ' lost ' || g.privilege
    from tenantdesk.guard_grants g where not exists (select from grants p
      where g.kind = p.kind and g.object = p.object and g.attribute = p.attribute and g.role = p.role and g.privilege = p.privilege)
      and (g.kind <> 'relation' or exists (select from pg_catalog.pg_class c where c.oid = g.object))
  union all
  select r.name, 'the view runs as its owner' from tenantdesk.relations r join pg_catalog.pg_class c on c.oid = r.relation
    where c.relkind = 'v' and r.class <> 'excluded' and not coalesce(c.reloptions && array['security_invoker=true', 'security_invoker=on', 'security_invoker=1'], false)
  union all
  select d.object, d.fault from tenantdesk.role_drift d
  union all
  select r.name, 'the guarded view is gone' from tenantdesk.relations r join pg_catalog.pg_class c on c.oid = r.relation
    where r.guard = 'view' and not exists (select from pg_catalog.pg_class v join pg_catalog.pg_namespace n on n.oid = v.relnamespace
      where n.nspname = 'tenantdesk_read' and v.relname = r.view and v.relkind = 'v')
  union all
  select tenantdesk.name_of('relation', g.view), 'the guarded view was changed' from tenantdesk.guard_views g
    where not exists (select from tenantdesk.present_views v where v.view = g.view and v.definition = g.definition)
      and exists (select from pg_catalog.pg_class c where c.oid = g.view)
  union all
  -- A view keeps the columns that it was made with: what was added since would be missing in every export.
  select r.name, 'column ' || pg_catalog.quote_ident(a.attname) || ' is new, and the guarded views do not show it'
    from tenantdesk.relations r join pg_catalog.pg_class c on c.oid = r.relation
      join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
      join pg_catalog.pg_class v on v.relname = r.view and v.relnamespace = (select n.oid from pg_catalog.pg_namespace n where n.nspname = 'tenantdesk_read')
    where r.guard = 'view' and not exists (select from pg_catalog.pg_attribute b where b.attrelid = v.oid and b.attname = a.attname)
  union all
  select o.object, o.why from tenantdesk.drop_owned o where not exists (select from tenantdesk.exceptions e where e.object = o.object)
  union all
  select l.object, l.why from tenantdesk.lent_functions l where not exists (select from tenantdesk.exceptions e where e.object = l.object)
  union all
  select d.object, d.why from tenantdesk.open_doors d where not exists (select from tenantdesk.exceptions e where e.object = d.object);
end;

-- While the guard is suspended, that is all there is to say.
create function tenantdesk.faults() returns table (object text, fault text) language plpgsql stable security definer
set search_path = pg_catalog, pg_temp as $$
declare
  suspended constant text := (select c.value from tenantdesk.configuration c where c.name = 'setup.suspended');
begin
  if suspended is not null then
    return query select 'tenantdesk'::text, 'the guard is suspended (' || suspended || '); `tenantdesk setup --resume` puts it back';
  else
    return query select f.object, f.fault from tenantdesk.all_faults() f;
  end if;
end $$;

create function tenantdesk.map_document() returns jsonb language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
  perform tenantdesk.require('viewer', 'reading the relation map', true);
  return (select m.document from tenantdesk.map m);
end $$;

-- What the application's own setting of this transaction says of the tenant, or null: a text, or a claim of a JSON document
-- (`setting#claim`, `setting#outer.inner`).
create function tenantdesk.application_tenant() returns text language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
  named text := (select m.document ->> 'tenant_setting' from tenantdesk.map m);
  said text := nullif(pg_catalog.current_setting(pg_catalog.split_part(named, '#', 1), true), '');
begin
  if pg_catalog.strpos(named, '#') > 0 then
    said := said::jsonb #>> pg_catalog.string_to_array(pg_catalog.split_part(named, '#', 2), '.');
  end if;
  return said;
exception when invalid_text_representation then
  return null;
end $$;

-- The decisions, and what else setup wants to know of an installation.
create function tenantdesk.decision_document() returns jsonb language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
  perform tenantdesk.require('viewer', 'reading the relation map', true);
  return (select d.document from tenantdesk.decisions d);
end $$;

-- Setup turns the map into statements of the owner's: whoever shapes it acts as he does.
create function tenantdesk.require_manager(what text) returns void language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
  if not tenantdesk.is_manager() then
    raise exception '% is for who owns the database or ran setup', what using errcode = '42501';
  end if;
end $$;

-- `based_on` is the document that the decision was made from: two at once do not lose each other.
create function tenantdesk.decide(document jsonb, based_on jsonb, object text, request uuid) returns void language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  perform tenantdesk.require_manager('deciding about the relation map');
  lock table tenantdesk.decisions in share row exclusive mode;
  if decide.based_on is distinct from (select d.document from tenantdesk.decisions d) then
    raise exception 'somebody else decided at the same moment' using errcode = '40001', hint = 'decide once more';
  end if;
  insert into tenantdesk.decisions (document) values (decide.document)
    on conflict (only_row) do update set document = excluded.document, decided_at = pg_catalog.clock_timestamp(), decided_by = session_user;
  perform tenantdesk.append('installation', 'tables.set', decide.object, 'ok', 'database', null, decide.request, null);
end $$;

-- An exception is a door that stays open, with a reason that stands in the ledger.
create function tenantdesk.except_object(object text, reason text, request uuid) returns void language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  perform tenantdesk.require_manager('excepting an object from the guard');
  if not exists (select from tenantdesk.reported r where r.object = except_object.object) and not exists (select from tenantdesk.exceptions e where e.object = except_object.object) then
    raise exception 'setup reports no %', except_object.object using errcode = 'P0002', hint = 'tenantdesk setup names what can be excepted, word for word';
  end if;
  insert into tenantdesk.exceptions (object, reason) values (except_object.object, except_object.reason)
    on conflict on constraint exceptions_pkey do update set reason = excluded.reason, added_by = session_user, added_at = pg_catalog.clock_timestamp();
  perform tenantdesk.append('installation', 'setup.except', except_object.object, 'ok', 'database', null, except_object.request, except_object.reason);
end $$;

-- What the installation was made from; setup has nothing to do where the program would make the same.
create function tenantdesk.setup_fingerprint() returns text language sql stable security definer
set search_path = pg_catalog, pg_temp
return (select c.value from tenantdesk.configuration c where c.name = 'setup.fingerprint');

-- How the installation stands, for setup.
create function tenantdesk.setup_state() returns table (manager boolean, suspended text, limits text, close_doors text, pin_public text, fingerprint text, guard text, migrations bigint, excepted text[])
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
  select tenantdesk.is_manager(),
    (select c.value from tenantdesk.configuration c where c.name = 'setup.suspended'), (select c.value from tenantdesk.configuration c where c.name = 'setup.limits'),
    (select c.value from tenantdesk.configuration c where c.name = 'setup.close_doors'), (select c.value from tenantdesk.configuration c where c.name = 'setup.pin_public'),
    (select c.value from tenantdesk.configuration c where c.name = 'setup.fingerprint'),
    (select c.value from tenantdesk.configuration c where c.name = 'setup.guard'), (select pg_catalog.count(*) from tenantdesk.migrations m), array(select e.object from tenantdesk.exceptions e);
end;

create function tenantdesk.relation_list() returns table (name text, class text, key text, path jsonb, reason text, guard text, rows_estimate bigint, view text)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
  perform tenantdesk.require('viewer', 'reading the relation map', true);
  -- A partitioned table is the sum of its partitions; a table that was never analyzed has no estimate.
  return query select r.name, r.class, r.key, r.path, r.reason, r.guard,
      case when own.relkind = 'p' then (select pg_catalog.sum(greatest(c.reltuples, 0))::bigint
          from pg_catalog.pg_partition_tree(r.relation) t join pg_catalog.pg_class c on c.oid = t.relid where t.isleaf)
        when own.reltuples >= 0 then own.reltuples::bigint end, r.view
    from tenantdesk.relations r left join pg_catalog.pg_class own on own.oid = r.relation
    order by pg_catalog.array_position(array['root', 'keyed', 'derived', 'linked', 'global', 'excluded'], r.class), r.name;
end $$;

grant execute on function tenantdesk.setup_state, tenantdesk.decision_document, tenantdesk.decide, tenantdesk.except_object to tenantdesk_operator;
grant execute on function tenantdesk.faults, tenantdesk.setup_fingerprint, tenantdesk.map_document, tenantdesk.relation_list to tenantdesk_operator;
