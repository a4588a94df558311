-- Making and removing operators: definer functions of the registrar, the one role that may create roles.
-- No operator may: on PostgreSQL 15 a login with CREATEROLE is a shell on the host.

set local role tenantdesk_owner;
create function tenantdesk.end_all(of_operator text, of_tenant text, why text) returns setof bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp set lock_timeout = '3s' as $$
declare
  gone tenantdesk.tenant_sessions;
begin
  for gone in
    update tenantdesk.tenant_sessions s set ended_at = pg_catalog.clock_timestamp(), ended_by = session_user, end_reason = why
    where s.ended_at is null and s.database = tenantdesk.this_database()
      and (s.operator = of_operator or s.tenant = of_tenant) returning s.*
  loop
    perform tenantdesk.append('tenant:' || gone.tenant, gone.purpose || '.end', gone.operator, why, 'database', gone.id, gone.request, null);
    perform tenantdesk.set_rights(gone.operator);
    return next gone.id;
  end loop;
end $$;
grant execute on function tenantdesk.end_all to tenantdesk_registrar;

set local role tenantdesk_registrar;
-- The rows of a copied database name operators of the original: they are not this database's to change or drop.

-- Only a verifier is taken: a password in clear text would be in the server's log and in its statistics.
create function tenantdesk.check_verifier(verifier text) returns void
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
begin
  if verifier !~ '^SCRAM-SHA-256\$\d+:[A-Za-z0-9+/=]+\$[A-Za-z0-9+/=]+:[A-Za-z0-9+/=]+$' then
    raise exception 'only a SCRAM verifier is taken' using errcode = '22023', hint = 'passwords never travel in clear text';
  end if;
end $$;

-- Refuses a login that exists, unless an installation of ours in another database of this server made it and it is
-- nothing but an operator: a level is per database, the login is the person's on the whole server.
create function tenantdesk.check_joining(name text) returns void
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
declare
  weak text;
begin
  if exists (select from tenantdesk.operators o where o.name = check_joining.name and o.disabled_at is null and o.database = tenantdesk.this_database()) then
    raise exception '% is an operator of this database already', check_joining.name using errcode = '42710',
      hint = 'tenantdesk operator level and tenantdesk operator password change one';
  end if;
  if not pg_catalog.pg_has_role(check_joining.name, 'tenantdesk_operator', 'member')
    or not exists (select from pg_catalog.pg_auth_members m join pg_catalog.pg_roles r on r.oid = m.roleid join pg_catalog.pg_roles g on g.oid = m.member
      where r.rolname = check_joining.name and g.rolname = 'tenantdesk_killer')
    or not exists (select from pg_catalog.pg_auth_members m join pg_catalog.pg_roles r on r.oid = m.roleid join pg_catalog.pg_roles g on g.oid = m.member
      where r.rolname = check_joining.name and g.rolname ~ '^tenantdesk_database_[0-9]+$') then
    raise exception 'the role % exists already, and an existing login is never adopted', check_joining.name
      using errcode = '42710', hint = 'choose another name for the operator';
  end if;
  weak := tenantdesk.too_powerful(check_joining.name);
  if weak is not null then
    raise exception 'the login % could escape from the guard: %', check_joining.name, weak
      using errcode = '42501', hint = 'choose another name for the operator';
  end if;
  if not (select r.rolcanlogin from pg_catalog.pg_roles r where r.rolname = check_joining.name) then
    raise exception 'the login % is locked: it is being removed', check_joining.name using errcode = '55000',
      hint = 'repeat tenantdesk operator remove where it was begun, or choose another name';
  end if;
end $$;

-- Creates a login, or gives a level here to one that another database's operators have (then false: its password stays as
-- it is). Sixteen connections are enough for one person, and too few to keep the application out. `verifier` is a SCRAM
-- verifier, or null where the server knows the person by other means (peer, certificate).
create function tenantdesk.operator_add(name text, level text, verifier text, shared boolean, request uuid) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp set lock_timeout = '3s' as $$
#variable_conflict use_column
declare
  made boolean;
  role_name text;
  mark constant text := tenantdesk.mark_of(tenantdesk.this_database());
