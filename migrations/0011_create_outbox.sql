-- What a tenant, or an operator, is to be told: a row in the transaction of the event itself, so that nothing is told of what did
-- not happen and nothing that happened is not told. The application reads its tenant's rows; a worker sends the rest by e-mail or webhook.

set local role tenantdesk_owner;

create table tenantdesk.outbox (
  id bigint generated always as identity primary key,
  at timestamptz not null default pg_catalog.clock_timestamp(),
  -- Whom it concerns; null is the installation.
  tenant text,
  audience text not null constraint outbox_audience check (audience in ('tenant', 'operator')),
  -- The operator who is to be told; the tenant's own people are known to the application only.
  operator text,
  topic text not null constraint outbox_topic check (topic ~ '^[a-z][a-z0-9_.]{0,62}$'),
  body jsonb not null default '{}' constraint outbox_body check (pg_catalog.octet_length(body::text) <= 8192),
  session bigint,
  constraint outbox_names_who check ((audience = 'tenant') = (tenant is not null and operator is null) and (audience = 'operator') = (operator is not null))
);
create index outbox_by_tenant on tenantdesk.outbox (tenant, id) where audience = 'tenant';

-- Tells a tenant (audience 'tenant': `who` is its id) or one operator (`who` is his name; `tenant` what it is about).
create function tenantdesk.tell(audience text, who text, tenant text, topic text, body jsonb, session bigint) returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  told bigint;
begin
  insert into tenantdesk.outbox (audience, operator, tenant, topic, body, session)
    values (tell.audience, case when tell.audience = 'operator' then tell.who end,
      case when tell.audience = 'tenant' then tell.who else tell.tenant end, tell.topic, tell.body, tell.session)
    returning id into told;
  return told;
end $$;
