-- Tenant sessions: what an operator may see exists only while one lives, and the database decides.
-- All rules are constraints of the table, not if-statements of a program.

set local role tenantdesk_owner;

-- What a person can see of a text: no spaces, fillers, control, zero-width, bidi or tag characters.
create function tenantdesk.visible(said text) returns text language sql immutable parallel safe
set search_path = pg_catalog, pg_temp
return pg_catalog.regexp_replace(said,
  E'[\\s\\u0001-\\u0020\\u007f-\\u00a0\\u00ad\\u034f\\u061c\\u115f\\u1160\\u17b4\\u17b5\\u180b-\\u180f\\u2000-\\u200f\\u2028-\\u202f\\u205f-\\u206f\\u2800\\u3000\\u3164\\ufe00-\\ufe0f\\ufeff\\uffa0\\ufff0-\\ufffb\\U000e0000-\\U000e0fff]', '', 'g');

create table tenantdesk.tenant_sessions (
  id bigint generated always as identity primary key,
  -- The digest of the empty text would make every transaction without a token present one.
  digest bytea not null constraint tenant_sessions_digest unique
    check (pg_catalog.length(digest) = 32 and digest <> pg_catalog.sha256('')),
  operator text not null,
  database oid not null,
  tenant text not null check (tenant <> ''),
  purpose text not null
    constraint tenant_sessions_purpose check (purpose in ('impersonate', 'provision', 'manage', 'export', 'restore', 'erase')),
  mode text not null constraint tenant_sessions_mode check (mode in ('read', 'write')),
  reason text not null
    constraint tenant_sessions_reason_says_something check (pg_catalog.length(tenantdesk.visible(reason)) >= 10 and pg_catalog.length(reason) <= 2000),
  ticket text constraint tenant_sessions_ticket check (pg_catalog.length(ticket) between 1 and 200),
  member text, member_email text, member_role text,
  request uuid,
  opened_at timestamptz not null,
  opened_xid xid8 not null,
  expires_at timestamptz not null,
  ended_at timestamptz,
  ended_by text,
  end_reason text,
  -- When its connections were closed after the end: what connects later is none of its.
  closed_at timestamptz,
  constraint tenant_sessions_duration check (expires_at > opened_at and expires_at <= opened_at + interval '8 hours'
    and (purpose not in ('provision', 'manage') or expires_at <= opened_at + interval '1 hour')),
  constraint tenant_sessions_mode_fits_purpose check (
    purpose = 'impersonate' or (mode = 'read') = (purpose = 'export')),
  constraint tenant_sessions_end check ((ended_at is null) = (end_reason is null))
);
create unique index tenant_sessions_one_live_impersonation on tenantdesk.tenant_sessions (operator)
  where purpose = 'impersonate' and ended_at is null;
create index tenant_sessions_live on tenantdesk.tenant_sessions (operator) where ended_at is null;
create index tenant_sessions_by_tenant on tenantdesk.tenant_sessions (tenant, opened_at desc);

-- The guard's own functions: the tenant of the live session whose token this transaction presents, or null.
-- One for each purpose, so that a token opens nothing but what it was drawn for. plpgsql, because an SQL
-- function is planned anew in each statement. Live means: this digest, this login, this database, not ended,
-- not expired by the wall clock, its opening transaction committed, a snapshot that sees a revocation, and a login
-- that still has the level that the session needs: a level that is taken away ends what it opened at once.
do $do$
declare
  f record;
