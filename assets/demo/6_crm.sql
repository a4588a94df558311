-- Demo fill, part 6: accounts, contacts, deals, notes, activities.

-- Six of ten accounts are from the tenant's own country. Accounts of one name in two cities are branches.
create temporary table demo_accounts on commit drop as
select t.r, a.n, t.id as tenant_id, c.name || case when a.n >= 400 then ', ' || w.cities[a.n / 400 % 4 + 1] else '' end as name, c.latin,
    w.cities[case when a.n >= 400 then a.n / 400 else pg_temp.demo_hash(t.r, a.n, 203) end % 4 + 1] as city,
    w.country, w.phone, w.jobs, w.currency, place.ordinal, t.created_at + t.age * (a.n::double precision / t.accounts) as created_at
from demo_tenants t
    cross join lateral generate_series(0, t.accounts - 1) as a (n)
    cross join lateral (select case when pg_temp.demo_hash(t.r, a.n, 201) % 10 < 6 then t.ordinal else 1 + pg_temp.demo_hash(t.r, a.n, 202) % 15 end) as place (ordinal)
    join demo_words w on w.ordinal = place.ordinal
    join demo_companies c on c.ordinal = place.ordinal and c.n = (a.n * 7 + t.r * 53) % 400;
create index on demo_accounts (r, n);
analyze demo_accounts;

insert into app.accounts (tenant_id, id, name, industry, website, city, country_code, owner_id, created_at)
select a.tenant_id, pg_temp.demo_id(5, a.r, a.n), a.name, (array['manufacturing', 'logistics', 'retail', 'health', 'education', 'software', 'food', 'energy'])[pg_temp.demo_hash(a.r, a.n, 204) % 8 + 1],
    'https://' || a.latin || '.example', a.city, a.country, m.user_id, a.created_at
from demo_accounts a join demo_tenants t using (r) join demo_members m on m.r = a.r and m.n = pg_temp.demo_hash(a.r, a.n, 205) % t.active
order by a.created_at, a.r, a.n;

-- The n-th contact works at the account n modulo the accounts; deals rely on it.
insert into app.contacts (tenant_id, id, account_id, name, email, phone, job_title, created_at)
select t.id, pg_temp.demo_id(6, t.r, c.n), pg_temp.demo_id(5, t.r, a.n), p.name, p.latin || '@' || a.latin || '.example',
    a.phone || ' ' || 1000000 + pg_temp.demo_hash(t.r, c.n, 211) % 9000000, a.jobs[pg_temp.demo_hash(t.r, c.n, 212) % 6 + 1],
    t.created_at + t.age * (c.n::double precision / t.contacts)
from demo_tenants t
    cross join lateral generate_series(0, t.contacts - 1) as c (n)
    join demo_accounts a on a.r = t.r and a.n = c.n % t.accounts
    join demo_people p on p.ordinal = a.ordinal and p.n = pg_temp.demo_hash(t.r, c.n, 213) % 144
order by 8, t.r, c.n;

insert into app.deals (tenant_id, id, account_id, contact_id, name, stage, amount, currency, owner_id, expected_on, created_at, closed_at)
select t.id, pg_temp.demo_id(7, t.r, d.n), pg_temp.demo_id(5, t.r, case when t.contacts > 0 then who.n % t.accounts else d.n % t.accounts end),
    case when t.contacts > 0 then pg_temp.demo_id(6, t.r, who.n) end, p.project, draw.stage,
    500 + draw.worth % 400 * (draw.worth / 400 % 37 + 1) * 10, t.currency, m.user_id, made.at::date + 20 + draw.h % 120, made.at,
    case when draw.stage in ('won', 'lost') then least(t.now_at, made.at + interval '1 day' * (draw.h % 60)) end
from demo_tenants t
    cross join lateral generate_series(0, t.deals - 1) as d (n)
    cross join lateral (select t.created_at + t.age * (d.n::double precision / t.deals)) as made (at)
    cross join lateral (select pg_temp.demo_hash(t.r, d.n, 221) % greatest(1, t.contacts)) as who (n)
    cross join lateral (select pg_temp.demo_hash(t.r, d.n, 222), pg_temp.demo_hash(t.r, d.n, 224),
        (array['won', 'won', 'won', 'lost', 'lost', 'lead', 'qualified', 'proposal', 'negotiation'])[pg_temp.demo_hash(t.r, d.n, 223) % 9 + 1]) as draw (h, worth, stage)
    join demo_titles p on p.ordinal = t.ordinal and p.n = draw.h % 120
    join demo_members m on m.r = t.r and m.n = draw.h % t.active
order by made.at, t.r, d.n;

insert into app.notes (tenant_id, id, account_id, author_id, body, created_at)
select t.id, pg_temp.demo_id(8, t.r, n.n), pg_temp.demo_id(5, t.r, pg_temp.demo_hash(t.r, n.n, 231) % t.accounts), m.user_id, s.body,
    t.created_at + t.age * (n.n::double precision / t.notes)
from demo_tenants t
    cross join lateral generate_series(0, t.notes - 1) as n (n)
    join demo_notes s on s.ordinal = t.ordinal and s.n = pg_temp.demo_hash(t.r, n.n, 232) % 8
    join demo_members m on m.r = t.r and m.n = pg_temp.demo_hash(t.r, n.n, 233) % t.active
order by 6, t.r, n.n;

insert into app.activities (tenant_id, id, occurred_at, account_id, kind, subject, minutes)
select t.id, pg_temp.demo_id(9, t.r, a.n), t.created_at + t.age * (a.n::double precision / t.activities),
    pg_temp.demo_id(5, t.r, draw.h % t.accounts), (array['email', 'email', 'call', 'call', 'meeting', 'demo', 'visit'])[draw.h % 7 + 1], d.task, 5 + draw.h % 12 * 5
from demo_tenants t
    cross join lateral generate_series(0, t.activities - 1) as a (n)
    cross join lateral (select pg_temp.demo_hash(t.r, a.n, 241)) as draw (h)
    join demo_titles d on d.ordinal = t.ordinal and d.n = draw.h / 100 % 120
order by 3, t.r, a.n;
