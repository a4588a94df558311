-- Demo fill, part 5: projects, tasks, comments, documents, invoices, files.
-- Rows go in by time, as life would write them: the tenants lie mixed in the tables, and identities are the same on every version.

insert into app.projects (tenant_id, id, workspace_id, name, status, owner_id, starts_on, due_on, created_at)
select t.id, pg_temp.demo_id(3, t.r, p.n), pg_temp.demo_id(2, t.r, p.n % t.workspaces),
    d.project || case when p.n >= 80 then ' ' || p.n / 80 + 1 else '' end,
    (array['active', 'active', 'active', 'planned', 'paused', 'done', 'archived'])[pg_temp.demo_hash(t.r, p.n, 101) % 7 + 1], m.user_id,
    made.at::date, made.at::date + 30 + pg_temp.demo_hash(t.r, p.n, 102) % 200, made.at
from demo_tenants t
    cross join lateral generate_series(0, t.projects - 1) as p (n)
    cross join lateral (select t.created_at + t.age * (p.n::double precision / t.projects)) as made (at)
    join demo_titles d on d.ordinal = t.ordinal and d.n = p.n % 80
    join demo_members m on m.r = t.r and m.n = pg_temp.demo_hash(t.r, p.n, 103) % t.active
order by made.at, t.r, p.n;

insert into app.tasks (tenant_id, id, project_id, title, status, priority, assignee_id, due_on, created_at, completed_at)
select t.id, pg_temp.demo_id(4, t.r, k.n), pg_temp.demo_id(3, t.r, pg_temp.demo_hash(t.r, k.n, 111) % t.projects), d.task,
    case when draw.h < 60 then 'done' when draw.h < 72 then 'doing' when draw.h < 80 then 'review' else 'todo' end, 1 + draw.h % 5,
    case when draw.h % 8 > 0 then m.user_id end, case when draw.h % 3 > 0 then made.at::date + draw.h % 45 end, made.at,
    case when draw.h < 60 then least(t.now_at, made.at + interval '7 hours' * draw.h) end
from demo_tenants t
    cross join lateral generate_series(0, t.tasks - 1) as k (n)
    cross join lateral (select pg_temp.demo_hash(t.r, k.n, 112) % 100) as draw (h)
    cross join lateral (select t.created_at + t.age * (k.n::double precision / t.tasks)) as made (at)
    join demo_titles d on d.ordinal = t.ordinal and d.n = pg_temp.demo_hash(t.r, k.n, 113) % 120
    left join demo_members m on m.r = t.r and m.n = pg_temp.demo_hash(t.r, k.n, 114) % t.active
order by made.at, t.r, k.n;

-- Few tasks have most of the comments: the smaller of two draws.
insert into app.comments (task_id, author_name, body, created_at)
select pg_temp.demo_id(4, t.r, pg_temp.demo_hash(t.r, c.n, 121) % (1 + pg_temp.demo_hash(t.r, c.n, 122) % t.tasks)), m.name, s.body,
    t.created_at + t.age * (c.n::double precision / t.comments)
from demo_tenants t
    cross join lateral generate_series(0, t.comments - 1) as c (n)
    join demo_members m on m.r = t.r and m.n = pg_temp.demo_hash(t.r, c.n, 123) % t.active
    join demo_notes s on s.ordinal = t.ordinal and s.n = pg_temp.demo_hash(t.r, c.n, 124) % 8
order by 4, t.r, c.n;

insert into app.documents (tenant_id, id, project_id, title, body, created_at, updated_at)
select t.id, pg_temp.demo_id(10, t.r, d.n), case when d.n % 5 > 0 then pg_temp.demo_id(3, t.r, pg_temp.demo_hash(t.r, d.n, 131) % t.projects) end,
    p.project, a.body || E'\n\n' || b.body || ' ' || c.body, made.at, least(t.now_at, made.at + interval '5 hours' * (pg_temp.demo_hash(t.r, d.n, 132) % 300))