begin
  for f in select * from (values
    ('session_tenant',   $$s.purpose = 'impersonate'$$, true),
    ('writing_tenant',   $$s.purpose = 'impersonate' and s.mode = 'write'$$, true),
    ('provision_tenant', $$s.purpose = 'provision'$$, true),
    ('archive_tenant',   $$s.purpose in ('export', 'restore', 'erase')$$, false),
    ('archive_writes',   $$s.purpose in ('restore', 'erase')$$, true)
  ) as v (name, purpose, fresh) loop
    execute pg_catalog.format($sql$
create function tenantdesk.%I() returns text language plpgsql stable security definer parallel safe
set search_path = pg_catalog, pg_temp as $body$
declare
  found_tenant text;
begin
  select s.tenant into found_tenant from tenantdesk.tenant_sessions s join tenantdesk.operators o on o.name = s.operator
  where s.digest = pg_catalog.sha256(pg_catalog.convert_to(pg_catalog.current_setting('tenantdesk.session', true), 'UTF8'))
    and s.operator = session_user and s.database = tenantdesk.this_database()
    and %s
    and s.ended_at is null and s.expires_at > pg_catalog.clock_timestamp()
    and pg_catalog.pg_xact_status(s.opened_xid) = 'committed'
    and o.disabled_at is null and o.database = s.database
    and (o.level = 'admin' or o.level in ('support', 'approver') and (s.purpose in ('provision', 'manage') or s.purpose = 'impersonate' and s.mode = 'read'))
    and %s;
  return found_tenant;
end $body$
$sql$, f.name, f.purpose, case when f.fresh then $$pg_catalog.current_setting('transaction_isolation') = 'read committed'$$
      else $$(s.purpose = 'export' or pg_catalog.current_setting('transaction_isolation') = 'read committed')$$ end);
  end loop;
end $do$;

-- The roles that a session needs.
create function tenantdesk.roles_for(purpose text, mode text) returns text[] language sql immutable parallel safe
set search_path = pg_catalog, pg_temp
return case
  when purpose = 'impersonate' and mode = 'read' then array['tenantdesk_reader']
  when purpose = 'impersonate' then array['tenantdesk_reader', 'tenantdesk_inserter', 'tenantdesk_changer']
  when purpose = 'provision' then array['tenantdesk_provisioner']
  when purpose = 'export' then array['tenantdesk_archivist']
  when purpose in ('restore', 'erase') then array['tenantdesk_archivist', 'tenantdesk_archive_inserter', 'tenantdesk_archive_changer']
  else '{}'::text[] end;
grant execute on function tenantdesk.roles_for to tenantdesk_registrar;

-- The live session whose token is presented, for the functions that record what happens in it.
create function tenantdesk.live() returns tenantdesk.tenant_sessions language plpgsql stable security definer
set search_path = pg_catalog, pg_temp as $$
declare
  found_session tenantdesk.tenant_sessions;
begin
  select s.* into found_session from tenantdesk.tenant_sessions s join tenantdesk.operators o on o.name = s.operator
  where s.digest = pg_catalog.sha256(pg_catalog.convert_to(pg_catalog.current_setting('tenantdesk.session', true), 'UTF8'))
    and s.operator = session_user and s.database = tenantdesk.this_database()
    and s.ended_at is null and s.expires_at > pg_catalog.clock_timestamp()
    and pg_catalog.pg_xact_status(s.opened_xid) = 'committed'
    and o.disabled_at is null and o.database = s.database
    and (o.level = 'admin' or o.level in ('support', 'approver') and (s.purpose in ('provision', 'manage') or s.purpose = 'impersonate' and s.mode = 'read'));
  return found_session;
end $$;

-- What provisioning makes once: the owner's membership, and the person where he is new. The second writer waits for
-- the first and is refused, so that a tenant of one's own is no way to read, or to plant, many people.
create table tenantdesk.provision_claims (tenant text not null, what text not null check (what in ('root', 'person', 'member')), primary key (tenant, what));
create function tenantdesk.claim_provision(what text) returns boolean language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp set lock_timeout = '3s' as $$
declare
  of_tenant text := tenantdesk.provision_tenant();
