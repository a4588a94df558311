-- The ledger: append-only, hash-chained, one chain per tenant and one for the installation.
-- Owned by a role without login; operators reach it only through definer functions of 0002 to 0005.
-- The order of a chain is held by a row lock on its head, never by a sequence or an advisory lock.

set local role tenantdesk_ledger;

create table tenantdesk.chains (
  chain text primary key,
  epoch integer not null default 1,
  system text not null,
  seq bigint not null default 0,
  hash bytea not null default '\x'::bytea,
  -- Salts the digests of personal details; erasing it (with the details) keeps the chain whole.
  key bytea not null default pg_catalog.decode(
    pg_catalog.replace(pg_catalog.gen_random_uuid()::text || pg_catalog.gen_random_uuid()::text, '-', ''), 'hex')
);
comment on table tenantdesk.chains is 'The head of each chain of the ledger: installation, or tenant:<id>';

create table tenantdesk.ledger (
  chain text not null references tenantdesk.chains,
  seq bigint not null,
  epoch integer not null,
  at timestamptz not null,
  actor text not null,
  action text not null,
  object text not null,
  outcome text not null,
  attested text not null constraint ledger_attested_by check (attested in ('database', 'client', 'claimed')),
  session bigint,
  request uuid,
  detail bytea,
  prev bytea not null,
  hash bytea not null,
  constraint ledger_key primary key (chain, seq),
  constraint ledger_does_not_fork unique (chain, prev)
);
create index ledger_by_time on tenantdesk.ledger (at);

-- Personal data (reasons, tickets, addresses, statement texts) stands beside the chain; the chain covers its digest.
create table tenantdesk.ledger_details (
  chain text not null,
  seq bigint not null,
  body text not null,
  constraint ledger_details_key primary key (chain, seq),
  constraint ledger_details_of_event foreign key (chain, seq) references tenantdesk.ledger
);

create function tenantdesk.refuse_change() returns trigger language plpgsql
set search_path = pg_catalog, pg_temp as $$
begin
  raise exception 'the ledger is append-only' using errcode = '42501';
end $$;
create trigger ledger_no_change before update or delete on tenantdesk.ledger
  for each row execute function tenantdesk.refuse_change();
create trigger ledger_no_truncate before truncate on tenantdesk.ledger
  for each statement execute function tenantdesk.refuse_change();
create trigger chains_no_delete before delete on tenantdesk.chains
  for each row execute function tenantdesk.refuse_change();
create trigger chains_no_truncate before truncate on tenantdesk.chains
  for each statement execute function tenantdesk.refuse_change();
create trigger details_no_change before update on tenantdesk.ledger_details
  for each row execute function tenantdesk.refuse_change();

-- The hashed form of texts: each with its length before it; NULL is a length that no text has. plpgsql, whose
-- expressions are planned once a session; it is called with the caller's fixed search_path.
create function tenantdesk.fields(texts text[]) returns bytea language plpgsql immutable parallel safe
set search_path = pg_catalog, pg_temp as $$
begin
  return (select pg_catalog.string_agg(case when t.value is null then '\xffffffff'::bytea
      else pg_catalog.int4send(pg_catalog.octet_length(pg_catalog.convert_to(t.value, 'UTF8'))) || pg_catalog.convert_to(t.value, 'UTF8') end, ''::bytea order by t.place)
    from pg_catalog.unnest(texts) with ordinality t (value, place));
end $$;

-- The hash of an event. Binary fields only: no setting of a session can change the form.
-- The same bytes are built in src/audit/chain.rs, which verifies without the database.
create function tenantdesk.event_hash(system text, event tenantdesk.ledger) returns bytea language plpgsql immutable parallel safe
set search_path = pg_catalog, pg_temp as $$
begin
  return pg_catalog.sha256(pg_catalog.convert_to('tenantdesk.ledger.1', 'UTF8')
    || tenantdesk.fields(array[system, event.chain])
    || pg_catalog.int4send(event.epoch) || pg_catalog.int8send(event.seq) || pg_catalog.timestamptz_send(event.at)
    || tenantdesk.fields(array[event.actor, event.action, event.object, event.outcome, event.attested, event.session::text,
      event.request::text, pg_catalog.encode(event.detail, 'hex'), pg_catalog.encode(event.prev, 'hex')]));
end $$;

-- Appends one event. Only the owner roles may call it; the actor is always session_user.
create function tenantdesk.append(
  chain text, action text, object text, outcome text, attested text,
  session bigint, request uuid, body text
) returns bigint language plpgsql security definer
set search_path = pg_catalog, pg_temp set lock_timeout = '3s' as $$
declare
  head tenantdesk.chains;
  event tenantdesk.ledger;
begin
  select c.* into head from tenantdesk.chains c where c.chain = append.chain for update;
  if not found then
    insert into tenantdesk.chains (chain, system)
      -- Server and database: a copy of either carries a system that is not its own, and verify says so.
      values (append.chain, (select c.system_identifier::text || '/' || d.oid::text
        from pg_catalog.pg_control_system() c, pg_catalog.pg_database d where d.datname = pg_catalog.current_database()))
      on conflict do nothing;
    select c.* into strict head from tenantdesk.chains c where c.chain = append.chain for update;
  end if;
  event.chain := head.chain;
  event.seq := head.seq + 1;
  event.epoch := head.epoch;
  event.at := pg_catalog.clock_timestamp();
  event.actor := session_user;
  event.action := append.action;
  event.object := append.object;
  event.outcome := append.outcome;
  event.attested := append.attested;
  event.session := append.session;
  event.request := append.request;
  event.detail := case when body is null then null
    else pg_catalog.sha256(pg_catalog.convert_to('tenantdesk.detail.1', 'UTF8') || head.key || pg_catalog.convert_to(body, 'UTF8')) end;
  event.prev := head.hash;
  event.hash := tenantdesk.event_hash(head.system, event);
  insert into tenantdesk.ledger select (event).*;
  if body is not null then
    insert into tenantdesk.ledger_details values (event.chain, event.seq, append.body);
  end if;
  update tenantdesk.chains c set seq = event.seq, hash = event.hash where c.chain = event.chain;
  return event.seq;
exception when lock_not_available then
  raise exception 'the chain % of the ledger is held by another transaction', append.chain
    using errcode = '55P03', hint = 'tenantdesk.unblock() ends operators'' backends that hold a chain for more than 3 seconds';
end $$;
grant execute on function tenantdesk.append to tenantdesk_owner, tenantdesk_registrar;
