-- What the tool does is told to the ledger before and after: operations of verbs, statements of an
-- impersonation, security events; and the ledger is read through functions that know who asks.

set local role tenantdesk_owner;

create table tenantdesk.operations (
  id uuid primary key,
  verb text not null,
  tenant text,
  object text not null,
  operator text not null default session_user,
  request uuid not null,
  started_at timestamptz not null default pg_catalog.clock_timestamp(),
  ended_at timestamptz,
  outcome text,
  constraint operations_end check ((ended_at is null) = (outcome is null))
);
-- The commit marker: written by the transaction of the work itself, so that it is there exactly when the
-- work is. After a crash or a lost answer this row decides what happened.
create table tenantdesk.operation_marks (
  operation uuid primary key references tenantdesk.operations,
  marked_at timestamptz not null default pg_catalog.clock_timestamp()
);

create function tenantdesk.chain_of(tenant text) returns text language plpgsql immutable parallel safe
set search_path = pg_catalog, pg_temp as $$
begin
  return case when chain_of.tenant is null then 'installation' else 'tenant:' || chain_of.tenant end;
end $$;

-- The level that a verb needs. A verb that is not listed here cannot be recorded, and so cannot run.
create function tenantdesk.verb_level(verb text) returns text language sql immutable parallel safe
set search_path = pg_catalog, pg_temp
return case verb
  when 'tenant.create' then 'support'
  when 'export' then 'admin' when 'restore' then 'admin'
  when 'demo.fill' then 'admin'
  when 'audit.verify' then 'approver'
  end;

create function tenantdesk.operation_begin(id uuid, verb text, tenant text, object text, reason text, request uuid) returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
declare
  known_tenant text := tenantdesk.tenant_id(operation_begin.tenant);
begin
  if tenantdesk.verb_level(operation_begin.verb) is null then
    raise exception 'no verb %', operation_begin.verb using errcode = '22023';
  end if;
  perform tenantdesk.require(tenantdesk.verb_level(operation_begin.verb), operation_begin.verb);
  if operation_begin.tenant is null and operation_begin.verb in ('tenant.create', 'export', 'restore') then
    raise exception '% needs a tenant', operation_begin.verb using errcode = '22004';
  elsif operation_begin.tenant is not null and known_tenant is null then
    raise exception 'tenant not found' using errcode = 'P0002', hint = 'tenantdesk tenant find TEXT looks by name, slug, id, domain and e-mail';
  elsif operation_begin.verb = 'tenant.create' and exists (select from tenantdesk.tenant_state(known_tenant)) then
    -- Nobody writes into the chain of a tenant by announcing to create it.
    raise exception 'tenant % exists already', known_tenant using errcode = '23505';
  end if;
  if pg_catalog.length(operation_begin.object) > 200 then
    raise exception 'the object of an operation has at most 200 characters' using errcode = '22023';
  end if;
  insert into tenantdesk.operations (id, verb, tenant, object, request)
    values (operation_begin.id, operation_begin.verb, known_tenant, operation_begin.object, operation_begin.request);
  return tenantdesk.append(tenantdesk.chain_of(known_tenant), operation_begin.verb, operation_begin.object, 'intent', 'database', null,
    operation_begin.request, pg_catalog.jsonb_build_object('reason', operation_begin.reason, 'operation', operation_begin.id)::text);
end $$;

-- Written inside the transaction of the work, so it needs the tenant session in which that verb works.
create function tenantdesk.operation_mark(id uuid) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
declare
  o tenantdesk.operations;
  s tenantdesk.tenant_sessions := tenantdesk.live();
  purpose text;
begin
  select r.* into o from tenantdesk.operations r where r.id = operation_mark.id and r.operator = session_user and r.ended_at is null;
  if not found then
    raise exception 'no running operation %', operation_mark.id using errcode = 'P0002';
  end if;
  purpose := case o.verb when 'tenant.create' then 'provision' when 'restore' then 'restore' end;
  -- A mark says that the transaction of the work was committed: what has no transaction of its own leaves none.
  if purpose is null or s.purpose is distinct from purpose or o.tenant is not null and s.tenant is distinct from o.tenant then
    raise exception '% is marked in its own tenant session only', o.verb using errcode = '42501';
  end if;
  insert into tenantdesk.operation_marks (operation) values (o.id);
end $$;

