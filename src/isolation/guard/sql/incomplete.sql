-- What keeps the guard from being whole, or an export from being complete, and is not excepted with a reason.
select r.object, r.why, r.fix
from tenantdesk.reported r
where not exists (select from tenantdesk.exceptions e where e.object = r.object)
order by 1