begin
  perform tenantdesk.require('admin', 'adding an operator', true);
  if operator_add.name is null or operator_add.name !~ '^[a-z][a-z0-9_-]{0,62}$' or operator_add.name ~ '^(pg|tenantdesk)_'
     or operator_add.name in ('public', 'none', 'current_user', 'session_user', 'installation') then
    raise exception 'no operator can be named %', operator_add.name using errcode = '22023',
      hint = 'use 1 to 63 of a-z, 0-9, _ and -, starting with a letter, not pg_.. or tenantdesk_..';
  end if;
  if tenantdesk.rank(operator_add.level) is null then
    raise exception 'no level %', operator_add.level using errcode = '22023', hint = 'levels are viewer, support, approver and admin';
  end if;
  perform tenantdesk.check_verifier(operator_add.verifier);
  -- One change of operators at a time.
  lock table tenantdesk.operators in share row exclusive mode;
  made := not exists (select from pg_catalog.pg_roles r where r.rolname = operator_add.name);
  if made then
    execute pg_catalog.format('create role %I login noinherit nosuperuser nocreatedb nocreaterole noreplication nobypassrls connection limit 16%s', operator_add.name,
      case when operator_add.verifier is null then '' else pg_catalog.format(' password %L', operator_add.verifier) end);
    execute pg_catalog.format('grant tenantdesk_operator to %I', operator_add.name);
    execute pg_catalog.format('grant %I to tenantdesk_killer', operator_add.name);
  else
    perform tenantdesk.check_joining(operator_add.name);
  end if;
  -- Both here, so that two first sessions at once do not both make the other one.
  foreach role_name in array array[mark, tenantdesk.session_mark_of(tenantdesk.this_database())] loop
    if not exists (select from pg_catalog.pg_roles r where r.rolname = role_name) then
      execute pg_catalog.format('create role %I nologin noinherit', role_name);
    end if;
  end loop;
  execute pg_catalog.format('grant %I to %I', operator_add.name, mark);
  insert into tenantdesk.operators (name, level, shared, database, login)
    values (operator_add.name, operator_add.level, coalesce(operator_add.shared, false), tenantdesk.this_database(),
      (select r.oid from pg_catalog.pg_roles r where r.rolname = operator_add.name))
    on conflict (name) do update set level = excluded.level, shared = excluded.shared, added_at = pg_catalog.clock_timestamp(),
      added_by = session_user, disabled_at = null, disabled_by = null, removed_at = null, database = excluded.database, login = excluded.login;
  perform tenantdesk.append('installation', 'operator.add', operator_add.name, operator_add.level, 'database', null, operator_add.request,
    case when made then null else pg_catalog.jsonb_build_object('login', 'made by another database of this server')::text end);
  return made;
end $$;

-- A new password for an operator of this database. Not where another database knows the login too: whoever sets it could
-- be that person there.
create function tenantdesk.operator_password(name text, verifier text, request uuid) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp set lock_timeout = '3s' as $$
#variable_conflict use_column
begin
  perform tenantdesk.require('admin', 'setting a password', true);
  if operator_password.verifier is null then
    raise exception 'a new password needs a SCRAM verifier' using errcode = '22004';
  end if;
  perform tenantdesk.check_verifier(operator_password.verifier);
  if not exists (select from tenantdesk.operators o join pg_catalog.pg_roles r on r.oid = o.login and r.rolname = o.name
      where o.name = operator_password.name and o.disabled_at is null and o.database = tenantdesk.this_database()) then
    raise exception 'operator % not found', operator_password.name using errcode = 'P0002', hint = 'tenantdesk operator list shows them';
  end if;
  if tenantdesk.known_elsewhere(operator_password.name) is not null then
    raise exception 'another database of this server knows % as well, and its password is not set from here', operator_password.name
      using errcode = '42501', hint = 'they set it themselves, with \password in psql';
  end if;
  execute pg_catalog.format('alter role %I password %L', operator_password.name, operator_password.verifier);
  perform tenantdesk.append('installation', 'operator.password', operator_password.name, 'ok', 'database', null, operator_password.request, null);
end $$;

