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

-- Creates a login; never adopts one that exists. Sixteen connections are enough for one person, and too few to
-- keep the application out. `verifier` is a SCRAM verifier, or null where the server knows
-- the person by other means (peer, certificate). A clear-text password is refused.
create function tenantdesk.operator_add(name text, level text, verifier text, shared boolean, request uuid) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
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
  if operator_add.verifier is not null and operator_add.verifier !~ '^SCRAM-SHA-256\$\d+:[A-Za-z0-9+/=]+\$[A-Za-z0-9+/=]+:[A-Za-z0-9+/=]+$' then
    raise exception 'only a SCRAM verifier is taken' using errcode = '22023', hint = 'passwords never travel in clear text';
  end if;
  if exists (select from pg_catalog.pg_roles r where r.rolname = operator_add.name) then
    raise exception 'the role % exists already, and an existing login is never adopted', operator_add.name
      using errcode = '42710', hint = 'choose another name for the operator';
  end if;
  execute pg_catalog.format('create role %I login noinherit nosuperuser nocreatedb nocreaterole noreplication nobypassrls connection limit 16%s', operator_add.name,
    case when operator_add.verifier is null then '' else pg_catalog.format(' password %L', operator_add.verifier) end);
  execute pg_catalog.format('grant tenantdesk_operator to %I', operator_add.name);
  execute pg_catalog.format('grant %I to tenantdesk_killer', operator_add.name);
  insert into tenantdesk.operators (name, level, shared, database, login)
    values (operator_add.name, operator_add.level, coalesce(operator_add.shared, false), tenantdesk.this_database(),
      (select r.oid from pg_catalog.pg_roles r where r.rolname = operator_add.name))
    on conflict (name) do update set level = excluded.level, shared = excluded.shared, added_at = pg_catalog.clock_timestamp(),
      added_by = session_user, disabled_at = null, database = excluded.database, login = excluded.login;
  perform tenantdesk.append('installation', 'operator.add', operator_add.name, operator_add.level, 'database', null, operator_add.request, null);
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

-- Takes everything from a login at once; its backends are ended and the role dropped in the next two calls,
-- because a running transaction cannot end backends that wait for it.
create function tenantdesk.operator_remove(name text, request uuid) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
begin
  perform tenantdesk.require('admin', 'removing an operator', true);
  if operator_remove.name = session_user then
    -- The steps that follow would be taken by a login that has nothing any more.
    raise exception 'nobody removes themselves' using errcode = '55000', hint = 'another admin can remove you';
  end if;
  perform tenantdesk.keep_an_admin(operator_remove.name, null);
  update tenantdesk.operators o set disabled_at = pg_catalog.clock_timestamp() where o.name = operator_remove.name and o.disabled_at is null and o.database = tenantdesk.this_database();
  if not found then
    -- Removed before, and the role is still there: the steps that follow are repeated.
    if exists (select from tenantdesk.operators o join pg_catalog.pg_roles r on r.rolname = o.name
        where o.name = operator_remove.name and o.disabled_at is not null and o.database = tenantdesk.this_database()) then
      return;
    end if;
    raise exception 'operator % not found', operator_remove.name using errcode = 'P0002', hint = 'tenantdesk operator list shows them';
  end if;
  perform tenantdesk.end_all(operator_remove.name, null, 'operator removed');
  execute pg_catalog.format('alter role %I nologin', operator_remove.name);
  execute pg_catalog.format('revoke tenantdesk_operator from %I', operator_remove.name);
  perform tenantdesk.append('installation', 'operator.remove', operator_remove.name, 'ok', 'database', null, operator_remove.request, null);
end $$;

create function tenantdesk.operator_drop(name text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
begin
  perform tenantdesk.require('admin', 'removing an operator', true);
  if not exists (select from tenantdesk.operators o where o.name = operator_drop.name and o.disabled_at is not null
      and o.database = tenantdesk.this_database()) then
    raise exception 'operator % is not removed', operator_drop.name using errcode = '55000';
  end if;
  -- By its number: somebody may have made another role of that name since.
  if exists (select from pg_catalog.pg_roles r join tenantdesk.operators o on o.login = r.oid where r.rolname = operator_drop.name and o.name = r.rolname) then
    execute pg_catalog.format('drop role %I', operator_drop.name);
  end if;
end $$;
grant execute on function tenantdesk.operator_add, tenantdesk.operator_level, tenantdesk.operator_remove, tenantdesk.operator_drop to tenantdesk_operator;

set local role tenantdesk_killer;
create function tenantdesk.terminate_operator(name text) returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
begin
  perform tenantdesk.require('admin', 'removing an operator', true);
  return (select count(*) filter (where pg_catalog.pg_terminate_backend(a.pid))
    from pg_catalog.pg_stat_activity a join tenantdesk.operators o on o.name = a.usename
    where a.usename = terminate_operator.name and o.disabled_at is not null and o.database = tenantdesk.this_database()
      and a.pid <> pg_catalog.pg_backend_pid());
end $$;
grant execute on function tenantdesk.terminate_operator to tenantdesk_operator;