begin
  -- Nobody is linked to a tenant that is not: the root row comes first. A person may come before a root row that
  -- names its owner; no commit leaves him without it.
  if of_tenant is null or claim_provision.what = 'member' and not tenantdesk.is_begun() then
    return false;
  end if;
  insert into tenantdesk.provision_claims (tenant, what) values (of_tenant, claim_provision.what) on conflict do nothing;
  return found;
end $$;
-- Whether this provisioning made the tenant's own row: nothing is planted for a tenant that the application will make, or has
-- made meanwhile, under an id that could be foreseen.
create function tenantdesk.is_begun() returns boolean language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp as $$
begin
  return exists (select from tenantdesk.provision_claims c where c.tenant = tenantdesk.provision_tenant() and c.what = 'root');
end $$;
create function tenantdesk.refuse_orphan() returns trigger language plpgsql security definer
set search_path = pg_catalog, pg_temp as $$
begin
  if not exists (select from tenantdesk.provision_claims c where c.tenant = new.tenant and c.what = 'root') then
    raise exception 'tenant % was not made', new.tenant using errcode = '42501';
  end if;
  return null;
end $$;
create constraint trigger provision_claims_have_a_tenant after insert on tenantdesk.provision_claims
  deferrable initially deferred for each row execute function tenantdesk.refuse_orphan();
grant execute on function tenantdesk.claim_provision, tenantdesk.is_begun to tenantdesk_provisioner;

-- Who acts as whom, as RFC 8693 writes it: the subject is the member, and `act` is who acts in his place.
create function tenantdesk.actors(session tenantdesk.tenant_sessions) returns jsonb language plpgsql immutable
set search_path = pg_catalog, pg_temp as $$
begin
  return pg_catalog.jsonb_build_object('sub', session.member, 'act', pg_catalog.jsonb_build_object('sub', session.operator));
end $$;

-- The tenant is kept in the one form that its key's type prints, so that no spelling of an id has a chain of its own.
-- Opens a session. The record is in the ledger before a byte can be read: both are in this transaction,
-- and the guard answers only after it is committed.
create function tenantdesk.open_session(
  digest bytea, tenant text, purpose text, mode text, reason text, ticket text, member text,
  duration interval, request uuid
) returns table (id bigint, opened_at timestamptz, expires_at timestamptz, member_email text, member_role text)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
declare
  opened tenantdesk.tenant_sessions;
  weak text;
  fault record;
  state record;
  person_email text;
  person_role text;
  person_active boolean;
  known_tenant text := tenantdesk.tenant_id(open_session.tenant);
  -- An end by the wall clock: '1 day -23 hours' in a time zone of one's own choice is as long as one likes.
  begins constant timestamptz := pg_catalog.clock_timestamp();
  ends constant timestamptz := begins + open_session.duration;
  longest interval;
