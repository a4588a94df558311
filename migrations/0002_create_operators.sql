-- Operators: personal logins with a level per database. Group roles alone mean nothing, because
-- roles are shared by all databases of a server; every function checks this table by session_user.

set local role tenantdesk_owner;

create table tenantdesk.operators (
  name text primary key,
  level text not null constraint operators_level check (level in ('viewer', 'support', 'approver', 'admin')),
  shared boolean not null default false,
  added_at timestamptz not null default pg_catalog.clock_timestamp(),
  added_by text not null default session_user,
  -- Locked: nothing answers this login any more. Removed: its sessions are ended and its rights gone as well.
  disabled_at timestamptz,
  disabled_by text,
  removed_at timestamptz,
  -- A copy of this database (CREATE DATABASE .. TEMPLATE) gives nobody a level in the copy.
  database oid not null,
  -- The login itself: another one may have the name later.
  login oid not null
);

-- What may be set per installation; read by functions, changed by admins.
create table tenantdesk.configuration (
  name text primary key,
  value text not null,
  -- Where it was said: what names a login says nothing in a copy of the database.
  database oid not null
);

-- These are asked in every call, and so in plpgsql: it keeps its plans, where a function in SQL with a path of its own is
-- planned anew each time.
create function tenantdesk.this_database() returns oid language plpgsql stable parallel safe
set search_path = pg_catalog, pg_temp as $$
begin
  return (select d.oid from pg_catalog.pg_database d where d.datname = pg_catalog.current_database());
end $$;

create function tenantdesk.note_the_database() returns trigger language plpgsql
set search_path = pg_catalog, pg_temp as $$
begin
  new.database := tenantdesk.this_database();
  return new;
end $$;
create trigger configuration_notes_the_database before insert or update on tenantdesk.configuration
  for each row execute function tenantdesk.note_the_database();
insert into tenantdesk.configuration (name, value) values
  ('impersonation.default_minutes', '15'),
  ('impersonation.longest_minutes', '60');

create function tenantdesk.rank(level text) returns integer language plpgsql immutable parallel safe
set search_path = pg_catalog, pg_temp as $$
begin
  return case rank.level when 'viewer' then 1 when 'support' then 2 when 'approver' then 3 when 'admin' then 4 end;
end $$;

-- The level of the login that is connected, or null.
create function tenantdesk.level() returns text language plpgsql stable security definer
set search_path = pg_catalog, pg_temp as $$
begin
  return (select o.level from tenantdesk.operators o
    where o.name = session_user and o.disabled_at is null and o.database = tenantdesk.this_database());
end $$;

-- Refuses whoever has less than a level. The owner of this database may pass where `manager` is
-- true: it manages the installation, and opens no tenant session.
create function tenantdesk.require(level text, what text, manager boolean default false) returns void
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
  have text := tenantdesk.level();
begin
  -- An older snapshot does not see that a level was taken away; what only reads may have one.
  if pg_catalog.current_setting('transaction_isolation') <> 'read committed' and pg_catalog.current_setting('transaction_read_only') = 'off' then
    raise exception '% is done under READ COMMITTED only', what using errcode = '25001';
  end if;
  if tenantdesk.rank(have) >= tenantdesk.rank(require.level) then
    return;
  end if;
  if manager and tenantdesk.is_manager() then
    return;
  end if;
  raise exception '% needs level %, and % has %', what, require.level, session_user,
    coalesce('level ' || have, 'no level in this database')
    using errcode = '42501', hint = 'an admin can run: tenantdesk operator level ' || session_user || ' ' || require.level;
end $$;

-- The owner of this database, or the login that ran setup in it: by number, so that neither a login that was made anew
-- under the old name counts, nor the one that set up the database of which this is a copy.
create function tenantdesk.is_manager() returns boolean language plpgsql stable security definer
set search_path = pg_catalog, pg_temp as $$
begin
  return exists (select from pg_catalog.pg_database d
    where d.datname = pg_catalog.current_database() and pg_catalog.pg_get_userbyid(d.datdba) = session_user)
    or exists (select from pg_catalog.pg_roles r where r.rolname = session_user and r.rolsuper)
    or exists (select from tenantdesk.configuration c join pg_catalog.pg_roles r on r.oid::text = c.value
      where c.name = 'setup.manager' and c.database = tenantdesk.this_database() and r.rolname = session_user);
end $$;

-- Logins belong to the whole server, and one function sees one database only. So each database that knows a login says so
-- where all can see it: by a role of its own, without any right, that is a member of the login. It goes by the number of
-- the database: a copy is another one, and what a dropped database said counts no more.
create function tenantdesk.mark_of(database oid) returns text language sql immutable parallel safe
set search_path = pg_catalog, pg_temp
return 'tenantdesk_database_' || database::text;

-- Another database of this server of which the login is an operator, or null.
create function tenantdesk.known_elsewhere(login text) returns text language plpgsql stable security definer
set search_path = pg_catalog, pg_temp as $$
begin
  return (select pg_catalog.min(d.datname::text) from pg_catalog.pg_auth_members m
    join pg_catalog.pg_roles r on r.oid = m.roleid join pg_catalog.pg_roles g on g.oid = m.member
    join pg_catalog.pg_database d on g.rolname = tenantdesk.mark_of(d.oid)
    where r.rolname = known_elsewhere.login and d.datname <> pg_catalog.current_database());
end $$;

-- The roles of a session are of the whole server as well. So while a login has one, the database says so in the same way:
-- another one neither takes its roles nor calls them a fault.
create function tenantdesk.session_mark_of(database oid) returns text language sql immutable parallel safe
set search_path = pg_catalog, pg_temp
return 'tenantdesk_sessions_' || database::text;

