-- What keeps the guard from being whole, or an export from being complete, and is not excepted with a reason.
select o.object, o.why, o.fix
from (
  select d.object, d.why, d.fix from tenantdesk.open_doors d
  union all
  select d.object, d.why, d.fix from tenantdesk.drop_owned d
  union all
  select l.object, l.why, pg_catalog.format('tenantdesk setup --except %s --reason "why it is safe"', pg_catalog.quote_literal(l.object))
  from tenantdesk.lent_functions l
  union all
  select h.object, h.why, pg_catalog.format('tenantdesk setup --except %s --reason "why it may hide rows"', pg_catalog.quote_literal(h.object))
  from tenantdesk.hiding_policies h
) o
where not exists (select from tenantdesk.exceptions e where e.object = o.object)
order by 1
