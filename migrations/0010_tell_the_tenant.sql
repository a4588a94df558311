-- The application's side of the ledger: a tenant reads its own trail, and the application adds events of its own.
-- Both are for the tenant that the application's transaction is in, by its own setting.

set local role tenantdesk_owner;

-- The tenant that the application's setting names, or null; it must exist.
create function tenantdesk.named_tenant() returns text language plpgsql stable security definer
set search_path = pg_catalog, pg_temp as $$
declare
  named text := tenantdesk.tenant_id(tenantdesk.application_tenant());
begin
  return case when exists (select from tenantdesk.tenant_state(named)) then named end;
end $$;
grant execute on function tenantdesk.named_tenant to tenantdesk_ledger;

-- An event that the application tells of. Its words are its own: the actor is the application's login, the person whom it names is
-- marked as claimed, and all of it stands beside the chain, where it can be erased.
create function tenantdesk.audit_event(action text, actor text default null, detail jsonb default '{}') returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
declare
  of_tenant text := tenantdesk.named_tenant();
begin
  if of_tenant is null then
    raise exception 'an event needs a tenant' using errcode = '22004',
      hint = 'set the tenant setting in the transaction that tells of the event';
  end if;
  if audit_event.action is null or audit_event.action !~ '^[a-z][a-z0-9_.]{0,62}$' then
    raise exception 'no action can be named so' using errcode = '22023', hint = 'use up to 63 of a-z, 0-9, _ and dots, starting with a letter';
  end if;
  if pg_catalog.length(audit_event.actor) > 200 or pg_catalog.octet_length(audit_event.detail::text) > 8192 then
    raise exception 'the event is too large' using errcode = '22023', hint = 'an actor has at most 200 characters, a detail at most 8 KiB';
  end if;
  return tenantdesk.append('tenant:' || of_tenant, 'application.' || audit_event.action, 'application', 'ok', 'claimed', null, null,
    pg_catalog.jsonb_build_object('actor', audit_event.actor, 'detail', audit_event.detail)::text);
end $$;

set local role tenantdesk_ledger;

-- What was done in the tenant by operators, newest first: when, what, why, as whom. Who it was is a label that is the same
-- for the same operator in this tenant and tells nobody his name.
create function tenantdesk.tenant_audit(since timestamptz default null, at_most integer default 100, before_seq bigint default null)
returns table (seq bigint, at timestamptz, operator text, action text, object text, outcome text, reason text, member text)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
declare
  own_chain text := 'tenant:' || tenantdesk.named_tenant();
begin
  return query
    select l.seq, l.at,
      'operator ' || pg_catalog.left(pg_catalog.encode(pg_catalog.sha256(c.key || pg_catalog.convert_to('operator ' || l.actor, 'UTF8')), 'hex'), 8),
      -- The object of an end is the operator's name.
      l.action, case when l.action like '%.end' then '' else l.object end, l.outcome, d.body::pg_catalog.jsonb ->> 'reason', d.body::pg_catalog.jsonb ->> 'member'
    from tenantdesk.ledger l join tenantdesk.chains c on c.chain = l.chain
      left join tenantdesk.ledger_details d on d.chain = l.chain and d.seq = l.seq
    where l.chain = own_chain and l.attested <> 'claimed' and (tenant_audit.since is null or l.at >= tenant_audit.since)
      and (tenant_audit.before_seq is null or l.seq < tenant_audit.before_seq)
    order by l.seq desc limit least(tenant_audit.at_most, 1000);
end $$;
