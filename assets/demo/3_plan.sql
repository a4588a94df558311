-- Demo fill, part 3: who the tenants are, how large, on which plan, and which of them are near or over a limit.
--
-- Sizes: acme has a quarter of all rows, the others a Zipf-like tail. Kinds take turns: a CRM, a client portal of an agency, a product that counts AI runs.
-- Pressure: from the fifth on, some are near (soft) or over (hard) one limit; the 13th (or the last) is the one suspended tenant.

-- Every company name a locale can make with two stems, used by tenants (stem = other stem) and their accounts.
create temporary table demo_companies on commit drop as
select w.ordinal, (s.n * 10 + o.n) * 4 + t.n as n, s.n as stem, o.n as other, t.n as trade,
    format(w.trades[t.n + 1], case when s.n = o.n then w.stems[s.n + 1]
        when w.locale in ('ja', 'zh', 'ko') then w.stems[s.n + 1] || w.stems[o.n + 1] else w.stems[s.n + 1] || ' ' || w.stems[o.n + 1] end) as name,
    case when s.n = o.n then w.stems_latin[s.n + 1] else w.stems_latin[s.n + 1] || '-' || w.stems_latin[o.n + 1] end || '-' || w.trades_latin[t.n + 1] as latin
from demo_words w, generate_series(0, 9) as s (n), generate_series(0, 9) as o (n), generate_series(0, 3) as t (n);

create temporary table demo_people on commit drop as
select w.ordinal, g.n * 12 + f.n as n,
    case when not w.family_first then w.given[g.n + 1] || ' ' || w.family[f.n + 1]
        when w.locale = 'ja' then w.family[f.n + 1] || ' ' || w.given[g.n + 1] else w.family[f.n + 1] || w.given[g.n + 1] end as name,
    w.given_latin[g.n + 1] || '.' || w.family_latin[f.n + 1] as latin
from demo_words w, generate_series(0, 11) as g (n), generate_series(0, 11) as f (n);

-- "Task: topic" and "Project: topic", with the colon that the script uses.
create temporary table demo_titles on commit drop as
select w.ordinal, t.n * 10 + o.n as n, w.tasks[t.n + 1] || case when w.locale in ('ja', 'zh') then '：' else ': ' end || w.topics[o.n + 1] as task,
    w.projects[t.n % 8 + 1] || case when w.locale in ('ja', 'zh') then '：' else ': ' end || w.topics[o.n + 1] as project
from demo_words w, generate_series(0, 11) as t (n), generate_series(0, 9) as o (n);

create temporary table demo_notes on commit drop as
select w.ordinal, n - 1 as n, note as body from demo_words w, unnest(w.notes) with ordinality as said (note, n);

create temporary table demo_limits on commit drop as
select * from (values ('starter', 5, 20, 500, 1073741824::bigint), ('growth', 50, 500, 10000, 53687091200), ('enterprise', 10000, 1000000, 50000000, 10995116277760))
    as plans (plan, users, projects, ai_runs, storage);

create temporary table demo_sizes on commit drop as
with ranked as (
    select r, s.*, r ^ (case when s.tenants < 10 then -0.3 else -0.9 end) as weight,
        case when s.tenants >= 5 then 0.25 else least(1, 1.2 / s.tenants) end as first_share
    from demo_settings s, generate_series(1, s.tenants) as r
), shared as (
    select *, case when r > 1 then 40 + floor((rows * (1 - first_share) - 40 * (tenants - 1)) * weight / sum(weight) filter (where r > 1) over ()) end::bigint as tail
    from ranked
)
select r, coalesce(tail, rows - coalesce(sum(tail) over (), 0))::integer as budget, now_at, month_at,
    case when r = 1 then 1 else 1 + ((r - 2) * 4) % 15 end as ordinal, (r - 2) / 15 as turn,
    case r % 3 when 1 then 'crm' when 2 then 'client_portal' else 'ai_product' end as kind,
    case when r < 5 then null else
        case when r < 25 then r % 12 else r % 80 end end as mark,
    r <= greatest(2, tenants / 40) as is_large, r <= tenants * 0.3 as is_medium,
    tenants > 1 and r = least(tenants, 13) as is_suspended