-- Gives the sessions that it ended: their connections are to be closed once this is committed.
create function tenantdesk.operator_level(name text, level text, request uuid) returns setof bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
begin
  perform tenantdesk.require('admin', 'changing a level', true);
  if tenantdesk.rank(operator_level.level) is null then
    raise exception 'no level %', operator_level.level using errcode = '22023', hint = 'levels are viewer, support, approver and admin';
  end if;
  perform tenantdesk.keep_an_admin(operator_level.name, operator_level.level);
  update tenantdesk.operators o set level = operator_level.level where o.name = operator_level.name and o.disabled_at is null and o.database = tenantdesk.this_database();
  if not found then
    raise exception 'operator % not found', operator_level.name using errcode = 'P0002', hint = 'tenantdesk operator list shows them';
  end if;
  -- A level that shrinks ends what the higher one allowed.
  return query select tenantdesk.end_all(operator_level.name, null, 'level changed');
  perform tenantdesk.append('installation', 'operator.level', operator_level.name, operator_level.level, 'database', null, operator_level.request, null);
end $$;

create function tenantdesk.keep_an_admin(name text, level text) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
begin
  -- One change of operators at a time, so that two admins cannot remove each other.
  lock table tenantdesk.operators in share row exclusive mode;
  if level is distinct from 'admin' and not tenantdesk.is_manager()
     and exists (select from tenantdesk.operators o where o.name = keep_an_admin.name and o.level = 'admin' and o.disabled_at is null)
     and not exists (select from tenantdesk.operators o where o.name <> keep_an_admin.name and o.level = 'admin' and o.disabled_at is null
       and o.database = tenantdesk.this_database()) then
    raise exception '% is the last admin', keep_an_admin.name using errcode = '55000', hint = 'add another admin first';
  end if;
end $$;