-- Ends an operation. `ok` is believed only where the work's own transaction left its mark.
create function tenantdesk.operation_end(id uuid, outcome text, detail text) returns text
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
declare
  done tenantdesk.operations;
  sealed boolean := exists (select from tenantdesk.operation_marks m join tenantdesk.operations o on o.id = m.operation
    where m.operation = operation_end.id
      and (o.verb <> 'tenant.create' or o.tenant is null or exists (select from tenantdesk.tenant_state(o.tenant))));
  verdict text;
begin
  if operation_end.outcome is null or operation_end.outcome not in ('ok', 'failed', 'cancelled') then
    raise exception 'no outcome %', operation_end.outcome using errcode = '22023', hint = 'an outcome is ok, failed or cancelled';
  end if;
  verdict := case when operation_end.outcome = 'ok' and not sealed then 'ok, told by the client'
    when operation_end.outcome <> 'ok' and sealed then 'ok, although the client saw: ' || operation_end.outcome
    else operation_end.outcome end;
  update tenantdesk.operations o set ended_at = pg_catalog.clock_timestamp(), outcome = verdict
    where o.id = operation_end.id and o.operator = session_user and o.ended_at is null returning o.* into done;
  if not found then
    raise exception 'no running operation %', operation_end.id using errcode = 'P0002';
  end if;
  perform tenantdesk.append(tenantdesk.chain_of(done.tenant), done.verb, done.object, verdict, case when sealed then 'database' else 'client' end,
    null, done.request, case when operation_end.detail is null then null else pg_catalog.jsonb_build_object('detail', operation_end.detail)::text end);
  return verdict;
end $$;

create function tenantdesk.operation_state(id uuid) returns table (outcome text, marked boolean)
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
  select o.outcome, exists (select from tenantdesk.operation_marks m where m.operation = o.id)
  from tenantdesk.operations o where o.id = operation_state.id and o.operator = session_user;
end;

-- Statements of an impersonation: told by the client before they run and after. The shape has no literals;
-- of each literal only a keyed digest is kept, so that one can ask "was it this value?" and not "what was it?".
create function tenantdesk.statement_intent(shape text, literals text[], request uuid) returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp set lock_timeout = '3s' as $$
declare
  s tenantdesk.tenant_sessions := tenantdesk.live();
begin
  if s.id is null or s.purpose <> 'impersonate' then
    raise exception 'no live impersonation' using errcode = '42501', hint = 'it has expired or was ended; start another';
  elsif tenantdesk.why_unwelcome(s) is not null then
    raise exception 'the impersonation is over: %', tenantdesk.why_unwelcome(s) using errcode = '55000', hint = 'the next sweep ends it';
  end if;
  return tenantdesk.append('tenant:' || s.tenant, 'statement', s.mode, 'intent', 'client', s.id, statement_intent.request,
    pg_catalog.jsonb_build_object('sql', pg_catalog.left(shape, 4000), 'literals', tenantdesk.keyed_digests('tenant:' || s.tenant, literals))::text);
end $$;

-- The impersonation whose token is presented, also where it has ended: what ran into its end still has an outcome.
create function tenantdesk.told_impersonation() returns tenantdesk.tenant_sessions language plpgsql stable security definer
set search_path = pg_catalog, pg_temp as $$
declare
  s tenantdesk.tenant_sessions;
begin
  select t.* into s from tenantdesk.tenant_sessions t
    where t.digest = pg_catalog.sha256(pg_catalog.convert_to(pg_catalog.current_setting('tenantdesk.session', true), 'UTF8'))
      and t.operator = session_user and t.purpose = 'impersonate' and t.database = tenantdesk.this_database();
  if not found then
    raise exception 'no such impersonation' using errcode = '42501';
  end if;
  return s;
end $$;

create function tenantdesk.statement_outcome(intent bigint, outcome text, row_count bigint, bytes bigint, millis bigint, sqlstate text) returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  s tenantdesk.tenant_sessions := tenantdesk.told_impersonation();
begin
  -- One outcome for each intent: a token whose session has ended writes nothing new.
  if statement_outcome.outcome not in ('ok', 'failed', 'cancelled', 'stopped', 'lost') or not tenantdesk.is_open_intent('tenant:' || s.tenant, s.id, statement_outcome.intent) then
    raise exception 'no statement % of this impersonation waits for its outcome', statement_outcome.intent using errcode = '22023';
  end if;
  return tenantdesk.append('tenant:' || s.tenant, 'statement', s.mode, statement_outcome.outcome, 'client', s.id,
    tenantdesk.request_of('tenant:' || s.tenant, statement_outcome.intent),
    pg_catalog.jsonb_build_object('intent', intent, 'rows', row_count, 'bytes', bytes, 'millis', millis, 'sqlstate', sqlstate)::text);
