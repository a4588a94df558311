-- As tenantdesk_ledger: all of it, one event a row, with what stands beside the chain.
select (pg_catalog.to_jsonb(l) || pg_catalog.jsonb_build_object('system', c.system, 'body', d.body))::text
from tenantdesk.ledger l
join tenantdesk.chains c on c.chain = l.chain
left join tenantdesk.ledger_details d on d.chain = l.chain and d.seq = l.seq
order by l.chain, l.seq