from shared;

-- One row a tenant with every count. The largest table of each kind takes what is left, so that the sum is the budget exactly.
create temporary table demo_tenants on commit drop as
with pressed as (
    select *, case when mark = 5 then 'projects over' when mark = 7 then 'users near' when mark = 8 then 'storage over' when mark = 9 and kind = 'ai_product' then 'ai near'
        when mark = 10 then 'users over' when mark = 11 then 'storage near' when mark = 3 and kind = 'ai_product' then 'ai over' else 'none' end as pressure
    from demo_sizes
), planned as (
    select *, case when pressure in ('projects over', 'users over', 'ai near', 'ai over') then 'starter'
        when is_large then 'enterprise' when is_medium then 'growth' else 'starter' end as plan
    from pressed
), people as (
    select p.*, l.users as users_limit, l.projects as projects_limit, l.ai_runs as ai_limit, l.storage as storage_limit,
        case pressure when 'users over' then l.users + 1 when 'users near' then least(l.users * 92 / 100, greatest(4, budget / 6))
            else least(case plan when 'starter' then case kind when 'client_portal' then 3 else 2 + pg_temp.demo_hash(r, 1, 21) % 2 end when 'growth' then 8 + pg_temp.demo_hash(r, 1, 21) % 23
                else 60 + 80 * (r = 1)::integer end, greatest(case kind when 'client_portal' then 3 else 2 end, budget / 20)) end as active,
        1 + (budget > 400)::integer as invited, (budget > 200)::integer + (budget > 5000)::integer * 3 as disabled,
        case plan when 'starter' then 1 when 'growth' then 2 else 4 end as workspaces, case plan when 'starter' then 1 when 'growth' then 3 else 6 end as api_keys
    from planned p join demo_limits l using (plan)
), settled as (
    select *, case pressure when 'projects over' then projects_limit + 2
        else greatest(1, least(case kind when 'client_portal' then budget / 25 else budget / 80 end, projects_limit * (20 + pg_temp.demo_hash(r, 1, 22) % 50) / 100)) end as projects,
        active + invited + disabled as members
    from people
), rest as (
    select *, budget - 2 - members - workspaces - api_keys - projects as free from settled
), shares as (
    select *, greatest(1, free * (case kind when 'crm' then 0.05 when 'client_portal' then 0.02 else 0.01 end))::integer as accounts,
        (free * case kind when 'crm' then 0.13 when 'client_portal' then 0.04 else 0.015 end)::integer as contacts,
        (free * case kind when 'crm' then 0.09 when 'client_portal' then 0.01 else 0.01 end)::integer as deals,
        (free * case kind when 'crm' then 0.17 when 'client_portal' then 0.03 else 0.01 end)::integer as notes,
        (free * case kind when 'crm' then 0.04 when 'client_portal' then 0.27 else 0.03 end)::integer as comments,
        (free * case kind when 'crm' then 0.02 when 'client_portal' then 0.06 else 0.04 end)::integer as documents,
        (free * case kind when 'crm' then 0.02 when 'client_portal' then 0.05 else 0.01 end)::integer as invoices,
        greatest(2, free * case kind when 'crm' then 0.02 when 'client_portal' then 0.09 else 0.03 end)::integer as files,
        (free * case kind when 'crm' then 0.08 when 'client_portal' then 0 else 0.05 end)::integer as some_tasks,
        (free * case kind when 'crm' then 0 when 'client_portal' then 0.04 else 0.015 end)::integer as some_activities,
        (free * case kind when 'crm' then 0.02 when 'client_portal' then 0.03 else 0 end)::integer as some_ai_runs
    from rest
), filled as (
    select *, free - accounts - contacts - deals - notes - comments - documents - invoices - files - some_tasks - some_activities - some_ai_runs as largest from shares
), counted as (
    select *, some_tasks + case kind when 'client_portal' then largest else 0 end as tasks,
        some_activities + case kind when 'crm' then largest else 0 end as activities,
        some_ai_runs + case kind when 'ai_product' then largest else 0 end as ai_runs,
        now_at - make_interval(days => case when r = 1 then 680 else 70 + pg_temp.demo_hash(r, 1, 23) % 600 end, hours => pg_temp.demo_hash(r, 1, 24) % 11) as created_at
    from filled
)
select c.*, pg_temp.demo_id(14, r, 0) as id, now_at - created_at as age,
    least(ai_runs, case pressure when 'ai over' then ai_limit * 106 / 100 when 'ai near' then ai_limit * 90 / 100
        else least(ai_runs * 0.3, ai_limit * 0.6)::integer end) as ai_month,
    case pressure when 'storage over' then storage_limit * 104 / 100 when 'storage near' then storage_limit * 87 / 100
        else least(storage_limit * (5 + pg_temp.demo_hash(r, 1, 25) % 55) / 100, files * 40000000::bigint) end as storage,
    case when kind = 'client_portal' then case plan when 'starter' then 2 else 4 end else 0 end as staff, (r - 2) / 18 as agency,
    case when r = 1 then 'Acme' else m.name || case when turn >= 40 then ' ' || w.cities[(turn / 40 - 1) % 4 + 1] else '' end
        || case when turn >= 200 then ' ' || (turn - 40) / 160 + 1 else '' end end as name,
    case when r = 1 then 'acme' else m.latin || case when turn >= 40 then '-' || w.cities_latin[(turn / 40 - 1) % 4 + 1] else '' end
        || case when turn >= 200 then '-' || (turn - 40) / 160 + 1 else '' end end as slug,
    w.locale, w.country, w.currency, w.time_zone, w.region