end $$;

create function tenantdesk.security_event(kind text, detail text) returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  s tenantdesk.tenant_sessions := tenantdesk.live();
begin
  if s.id is null then
    raise exception 'no live session' using errcode = '42501';
  end if;
  if kind not in ('cross_tenant_leak_prevented') then
    raise exception 'no security event %', kind using errcode = '22023';
  end if;
  return tenantdesk.append('tenant:' || s.tenant, 'security.' || kind, s.purpose, 'alarm', 'client', s.id, s.request,
    pg_catalog.jsonb_build_object('detail', pg_catalog.left(security_event.detail, 1000))::text);
end $$;

-- Rows that leave an impersonation for a file: told before the file is written and after. What they were asked
-- with and how many they are, never what they hold.
create function tenantdesk.result_intent(shape text, format text, row_count bigint, request uuid) returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  s tenantdesk.tenant_sessions := tenantdesk.live();
begin
  if s.id is null or s.purpose <> 'impersonate' then
    raise exception 'no live impersonation' using errcode = '42501', hint = 'it has expired or was ended; start another';
  end if;
  if result_intent.format is null or result_intent.format not in ('csv', 'json') or result_intent.row_count is null or result_intent.row_count < 0 then
    raise exception 'an export of a result has a format, csv or json, and a number of rows' using errcode = '22023';
  end if;
  return tenantdesk.append('tenant:' || s.tenant, 'result.export', s.mode, 'intent', 'client', s.id, result_intent.request,
    pg_catalog.jsonb_build_object('sql', pg_catalog.left(result_intent.shape, 4000), 'format', result_intent.format, 'rows', result_intent.row_count)::text);
end $$;

create function tenantdesk.result_outcome(intent bigint, outcome text, row_count bigint, bytes bigint) returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  s tenantdesk.tenant_sessions := tenantdesk.told_impersonation();
begin
  if result_outcome.outcome is null or result_outcome.outcome not in ('ok', 'failed')
      or not tenantdesk.is_open_intent('tenant:' || s.tenant, s.id, result_outcome.intent, 'result.export') then
    raise exception 'no export % of this impersonation waits for its outcome', result_outcome.intent using errcode = '22023';
  end if;
  return tenantdesk.append('tenant:' || s.tenant, 'result.export', s.mode, result_outcome.outcome, 'client', s.id,
    tenantdesk.request_of('tenant:' || s.tenant, result_outcome.intent),
    pg_catalog.jsonb_build_object('intent', result_outcome.intent, 'rows', result_outcome.row_count, 'bytes', result_outcome.bytes)::text);
end $$;
grant execute on function tenantdesk.result_intent, tenantdesk.result_outcome to tenantdesk_operator;

set local role tenantdesk_ledger;
create function tenantdesk.keyed_digests(chain text, literals text[]) returns text[] language plpgsql stable security definer
set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
begin
  if pg_catalog.cardinality(literals) = 0 then
    return null;
  end if;
  return (select pg_catalog.array_agg(pg_catalog.left(pg_catalog.encode(pg_catalog.sha256(
      (select c.key from tenantdesk.chains c where c.chain = keyed_digests.chain) || pg_catalog.convert_to(l.value, 'UTF8')), 'hex'), 16) order by l.place)
    from pg_catalog.unnest(literals) with ordinality l (value, place));
end $$;
create function tenantdesk.is_open_intent(of_chain text, of_session bigint, of_intent bigint, of_action text default 'statement') returns boolean language plpgsql stable security definer
set search_path = pg_catalog, pg_temp as $$
begin
  return exists (select from tenantdesk.ledger l where l.chain = of_chain and l.seq = of_intent and l.session = of_session
      and l.action = of_action and l.outcome = 'intent')
    and not exists (select from tenantdesk.ledger l join tenantdesk.ledger_details d on d.chain = l.chain and d.seq = l.seq
      where l.chain = of_chain and l.seq > of_intent and l.session = of_session and l.action = of_action and l.outcome <> 'intent'
        and d.body::pg_catalog.jsonb ->> 'intent' = of_intent::text);
end $$;
create function tenantdesk.request_of(of_chain text, of_seq bigint) returns uuid language plpgsql stable security definer
set search_path = pg_catalog, pg_temp as $$
begin
  return (select l.request from tenantdesk.ledger l where l.chain = of_chain and l.seq = of_seq);
end $$;
grant execute on function tenantdesk.keyed_digests, tenantdesk.is_open_intent, tenantdesk.request_of to tenantdesk_owner;