begin
  perform tenantdesk.require(
    case when open_session.purpose = 'impersonate' and open_session.mode = 'read' then 'support'
         when open_session.purpose in ('provision', 'manage') then 'support' else 'admin' end,
    pg_catalog.format('a session to %s (%s)', coalesce(open_session.purpose, '?'), coalesce(open_session.mode, '?')));
  weak := tenantdesk.too_powerful(session_user);
  if weak is not null then
    raise exception 'the login % could escape from the guard: %', session_user, weak
      using errcode = '42501', hint = 'use a personal login made by: tenantdesk operator add NAME --level LEVEL';
  end if;
  if open_session.mode = 'write' and (select o.shared from tenantdesk.operators o where o.name = session_user) then
    raise exception 'the login % is shared, and write mode needs a personal one', session_user using errcode = '42501';
  end if;
  -- What a session in another database of the server left with its login goes before it counts.
  perform tenantdesk.set_rights(h.operator) from (select distinct x.operator from tenantdesk.overheld x where tenantdesk.known_elsewhere(x.operator) is not null) h;
  select f.object, f.fault into fault from tenantdesk.faults() f limit 1;
  if found then
    raise exception 'the guard is not whole: %: %', fault.object, fault.fault
      using errcode = '55000', hint = 'tenantdesk tables list shows what is wrong; tenantdesk setup, by who manages the installation, puts it right';
  end if;
  select t.suspended, t.slug into state from tenantdesk.tenant_state(known_tenant) t;
  if open_session.purpose = 'provision' and known_tenant is not null then
    if found then
      raise exception 'tenant % exists already', known_tenant using errcode = '23505';
    end if;
  elsif not found then
    raise exception 'tenant not found' using errcode = 'P0002', hint = 'tenantdesk tenant find TEXT looks by name, slug, id, domain and e-mail';
  elsif state.suspended and open_session.purpose = 'impersonate' then
    raise exception 'tenant % is suspended', state.slug using errcode = '55000', hint = 'nobody acts as a member of a suspended tenant';
  end if;
  if open_session.purpose in ('provision', 'manage') and ends > begins + interval '10 minutes' then
    raise exception 'a session to % lasts at most 10 minutes', open_session.purpose using errcode = '22023';
  end if;
  if open_session.purpose = 'impersonate' then
    longest := pg_catalog.make_interval(mins => (select c.value::int from tenantdesk.configuration c where c.name = 'impersonation.longest_minutes'));
    if ends > begins + longest then
      raise exception 'an impersonation lasts at most % minutes', pg_catalog.date_part('epoch', longest)::int / 60
        using errcode = '22023', hint = 'ask for less with --for';
    end if;
    if tenantdesk.has_members() then
      if open_session.member is null then
        raise exception 'say as which member' using errcode = '22004', hint = 'tenantdesk member list TENANT shows the members';
      end if;
      select m.email, m.role, m.active into person_email, person_role, person_active from tenantdesk.member_state(known_tenant, open_session.member) m;
      if not found then
        raise exception 'member not found in this tenant' using errcode = 'P0002', hint = 'tenantdesk member list TENANT shows the members';
      elsif not person_active then
        raise exception 'member % is not active', person_email using errcode = '55000', hint = 'only an active member can be impersonated';
      elsif exists (select from tenantdesk.operators o where o.disabled_at is null and o.name = person_email) then
        raise exception 'nobody impersonates an operator' using errcode = '42501';
      end if;
    end if;
  end if;
  perform tenantdesk.end_expired(session_user);
  insert into tenantdesk.tenant_sessions as s (digest, operator, database, tenant, purpose, mode, reason, ticket,
      member, member_email, member_role, request, opened_at, opened_xid, expires_at)
    values (open_session.digest, session_user, tenantdesk.this_database(), known_tenant, open_session.purpose, open_session.mode,
      pg_catalog.btrim(open_session.reason), open_session.ticket, case when person_email is null then null else open_session.member end, person_email, person_role,
      open_session.request, begins, pg_catalog.pg_current_xact_id(), ends)
    returning s.* into opened;
  perform tenantdesk.append('tenant:' || opened.tenant, opened.purpose || '.start', opened.purpose || '/' || opened.mode, 'ok', 'database',
    opened.id, opened.request, pg_catalog.jsonb_build_object('reason', opened.reason, 'ticket', opened.ticket, 'member', opened.member_email,
      'role', opened.member_role, 'actors', tenantdesk.actors(opened), 'expires_at', opened.expires_at)::text);
  perform tenantdesk.set_rights(session_user);
  return query select opened.id, opened.opened_at, opened.expires_at, opened.member_email, opened.member_role;
end $$;

-- Whether the operator still has the level that his session needs: an opening can be committed after it was taken away.
create function tenantdesk.is_entitled(s tenantdesk.tenant_sessions) returns boolean language plpgsql stable
set search_path = pg_catalog, pg_temp as $$
begin
  return exists (select from tenantdesk.operators o where o.name = s.operator and o.disabled_at is null and o.database = s.database
    and (o.level = 'admin' or o.level in ('support', 'approver') and (s.purpose in ('provision', 'manage') or s.purpose = 'impersonate' and s.mode = 'read')));