-- The first of three steps, each a transaction of its own: nothing answers the login any more, it cannot come back, and its
-- connections are ended. It waits for no chain of the ledger, which open transactions of that very login could hold; the
-- next step writes the record. A login that another database knows keeps its way in, and loses this database alone.
create function tenantdesk.operator_lock(name text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp set lock_timeout = '10s' as $$
#variable_conflict use_column
begin
  perform tenantdesk.require('admin', 'removing an operator', true);
  if operator_lock.name = session_user then
    -- The steps that follow would be taken by a login that has nothing any more.
    raise exception 'nobody removes themselves' using errcode = '55000', hint = 'another admin can remove you';
  end if;
  perform tenantdesk.keep_an_admin(operator_lock.name, null);
  update tenantdesk.operators o set disabled_at = pg_catalog.clock_timestamp(), disabled_by = session_user
    where o.name = operator_lock.name and o.disabled_at is null and o.database = tenantdesk.this_database();
  if not found and not tenantdesk.is_going(operator_lock.name) then
    raise exception 'operator % not found', operator_lock.name using errcode = 'P0002', hint = 'tenantdesk operator list shows them';
  end if;
  -- Before the role is changed: he could be changing it himself, in a transaction that he leaves open.
  perform tenantdesk.terminate_operator(operator_lock.name);
  if tenantdesk.known_elsewhere(operator_lock.name) is null
    and exists (select from pg_catalog.pg_roles r join tenantdesk.operators o on o.login = r.oid where r.rolname = operator_lock.name and o.name = r.rolname and r.rolcanlogin) then
    execute pg_catalog.format('alter role %I nologin', operator_lock.name);
  end if;
end $$;

-- Whether a removal was begun and not ended: the login is locked, and this database still holds it.
create function tenantdesk.is_going(name text) returns boolean
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
  return exists (select from tenantdesk.operators o where o.name = is_going.name and o.disabled_at is not null and o.database = tenantdesk.this_database()
    and (o.removed_at is null or exists (select from pg_catalog.pg_auth_members m join pg_catalog.pg_roles g on g.oid = m.member
      where m.roleid = o.login and g.rolname = tenantdesk.mark_of(o.database))));
end $$;

-- The second step: sessions end, rights go, and the ledger says so. Takes the first one as well where it was left out.
create function tenantdesk.operator_remove(name text, request uuid) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
declare
  elsewhere text := tenantdesk.known_elsewhere(operator_remove.name);
begin
  perform tenantdesk.operator_lock(operator_remove.name);
  update tenantdesk.operators o set removed_at = pg_catalog.clock_timestamp()
    where o.name = operator_remove.name and o.disabled_at is not null and o.removed_at is null and o.database = tenantdesk.this_database();
  if not found then
    -- Removed before, and the role is still there: the step that follows is repeated.
    return;
  end if;
  perform tenantdesk.end_all(operator_remove.name, null, 'operator removed');
  if exists (select from pg_catalog.pg_roles r join tenantdesk.operators o on o.login = r.oid where r.rolname = operator_remove.name and o.name = r.rolname) then
    if elsewhere is null then
      execute pg_catalog.format('revoke tenantdesk_operator from %I', operator_remove.name);
    else
      execute pg_catalog.format('revoke %I from %I', operator_remove.name, tenantdesk.mark_of(tenantdesk.this_database()));
    end if;
  end if;
  perform tenantdesk.append('installation', 'operator.remove', operator_remove.name, 'ok', 'database', null, operator_remove.request,
    case when elsewhere is null then null else pg_catalog.jsonb_build_object('login', 'kept for another database of this server')::text end);
end $$;

-- The third step: the login goes, unless another database of the server knows it (then false).
create function tenantdesk.operator_drop(name text) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp set lock_timeout = '10s' as $$
#variable_conflict use_column
begin
  perform tenantdesk.require('admin', 'removing an operator', true);
  if not exists (select from tenantdesk.operators o where o.name = operator_drop.name and o.removed_at is not null
      and o.database = tenantdesk.this_database()) then
    raise exception 'operator % is not removed', operator_drop.name using errcode = '55000';
  end if;
  if tenantdesk.known_elsewhere(operator_drop.name) is not null then
    return false;
  end if;
  -- By its number: somebody may have made another role of that name since.
  if exists (select from pg_catalog.pg_roles r join tenantdesk.operators o on o.login = r.oid where r.rolname = operator_drop.name and o.name = r.rolname) then
    execute pg_catalog.format('drop role %I', operator_drop.name);
  end if;
  return true;
end $$;

-- For `setup --remove`, by the manager: every operator of this database is forgotten. Gives the logins that stay because
-- another database knows them, or because something of theirs is left somewhere; the latter are locked.
create function tenantdesk.forget_operators() returns table (login text, why text)
language plpgsql security definer set search_path = pg_catalog, pg_temp set lock_timeout = '10s' as $$
#variable_conflict use_column
declare
  r record;
  mark constant text := tenantdesk.mark_of(tenantdesk.this_database());
begin
  if not tenantdesk.is_manager() then
    raise exception 'only who manages this installation removes it' using errcode = '42501';
  end if;
  for r in select o.name from tenantdesk.operators o join pg_catalog.pg_roles l on l.oid = o.login and l.rolname = o.name
    where o.database = tenantdesk.this_database() loop
    if tenantdesk.known_elsewhere(r.name) is not null then
      execute pg_catalog.format('revoke %I from %I', r.name, mark);
      return query select r.name, 'another database of this server knows it: ' || tenantdesk.known_elsewhere(r.name);
    else
      begin
        execute pg_catalog.format('drop role %I', r.name);
      exception when dependent_objects_still_exist then
        execute pg_catalog.format('alter role %I nologin', r.name);
        return query select r.name, 'objects depend on it; it cannot log in any more'::text;
      end;
    end if;
  end loop;
  delete from tenantdesk.operators;
  for r in select g.rolname as name from pg_catalog.pg_roles g where g.rolname in (mark, tenantdesk.session_mark_of(tenantdesk.this_database())) loop
    execute pg_catalog.format('drop role %I', r.name);
  end loop;
end $$;
grant execute on function tenantdesk.operator_add, tenantdesk.operator_level, tenantdesk.operator_password, tenantdesk.operator_lock,
  tenantdesk.operator_remove, tenantdesk.operator_drop to tenantdesk_operator;

-- Of a login that another database knows, the connections to this one alone.
set local role tenantdesk_killer;
create function tenantdesk.terminate_operator(name text) returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
begin
  perform tenantdesk.require('admin', 'removing an operator', true);
  return (select count(*) filter (where pg_catalog.pg_terminate_backend(a.pid))
    from pg_catalog.pg_stat_activity a join tenantdesk.operators o on o.name = a.usename and o.login = a.usesysid
    where a.usename = terminate_operator.name and o.disabled_at is not null and o.database = tenantdesk.this_database()
      and (a.datid = o.database or tenantdesk.known_elsewhere(o.name) is null)
      and a.pid <> pg_catalog.pg_backend_pid());
end $$;
grant execute on function tenantdesk.terminate_operator to tenantdesk_operator, tenantdesk_registrar;