-- Events, newest first; a page begins behind the last event of the page before, because several can be of one moment.
-- An approver sees all, support the tenants they entered, everybody their own.
create function tenantdesk.ledger_events(only_tenant text, only_operator text, only_action text, since timestamptz,
  before_at timestamptz, at_most integer, of_chain text default null, of_seq bigint default null,
  before_chain text default null, before_seq bigint default null)
returns table (chain text, seq bigint, at timestamptz, tenant text, actor text, action text, object text, outcome text,
  attested text, session bigint, request uuid, body text)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
declare
  mine text := tenantdesk.level();
begin
  perform tenantdesk.require('viewer', 'reading the ledger', true);
  return query
    select l.chain, l.seq, l.at, case when l.chain like 'tenant:%' then pg_catalog.substr(l.chain, 8) end, l.actor, l.action, l.object,
      l.outcome, l.attested, l.session, l.request, d.body
    from tenantdesk.ledger l left join tenantdesk.ledger_details d on d.chain = l.chain and d.seq = l.seq
    where (tenantdesk.rank(mine) >= 3 or tenantdesk.is_manager() or l.actor = session_user
        or (mine = 'support' and l.chain in (select 'tenant:' || e.tenant from tenantdesk.entered_tenants() e)))
      and (only_tenant is null or l.chain = 'tenant:' || only_tenant)
      and (only_operator is null or l.actor = only_operator)
      and (only_action is null or l.action = only_action or l.action like only_action || '.%')
      and (since is null or l.at >= since)
      and (before_at is null or l.at < before_at
        or l.at = before_at and (l.chain > before_chain or l.chain = before_chain and l.seq < before_seq))
      and (of_chain is null or l.chain = of_chain) and (of_seq is null or l.seq = of_seq)
    order by l.at desc, l.chain, l.seq desc limit least(at_most, 100000);
end $$;

-- Everything a verifier needs, in the order of the chain: raw fields, no text forms.
create function tenantdesk.ledger_chains() returns table (chain text, system text, epoch integer, seq bigint, hash bytea, key bytea, own_system text)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
  perform tenantdesk.require('approver', 'verifying the ledger', true);
  return query select c.chain, c.system, c.epoch, c.seq, c.hash, c.key,
      (select s.system_identifier::text || '/' || d.oid::text from pg_catalog.pg_control_system() s, pg_catalog.pg_database d
       where d.datname = pg_catalog.current_database())
    from tenantdesk.chains c order by c.chain;
end $$;
create function tenantdesk.ledger_rows(of_chain text, after_seq bigint, at_most integer)
returns table (seq bigint, epoch integer, at bytea, actor text, action text, object text, outcome text, attested text,
  session bigint, request uuid, detail bytea, prev bytea, hash bytea, body text)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
begin
  perform tenantdesk.require('approver', 'verifying the ledger', true);
  return query select l.seq, l.epoch, pg_catalog.timestamptz_send(l.at), l.actor, l.action, l.object, l.outcome, l.attested, l.session, l.request, l.detail, l.prev, l.hash, d.body
    from tenantdesk.ledger l left join tenantdesk.ledger_details d on d.chain = l.chain and d.seq = l.seq
    where l.chain = of_chain and l.seq > after_seq order by l.seq limit at_most;
end $$;
grant execute on function tenantdesk.ledger_events, tenantdesk.ledger_chains, tenantdesk.ledger_rows to tenantdesk_operator;

set local role tenantdesk_owner;
create function tenantdesk.entered_tenants() returns table (tenant text) language sql stable security definer
set search_path = pg_catalog, pg_temp
begin atomic
  -- Entered is what was opened for good: an opening that is rolled back tells nothing.
  select distinct s.tenant from tenantdesk.tenant_sessions s where s.operator = session_user and s.database = tenantdesk.this_database()
    and s.purpose in ('impersonate', 'export', 'restore') and pg_catalog.pg_xact_status(s.opened_xid) is distinct from 'in progress';
end;
grant execute on function tenantdesk.entered_tenants to tenantdesk_ledger;
grant execute on function tenantdesk.operation_begin, tenantdesk.operation_end, tenantdesk.operation_state,
  tenantdesk.statement_intent, tenantdesk.statement_outcome, tenantdesk.security_event to tenantdesk_operator;
grant execute on function tenantdesk.operation_mark to tenantdesk_provisioner, tenantdesk_archivist,
  tenantdesk_archive_inserter, tenantdesk_archive_changer;