from counted c join demo_words w using (ordinal)
    left join demo_companies m on m.ordinal = c.ordinal and m.stem = c.turn % 10 and m.other = m.stem and m.trade = (c.turn % 10 + c.turn / 10) % 4;

analyze demo_tenants; analyze demo_people; analyze demo_companies;

-- Members. In a client portal the first after the owner are staff of the agency that runs it: its lead is in all of its six portals, four others take turns.
create temporary table demo_members on commit drop as
with numbered as (
    select t.r, t.id as tenant_id, m.n, m.n - 1 between 0 and t.staff - 1 and m.n < t.active as is_staff, t.agency, t.ordinal, t.slug, t.active, t.invited, t.created_at, t.age, t.now_at,
        case m.n when 1 then 0 else 1 + (m.n + t.r / 3) % 4 end as staff_n
    from demo_tenants t, generate_series(0, t.members - 1) as m (n)
), named as (
    select d.*, p.name, p.latin || case when is_staff then '' when d.n >= 144 then (d.n / 144 + 1)::text else '' end as local_part
    from numbered d join demo_people p on p.ordinal = case when is_staff then 1 + d.agency * 7 % 15
            when pg_temp.demo_hash(d.r, d.n, 32) % 5 = 0 then 1 + (d.ordinal + d.n) % 15 else d.ordinal end
        and p.n = case when is_staff then (d.agency * 31 + staff_n * 13) % 144 else (d.r * 13 + d.n * 7) % 144 end
)
select r, tenant_id, n, name, case when is_staff then pg_temp.demo_id(1, -1 - agency, staff_n) else pg_temp.demo_id(1, r, n) end as user_id,
    local_part || case when is_staff then '@' || (array['studio-nordlicht', 'pixelwerk', 'blue-heron-agency', 'atelier-numerique', 'kumo-creative', 'oficina-clara'])[agency % 6 + 1]
            || case when agency >= 6 then '-' || agency / 6 + 1 else '' end
        else coalesce('.' || nullif(row_number() over (partition by r, is_staff, local_part order by n), 1), '') || '@' || slug end || '.example' as email,
    case when n = 0 then 'owner' when is_staff and n = 1 then 'admin' when n % 9 = 4 then 'admin' when n % 5 = 3 then 'viewer' else 'member' end as role,
    case when n < active then 'active' when n < active + invited then 'invited' else 'disabled' end as state,
    created_at + age * (n::double precision / (n + 8)) as created_at, is_staff, now_at
from named;

create index on demo_members (r, n);
create index on demo_tenants (r);
analyze demo_titles; analyze demo_notes; analyze demo_members; analyze demo_words;