end $$;

-- Why nobody acts as this member any more, although the session lives: asked at each recorded statement and by the sweep.
create function tenantdesk.why_unwelcome(s tenantdesk.tenant_sessions) returns text language plpgsql stable
set search_path = pg_catalog, pg_temp as $$
begin
  return case when s.purpose <> 'impersonate' then null
    when (select t.suspended from tenantdesk.tenant_state(s.tenant) t) then 'tenant suspended'
    when s.member is not null and not exists (select from tenantdesk.member_state(s.tenant, s.member) m where m.active) then 'member inactive' end;
end $$;

-- The same of all live impersonations of a login (or of everybody: null). It reads the application's tables: whoever holds or breaks
-- one of them must not hold up what the database knows by itself, so it gives up soon and says nothing then.
create function tenantdesk.unwelcome(login text) returns table (id bigint, why text) language plpgsql
set search_path = pg_catalog, pg_temp set lock_timeout = '500ms' as $$
#variable_conflict use_column
begin
  return query select a.id, a.why from (select s.id, tenantdesk.why_unwelcome(s) as why from tenantdesk.tenant_sessions s
      where s.ended_at is null and s.purpose = 'impersonate' and s.database = tenantdesk.this_database() and (login is null or s.operator = login)) a
    where a.why is not null;
exception when others then
  raise warning 'whether tenants and members may still act could not be asked: %', sqlerrm;
end $$;

-- Whether it was the database that ended a session, of which anybody who sweeps closes the connections.
create function tenantdesk.is_of_database(end_reason text) returns boolean language sql immutable parallel safe
set search_path = pg_catalog, pg_temp
return end_reason in ('expired', 'connection lost', 'level changed', 'tenant suspended', 'member inactive');
grant execute on function tenantdesk.is_of_database to tenantdesk_killer;

-- Ends the expired sessions of a login (or of all: null), as of their expiry, and those whose connection is gone: a
-- killed tool must not leave rights behind until its session would expire. An impersonation that was opened by hand,
-- without a request, has no connection of its own. Whoever holds a row is passed by: he holds up nobody but himself.
create function tenantdesk.end_expired(login text) returns setof tenantdesk.tenant_sessions
language plpgsql security definer set search_path = pg_catalog, pg_temp set lock_timeout = '3s' as $$
declare
  gone tenantdesk.tenant_sessions;
  -- Asked before anything is locked.
  unwelcome constant jsonb := (select pg_catalog.jsonb_object_agg(u.id, u.why) from tenantdesk.unwelcome(end_expired.login) u);
begin
  for gone in
    update tenantdesk.tenant_sessions s set ended_at = least(s.expires_at, pg_catalog.clock_timestamp()), ended_by = session_user,
      end_reason = case when s.expires_at <= pg_catalog.clock_timestamp() then 'expired'
        when not tenantdesk.is_entitled(s) then 'level changed' else coalesce(unwelcome ->> s.id::text, 'connection lost') end
    where s.id in (select t.id from tenantdesk.tenant_sessions t
      where t.ended_at is null and t.database = tenantdesk.this_database() and (login is null or t.operator = login)
        and (t.expires_at <= pg_catalog.clock_timestamp() or not tenantdesk.is_entitled(t) or coalesce(unwelcome ? t.id::text, false)
          or (t.purpose <> 'impersonate' or t.request is not null)
            -- Connecting takes a moment; who comes back himself after a crash waits for less.
            and t.opened_at < pg_catalog.clock_timestamp() - case when login is null then interval '1 minute' else interval '10 seconds' end
            and not exists (select from pg_catalog.pg_stat_activity a where a.datid = t.database and a.usename = t.operator and a.application_name = 'tenantdesk/' || t.id))
      for update skip locked)
    returning s.*
  loop
    perform tenantdesk.append('tenant:' || gone.tenant, gone.purpose || '.end', gone.operator, gone.end_reason, 'database', gone.id, gone.request, null);
    perform tenantdesk.set_rights(gone.operator);
    return next gone;
  end loop;
