-- After a restore the sequences of the target must be past the restored keys. They belong to the application:
-- a role of ours that could set them could set them back, so only this function may, and only upwards.

set local role tenantdesk_owner;

create function tenantdesk.advance_sequence(sequence text, at_least bigint) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  name pg_catalog.regclass := sequence::pg_catalog.regclass;
  last_value bigint;
  called boolean;
  step integer;
begin
  if tenantdesk.archive_writes() is null then
    raise exception 'no live restore' using errcode = '42501';
  end if;
  -- A view under that name would run its functions as this one's owner.
  if not exists (select from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
      where c.oid = name and c.relkind = 'S' and n.nspname !~ '^(pg_|tenantdesk(_read|_write|_provision|_move|_restore|_host)?$)') then
    raise exception '% is no sequence of the application', name using errcode = '42809';
  end if;
  execute pg_catalog.format('select s.last_value, s.is_called from %s s', name) into last_value, called;
  if at_least < last_value or (at_least = last_value and called) then
    return;
  end if;
  -- Drawing keeps every concurrent draw unique; only a gap too wide to draw is set.
  step := least(at_least - last_value + 1, 100000);
  for i in 1 .. step loop
    last_value := pg_catalog.nextval(name);
    exit when last_value >= at_least;
  end loop;
  if last_value < at_least then
    perform pg_catalog.setval(name, greatest(at_least, pg_catalog.nextval(name)));
  end if;
end $$;
grant execute on function tenantdesk.advance_sequence to tenantdesk_archivist, tenantdesk_archive_inserter;

-- One restore of a tenant at a time, until the transaction ends. A row of ours and no advisory lock: those any login could hold.
create table tenantdesk.restore_turns (tenant text primary key);
create function tenantdesk.take_restore_turn() returns boolean language plpgsql security definer
set search_path = pg_catalog, pg_temp set lock_timeout = '200ms' as $$
declare
  of_tenant text := tenantdesk.archive_writes();
begin
  if of_tenant is null then
    raise exception 'no live restore' using errcode = '42501';
  end if;
  insert into tenantdesk.restore_turns (tenant) values (of_tenant) on conflict do nothing;
  perform from tenantdesk.restore_turns t where t.tenant = of_tenant for update;
  return true;
exception when lock_not_available then
  return false;
end $$;
grant execute on function tenantdesk.take_restore_turn to tenantdesk_archivist;