from demo_tenants t
    cross join lateral generate_series(0, t.documents - 1) as d (n)
    cross join lateral (select t.created_at + t.age * (d.n::double precision / t.documents)) as made (at)
    join demo_titles p on p.ordinal = t.ordinal and p.n = pg_temp.demo_hash(t.r, d.n, 133) % 120
    join demo_notes a on a.ordinal = t.ordinal and a.n = pg_temp.demo_hash(t.r, d.n, 134) % 8
    join demo_notes b on b.ordinal = t.ordinal and b.n = pg_temp.demo_hash(t.r, d.n, 135) % 8
    join demo_notes c on c.ordinal = t.ordinal and c.n = pg_temp.demo_hash(t.r, d.n, 136) % 8
order by made.at, t.r, d.n;

insert into app.invoices (tenant_id, id, number, customer, project_id, status, issued_on, due_on, currency, net, tax, created_at)
select t.id, pg_temp.demo_id(11, t.r, i.n), to_char(made.at, 'YYYY') || '-' || lpad((i.n + 1)::text, 5, '0'), c.name,
    pg_temp.demo_id(3, t.r, pg_temp.demo_hash(t.r, i.n, 141) % t.projects),
    case when made.at > t.now_at - interval '12 days' then 'draft' when made.at > t.now_at - interval '40 days' then 'sent'
        when draw.h % 17 = 0 then 'overdue' when draw.h % 23 = 0 then 'void' else 'paid' end,
    made.at::date, made.at::date + 30, t.currency, worth.net, round(worth.net * 0.2, 2), made.at
from demo_tenants t
    cross join lateral generate_series(0, t.invoices - 1) as i (n)
    cross join lateral (select t.created_at + t.age * (i.n::double precision / t.invoices)) as made (at)
    cross join lateral (select pg_temp.demo_hash(t.r, i.n, 142)) as draw (h)
    cross join lateral (select (200 + draw.h % 90000 / (1 + draw.h % 9))::numeric + (draw.h % 100) / 100.0) as worth (net)
    join demo_companies c on c.ordinal = t.ordinal and c.n = draw.h / 1000 % 400
order by made.at, t.r, i.n;

-- Sizes come in pairs around the mean (1 + x, 1 - x), so that their sum is the storage that the plan of the demo wants.
insert into app.files (tenant_id, id, project_id, name, content_type, bytes, sha256, storage_key, uploaded_by, created_at)
select t.id, made.id, case when f.n % 4 > 0 then pg_temp.demo_id(3, t.r, pg_temp.demo_hash(t.r, f.n, 151) % t.projects) end,
    d.project || '.' || kind.ending, kind.content_type,
    (t.storage::numeric / t.files * (1 + case when f.n = t.files - 1 and f.n % 2 = 0 then 0 else (1 - f.n % 2 * 2) * (pg_temp.demo_hash(t.r, f.n / 2, 152) % 95) / 100.0 end))::bigint,
    sha256(uuid_send(made.id)), 'tenants/' || t.id || '/' || to_char(made.at, 'YYYY/MM') || '/' || made.id || '.' || kind.ending, m.user_id, made.at
from demo_tenants t
    cross join lateral generate_series(0, t.files - 1) as f (n)
    cross join lateral (select pg_temp.demo_id(12, t.r, f.n), t.created_at + t.age * (f.n::double precision / t.files)) as made (id, at)
    join (values (0, 'pdf', 'application/pdf'), (1, 'png', 'image/png'), (2, 'xlsx', 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet'), (3, 'mp4', 'video/mp4'))
        as kind (n, ending, content_type) on kind.n = pg_temp.demo_hash(t.r, f.n, 153) % 4
    join demo_titles d on d.ordinal = t.ordinal and d.n = pg_temp.demo_hash(t.r, f.n, 154) % 120
    left join demo_members m on m.r = t.r and m.n = pg_temp.demo_hash(t.r, f.n, 155) % t.active
order by made.at, t.r, f.n;
