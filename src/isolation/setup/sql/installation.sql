-- As tenantdesk_operator: what the control schema says of the installation.
select s.manager, s.suspended, s.limits, s.close_doors, s.pin_public, s.fingerprint, s.guard, s.migrations, s.excepted,
  tenantdesk.map_document() as map, tenantdesk.decision_document() as decisions
from tenantdesk.setup_state() s
