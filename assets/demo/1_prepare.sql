-- Demo fill, part 1 of 8: fills the starter schema with tenants that look alive.
--
-- How to run: ONE connection as a superuser (row level security of the tables does not apply to it), ONE transaction:
--   begin; select set_config('demo.tenants', '200', true), set_config('demo.rows', '1000000', true); 1_prepare.sql .. 8_finish.sql in order; commit;
-- Settings: demo.tenants (default 25), demo.rows (default 1000 a tenant, at least 80), demo.now (default now; "today" of the data).
-- Everything is computed by hashes of numbers, nothing is random: same settings, same rows, same ids.
-- demo.rows is the exact sum over the root, keyed and derived tables; the few people in app_users come on top.
--
-- session_replication_role = replica: no trigger fires. Foreign keys are right by construction (verify.sql proves it), and the limit triggers must let pass
-- the tenants that are over their plan. Counters kept by such triggers have to be counted anew afterwards.

set local session_replication_role = replica;
set local work_mem = '128MB';
set local jit = off;
set local timezone = 'UTC';
set local client_min_messages = warning;

create temporary table demo_settings on commit drop as
select tenants, greatest(coalesce(nullif(current_setting('demo.rows', true), '')::bigint, tenants * 1000::bigint), tenants * 80::bigint) as rows,
    now_at, date_trunc('month', now_at) as month_at
from (select coalesce(nullif(current_setting('demo.tenants', true), '')::integer, 25) as tenants,
        coalesce(nullif(current_setting('demo.now', true), '')::timestamptz, date_trunc('minute', now())) as now_at) as asked;

do $$
begin
    if (select tenants not between 1 and 100000 or rows > 200000000 from demo_settings) then
        raise exception 'the demo makes 1 to 100,000 tenants and at most 200,000,000 rows' using errcode = 'invalid_parameter_value';
    end if;
    if exists (select from app.tenants where slug = 'acme') then
        raise exception 'the demo tenants are here already' using errcode = 'unique_violation', hint = 'reset the demo first: this empties the starter schema';
    end if;
end $$;

-- A number from 0 to 2^31-1 that looks random and is always the same. salt (below 4096) keeps the uses of one number apart.
-- The tenant goes into the seed: hashint8extended folds its own argument to 32 bits, so (tenant, n) packed into it would collide.
create function pg_temp.demo_hash(tenant integer, n integer, salt integer) returns integer language sql immutable parallel safe as
$$ select (hashint8extended(n, (tenant::bigint << 12) | salt) & 2147483647)::integer $$;

-- The id of the n-th thing of a kind of a tenant, in the form of a version 4 UUID: children compute their parent's id instead of looking it up.
create function pg_temp.demo_id(kind integer, tenant integer, n integer) returns uuid language sql immutable parallel safe as $$
    select encode(
        int8send((hashint8extended(n, (tenant::bigint << 12) | kind) & ~61440::bigint) | 16384)
        || int8send((hashint8extended(n, (tenant::bigint << 12) | kind + 1000) & 4611686018427387903) | (-9223372036854775808)), 'hex')::uuid
$$;
-- Kinds: 1 person, 2 workspace, 3 project, 4 task, 5 account, 6 contact, 7 deal, 8 note, 9 activity, 10 document, 11 invoice, 12 file, 13 key, 14 tenant.
