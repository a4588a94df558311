-- Live control: what lives now, on which connections, and what it did so far; and all that the ledger has of one session.

set local role tenantdesk_ledger;

create index ledger_by_session on tenantdesk.ledger (session, seq) where session is not null;

-- What sessions did so far, as their client told it. Sums of what somebody claims cannot overflow.
create function tenantdesk.tallies(of_sessions bigint[])
returns table (session bigint, statements bigint, row_count bigint, bytes bigint, last_at timestamptz, last_sql text, last_outcome text)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
declare
  most constant numeric := 9223372036854775807;
begin
  return query
    with told as (
      select l.session, l.seq, l.at, l.outcome, d.body::pg_catalog.jsonb as body
      from tenantdesk.ledger l left join tenantdesk.ledger_details d on d.chain = l.chain and d.seq = l.seq
      where l.session = any (of_sessions) and l.action = 'statement'),
    summed as (
      select t.session, pg_catalog.count(*) filter (where t.outcome = 'intent') as statements,
        pg_catalog.sum((t.body ->> 'rows')::numeric) as row_count, pg_catalog.sum((t.body ->> 'bytes')::numeric) as bytes,
        pg_catalog.max(t.seq) filter (where t.outcome = 'intent') as last_seq
      from told t group by t.session)
    select s.session, s.statements, least(greatest(coalesce(s.row_count, 0), 0), most)::bigint,
      least(greatest(coalesce(s.bytes, 0), 0), most)::bigint, i.at, i.body ->> 'sql',
      (select o.outcome from told o where o.session = s.session and o.seq > s.last_seq and o.body ->> 'intent' = s.last_seq::text limit 1)
    from summed s left join told i on i.session = s.session and i.seq = s.last_seq;
end $$;
grant execute on function tenantdesk.tallies to tenantdesk_killer;

set local role tenantdesk_owner;

-- The chain in which a session is recorded, or null where it is not one's to see.
create function tenantdesk.chain_of_session(of_session bigint) returns text language plpgsql stable security definer
set search_path = pg_catalog, pg_temp as $$
begin
  return (select tenantdesk.chain_of(s.tenant) from tenantdesk.tenant_sessions s
    where s.id = of_session and s.database = tenantdesk.this_database()
      and (s.operator = session_user or tenantdesk.rank(tenantdesk.level()) >= 3));
end $$;
grant execute on function tenantdesk.chain_of_session to tenantdesk_ledger;

set local role tenantdesk_ledger;

-- All that is recorded of one session, in order: one's own, or as an approver anybody's.
create function tenantdesk.session_events(of_session bigint, after_seq bigint default 0, at_most integer default 1000)
returns table (chain text, seq bigint, at timestamptz, tenant text, actor text, action text, object text, outcome text,
  attested text, session bigint, request uuid, body text)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
declare
  of_chain text;
begin
  perform tenantdesk.require('viewer', 'reading the ledger');
  of_chain := tenantdesk.chain_of_session(of_session);
  return query
    select l.chain, l.seq, l.at, pg_catalog.substr(l.chain, 8), l.actor, l.action, l.object, l.outcome, l.attested, l.session, l.request, d.body
    from tenantdesk.ledger l left join tenantdesk.ledger_details d on d.chain = l.chain and d.seq = l.seq
    where l.session = of_session and l.chain = of_chain and l.seq > session_events.after_seq
    order by l.seq limit least(session_events.at_most, 100000);
end $$;
grant execute on function tenantdesk.session_events to tenantdesk_operator;

-- What lives, newest first: an approver sees all, everybody his own. The killer asks, because a member of every operator's login
-- sees what their connections do. The text of a statement is the ledger's, without literals, never the server's. `unnamed` counts
-- the connections of that login that say of no live session that they are its: by that name nothing is proven, it is a label.
set local role tenantdesk_killer;
create function tenantdesk.live_sessions(only_session bigint default null, at_most integer default 1000)
returns table (id bigint, operator text, tenant text, purpose text, mode text, reason text, ticket text, member_email text, member_role text,
  opened_at timestamptz, expires_at timestamptz, statements bigint, row_count bigint, bytes bigint,
  last_at timestamptz, last_sql text, last_outcome text, backends jsonb, unnamed bigint)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
declare
  sees_all boolean;
begin
  perform tenantdesk.require('viewer', 'listing sessions');
  sees_all := tenantdesk.rank(tenantdesk.level()) >= 3;
  return query
    with live as materialized (
      select s.*, o.login from tenantdesk.tenant_sessions s join tenantdesk.operators o on o.name = s.operator
      where s.ended_at is null and s.expires_at > pg_catalog.clock_timestamp() and s.database = tenantdesk.this_database()
        and (only_session is null or s.id = only_session) and (sees_all or s.operator = session_user)
      order by s.id desc limit least(at_most, 10000)),
    -- One look at the server's connections for all of them.
    connected as materialized (
      select a.pid, a.usesysid, a.application_name, a.state, a.wait_event_type, a.wait_event,
        case when a.state = 'active' then a.query_start else a.state_change end as since
      from pg_catalog.pg_stat_activity a
      where a.datname = pg_catalog.current_database() and a.pid <> pg_catalog.pg_backend_pid() and a.usesysid in (select l.login from live l)),
    named as (
      select l.id, pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object('pid', c.pid, 'state', c.state, 'since', pg_catalog.to_char(
          c.since at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), 'wait', c.wait_event_type || ':' || c.wait_event) order by c.pid) as backends
      from live l join connected c on c.usesysid = l.login and c.application_name = 'tenantdesk/' || l.id group by l.id),
    others as (
      select c.usesysid, pg_catalog.count(*) as unnamed from connected c
      where not exists (select from tenantdesk.tenant_sessions s join tenantdesk.operators o on o.name = s.operator
        where s.ended_at is null and o.login = c.usesysid and c.application_name = 'tenantdesk/' || s.id)
      group by c.usesysid)
    select l.id, l.operator, l.tenant, l.purpose, l.mode, l.reason, l.ticket, l.member_email, l.member_role, l.opened_at, l.expires_at,
      coalesce(t.statements, 0), coalesce(t.row_count, 0), coalesce(t.bytes, 0), t.last_at, t.last_sql, t.last_outcome,
      coalesce(n.backends, '[]'), coalesce(u.unnamed, 0)
    from live l left join named n on n.id = l.id left join others u on u.usesysid = l.login
      left join tenantdesk.tallies((select pg_catalog.array_agg(l2.id) from live l2)) t on t.session = l.id
    order by l.id desc;
end $$;
grant execute on function tenantdesk.live_sessions to tenantdesk_operator;

set local role tenantdesk_owner;