create function tenantdesk.in_session_elsewhere(login text) returns boolean language plpgsql stable security definer
set search_path = pg_catalog, pg_temp as $$
begin
  return exists (select from pg_catalog.pg_auth_members m
    join pg_catalog.pg_roles r on r.oid = m.roleid join pg_catalog.pg_roles g on g.oid = m.member
    join pg_catalog.pg_database d on g.rolname = tenantdesk.session_mark_of(d.oid)
    where r.rolname = in_session_elsewhere.login and d.datname <> pg_catalog.current_database());
end $$;

-- What anybody can do to a login to make it look powerful: grants on his own temporary objects, on objects that he will
-- make, and in other databases. It gives no way past the guard of this one.
create function tenantdesk.is_passing(database oid, class oid, object oid) returns boolean language plpgsql stable
set search_path = pg_catalog, pg_temp as $$
begin
  return (is_passing.database <> 0 and is_passing.database <> tenantdesk.this_database())
    or is_passing.class = 'pg_catalog.pg_default_acl'::pg_catalog.regclass
    or exists (select from pg_catalog.pg_namespace n where n.nspname ~ '^pg_(toast_)?temp_' and n.oid = case
      when is_passing.class = 'pg_catalog.pg_namespace'::pg_catalog.regclass then is_passing.object
      when is_passing.class = 'pg_catalog.pg_class'::pg_catalog.regclass then (select c.relnamespace from pg_catalog.pg_class c where c.oid = is_passing.object)
      when is_passing.class = 'pg_catalog.pg_type'::pg_catalog.regclass then (select t.typnamespace from pg_catalog.pg_type t where t.oid = is_passing.object)
      when is_passing.class = 'pg_catalog.pg_proc'::pg_catalog.regclass then (select p.pronamespace from pg_catalog.pg_proc p where p.oid = is_passing.object) end);
end $$;

-- Why a login could escape from the guard, or null. Asked when an operator is added, when a session is opened, by doctor.
create function tenantdesk.too_powerful(login text) returns text language sql stable security definer
set search_path = pg_catalog, pg_temp
return (
  select case
    when r.rolsuper then 'it is a superuser'
    when r.rolbypassrls then 'it bypasses row level security'
    when r.rolcreaterole then 'it may create roles'
    when r.rolcreatedb then 'it may create databases'
    when r.rolreplication then 'it may replicate'
    when r.rolinherit then 'it inherits the rights of its roles'
    when exists (select from pg_catalog.pg_auth_members m join pg_catalog.pg_roles g on g.oid = m.roleid
      where m.member = r.oid and g.rolname !~ '^tenantdesk_(operator|reader|inserter|changer|provisioner|archivist|archive_inserter|archive_changer)$')
      then 'it is a member of ' || (select pg_catalog.string_agg(g.rolname, ', ') from pg_catalog.pg_auth_members m
        join pg_catalog.pg_roles g on g.oid = m.roleid where m.member = r.oid and g.rolname !~ '^tenantdesk_')
    when exists (select from pg_catalog.pg_auth_members m where m.member = r.oid and m.admin_option)
      then 'it may grant its roles to others'
    when exists (select from pg_catalog.pg_shdepend d where d.refclassid = 'pg_catalog.pg_authid'::pg_catalog.regclass
      and d.refobjid = r.oid and d.deptype = 'o' and d.classid <> 'pg_catalog.pg_auth_members'::pg_catalog.regclass
      and not tenantdesk.is_passing(d.dbid, d.classid, d.objid)) then 'it owns objects'
    when exists (select from pg_catalog.pg_shdepend d where d.refclassid = 'pg_catalog.pg_authid'::pg_catalog.regclass
      and d.refobjid = r.oid and d.deptype = 'a' and d.classid <> 'pg_catalog.pg_auth_members'::pg_catalog.regclass
      and not tenantdesk.is_passing(d.dbid, d.classid, d.objid)) then 'it was granted rights of its own'
  end
  from pg_catalog.pg_roles r where r.rolname = login);

create function tenantdesk.whoami() returns table (operator text, level text, shared boolean, manager boolean)
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
  select session_user::text, tenantdesk.level(),
    -- The login of an owner or of setup is nobody's own.
    coalesce((select o.shared from tenantdesk.operators o where o.name = session_user and o.disabled_at is null
      and o.database = tenantdesk.this_database()), true) or tenantdesk.is_manager(), tenantdesk.is_manager();
end;

create function tenantdesk.operators() returns table (name text, level text, shared boolean, added_at timestamptz, added_by text)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
  perform tenantdesk.require('viewer', 'listing operators', true);
  return query select o.name, o.level, o.shared, o.added_at, o.added_by from tenantdesk.operators o
    where o.disabled_at is null and o.database = tenantdesk.this_database() order by o.name;
end $$;

grant create on schema tenantdesk to tenantdesk_registrar, tenantdesk_killer, tenantdesk_meter;
grant select, insert, update, delete on tenantdesk.operators to tenantdesk_registrar;
grant execute on function tenantdesk.require, tenantdesk.level, tenantdesk.too_powerful, tenantdesk.this_database, tenantdesk.is_manager, tenantdesk.rank,
    tenantdesk.mark_of, tenantdesk.known_elsewhere, tenantdesk.session_mark_of, tenantdesk.in_session_elsewhere
  to tenantdesk_registrar, tenantdesk_killer, tenantdesk_ledger, tenantdesk_meter;
grant execute on function tenantdesk.whoami, tenantdesk.operators to tenantdesk_operator;
-- The manager (who owns the database) calls these by name as well; setup grants him the group's functions.