end $$;

-- Ends one session: one's own, or as an approver anybody's. False where it had ended before.
create function tenantdesk.end_session(id bigint, why text) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp set lock_timeout = '3s' as $$
#variable_conflict use_column
declare
  gone tenantdesk.tenant_sessions;
begin
  select s.* into gone from tenantdesk.tenant_sessions s where s.id = end_session.id and s.database = tenantdesk.this_database();
  if not found or (gone.operator <> session_user and tenantdesk.rank(tenantdesk.level()) is distinct from 3
      and tenantdesk.rank(tenantdesk.level()) is distinct from 4) then
    raise exception 'session % not found', end_session.id using errcode = 'P0002', hint = 'tenantdesk impersonation list shows the sessions';
  end if;
  update tenantdesk.tenant_sessions s set ended_at = pg_catalog.clock_timestamp(), ended_by = session_user,
      -- What the database knows by itself is not taken from a caller.
      end_reason = case when s.expires_at <= pg_catalog.clock_timestamp() then 'expired'
        when s.operator <> session_user then 'revoked' || coalesce(': ' || nullif(pg_catalog.left(end_session.why, 200), 'revoked'), '')
        when end_session.why in ('operator', 'quit', 'done', 'provisioned', 'cross_tenant_leak_prevented') then end_session.why
        else 'operator' || coalesce(': ' || pg_catalog.left(end_session.why, 200), '') end
    where s.id = end_session.id and s.ended_at is null returning s.* into gone;
  if not found then
    return false;
  end if;
  -- The chain has the word alone; what was said stands beside it, where it can be erased.
  perform tenantdesk.append('tenant:' || gone.tenant, gone.purpose || '.end', gone.operator, pg_catalog.split_part(gone.end_reason, ':', 1), 'database', gone.id, gone.request,
    case when gone.end_reason like '%:%' then pg_catalog.jsonb_build_object('why', pg_catalog.left(end_session.why, 200))::text end);
  perform tenantdesk.set_rights(gone.operator);
  return true;
end $$;

-- Ends what has expired, whoever looks. The caller terminates the backends afterwards, when this is committed.
create function tenantdesk.sweep() returns table (id bigint, operator text)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  perform tenantdesk.require('viewer', 'the sweep', true);
  return query
    select g.id, g.operator from tenantdesk.end_expired(null) g
    union
    -- Ended by somebody whose program died before it closed the connections.
    select s.id, s.operator from tenantdesk.tenant_sessions s
      where s.ended_at < pg_catalog.clock_timestamp() - interval '10 seconds' and s.closed_at is null and s.database = tenantdesk.this_database()
        and (s.operator = session_user or tenantdesk.is_of_database(s.end_reason) or tenantdesk.rank(tenantdesk.level()) >= 3);
end $$;

create function tenantdesk.sessions() returns table (id bigint, operator text, tenant text, purpose text, mode text, reason text,
  ticket text, member text, member_email text, member_role text, opened_at timestamptz, expires_at timestamptz, ended_at timestamptz, ended_by text, end_reason text)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
  perform tenantdesk.require('viewer', 'listing sessions');
  return query select s.id, s.operator, s.tenant, s.purpose, s.mode, s.reason, s.ticket, s.member, s.member_email, s.member_role,
      s.opened_at, s.expires_at, s.ended_at, s.ended_by, s.end_reason
    from tenantdesk.tenant_sessions s
    where s.database = tenantdesk.this_database()
      and (s.operator = session_user or tenantdesk.rank(tenantdesk.level()) >= 3)
    order by s.id desc;
end $$;

grant select on tenantdesk.tenant_sessions to tenantdesk_registrar, tenantdesk_killer;
grant execute on function tenantdesk.provision_tenant to tenantdesk_meter;
-- An update asks the table's own checks again.
grant update (closed_at) on tenantdesk.tenant_sessions to tenantdesk_killer;
grant execute on function tenantdesk.visible to tenantdesk_killer;
grant execute on function tenantdesk.session_tenant, tenantdesk.writing_tenant, tenantdesk.provision_tenant, tenantdesk.archive_tenant, tenantdesk.archive_writes
  to tenantdesk_reader, tenantdesk_inserter, tenantdesk_changer, tenantdesk_provisioner,
     tenantdesk_archivist, tenantdesk_archive_inserter, tenantdesk_archive_changer;
grant execute on function tenantdesk.open_session, tenantdesk.end_session, tenantdesk.sweep, tenantdesk.sessions to tenantdesk_operator;

-- Whose rights are being changed: a row of its own, because a level is taken away whatever its operator holds.
create table tenantdesk.rights_turns (operator text primary key);
grant select, insert, update on tenantdesk.rights_turns to tenantdesk_registrar;

-- The rights of a login are exactly those that its live sessions need; nothing else grants them.
set local role tenantdesk_registrar;
create function tenantdesk.set_rights(login text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp set lock_timeout = '3s' as $$
declare
  r record;
  mark constant text := tenantdesk.session_mark_of(tenantdesk.this_database());
  needs boolean;
  marked boolean;
begin
  -- One change of an operator's rights at a time: two ends at once would each leave to the other what neither takes.
  insert into tenantdesk.rights_turns (operator) values (set_rights.login) on conflict do nothing;
  perform from tenantdesk.rights_turns t where t.operator = set_rights.login for update;
  needs := exists (select from tenantdesk.tenant_sessions s
    where s.operator = set_rights.login and s.ended_at is null and s.database = tenantdesk.this_database());
  marked := exists (select from pg_catalog.pg_auth_members m join pg_catalog.pg_roles l on l.oid = m.roleid join pg_catalog.pg_roles g on g.oid = m.member
    where l.rolname = set_rights.login and g.rolname = mark);
  -- First what other databases are told: their look at it comes after this one's, or waits for it.
  if needs and not marked then
    if not exists (select from pg_catalog.pg_roles g where g.rolname = mark) then
      execute pg_catalog.format('create role %I nologin noinherit', mark);
    end if;
    execute pg_catalog.format('grant %I to %I', set_rights.login, mark);
  elsif marked and not needs then
    execute pg_catalog.format('revoke %I from %I', set_rights.login, mark);
  end if;
  for r in
    with needed as (
      select distinct unnest(tenantdesk.roles_for(s.purpose, s.mode)) as role
      from tenantdesk.tenant_sessions s where s.operator = set_rights.login and s.ended_at is null and s.database = tenantdesk.this_database()),
    held as (
      select g.rolname::text as role from pg_catalog.pg_auth_members m
      join pg_catalog.pg_roles g on g.oid = m.roleid join pg_catalog.pg_roles l on l.oid = m.member
      where l.rolname = set_rights.login and g.rolname ~ '^tenantdesk_' and g.rolname <> 'tenantdesk_operator')
    select coalesce(n.role, h.role) as role, n.role is not null as wanted
    from needed n full join held h on h.role = n.role where n.role is null or h.role is null
  loop
    if r.wanted then
      execute pg_catalog.format('grant %I to %I', r.role, set_rights.login);
    elsif not tenantdesk.in_session_elsewhere(set_rights.login) then
      execute pg_catalog.format('revoke %I from %I', r.role, set_rights.login);
    end if;
  end loop;
end $$;
grant execute on function tenantdesk.set_rights to tenantdesk_owner;

-- Terminates what an ended session left open. At expiry the backends of the login's other live sessions stay
-- (told apart by application_name); after a revocation all go. Called after the end is committed. Whoever sweeps
-- may close what has expired; a revoked login's connections are closed by its revoker or an approver, and in every
-- case only those that were open when the session was closed first: nobody is kept out by an old session of his.
set local role tenantdesk_killer;
create function tenantdesk.terminate(id bigint) returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp set lock_timeout = '3s' as $$
#variable_conflict use_column
declare
  gone tenantdesk.tenant_sessions;
  closing timestamptz;
  killed integer;
begin
  perform tenantdesk.require('viewer', 'ending backends', true);
  select s.* into gone from tenantdesk.tenant_sessions s
    where s.id = terminate.id and s.ended_at is not null and s.database = tenantdesk.this_database()
      and pg_catalog.pg_xact_status(s.opened_xid) = 'committed'
      and (s.operator = session_user or tenantdesk.is_of_database(s.end_reason) or tenantdesk.rank(tenantdesk.level()) >= 3 or tenantdesk.is_manager());
  if not found then
    return 0;
  end if;
  closing := coalesce(gone.closed_at, pg_catalog.clock_timestamp());
  select count(*) filter (where pg_catalog.pg_terminate_backend(a.pid)) into killed
  from pg_catalog.pg_stat_activity a
  where a.usename = gone.operator and a.pid <> pg_catalog.pg_backend_pid() and a.datid = gone.database
    and a.backend_start <= closing
    and (case when gone.ended_by = gone.operator and not tenantdesk.is_of_database(gone.end_reason) then a.application_name = 'tenantdesk/' || gone.id
      else not exists (select from tenantdesk.tenant_sessions s
        where gone.end_reason in ('expired', 'connection lost') and s.operator = gone.operator and s.ended_at is null and s.expires_at > pg_catalog.clock_timestamp()
          and a.application_name = 'tenantdesk/' || s.id) end);
  -- Written last, and past whoever holds the row: nobody keeps his cursor by closing himself in a transaction left open.
  update tenantdesk.tenant_sessions s set closed_at = closing
    where s.id in (select t.id from tenantdesk.tenant_sessions t where t.id = terminate.id and t.closed_at is null for update skip locked);
  return killed;
end $$;

-- Any operator may free a chain or a session that another operator's idle transaction holds for more than three seconds,
-- or a role of ours: from 16 on GRANT and REVOKE lock the role until the transaction ends, in all databases of the server.
create function tenantdesk.unblock() returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  killed integer;
begin
  perform tenantdesk.require('viewer', 'freeing the ledger', true);
  select count(*) filter (where pg_catalog.pg_terminate_backend(a.pid)) into killed
  from pg_catalog.pg_stat_activity a
  where a.pid <> pg_catalog.pg_backend_pid() and a.xact_start < pg_catalog.clock_timestamp() - interval '3 seconds'
    -- The killer is a member of every operator, of whatever database, and of nobody else.
    and pg_catalog.pg_has_role('tenantdesk_killer', a.usesysid, 'member')
    and exists (select from pg_catalog.pg_locks l where l.pid = a.pid and l.granted
      and (l.database = a.datid and a.datname = pg_catalog.current_database() and l.mode in ('RowExclusiveLock', 'ShareRowExclusiveLock')
          and l.relation in ('tenantdesk.chains'::pg_catalog.regclass, 'tenantdesk.tenant_sessions'::pg_catalog.regclass, 'tenantdesk.operators'::pg_catalog.regclass, 'tenantdesk.rights_turns'::pg_catalog.regclass)
        or l.locktype = 'object' and l.classid = 'pg_catalog.pg_authid'::pg_catalog.regclass
          and l.objid in (select r.oid from pg_catalog.pg_roles r where r.rolname ~ '^tenantdesk_')));
  return killed;
end $$;
grant execute on function tenantdesk.terminate, tenantdesk.unblock to tenantdesk_operator;
set local role tenantdesk_owner;
grant select on tenantdesk.operators to tenantdesk_killer;
