-- Demo fill, part 4: tenants, their people, settings, workspaces, API keys.

insert into app.tenants (id, slug, name, plan, status, subdomain, custom_domain, region, created_at)
select id, slug, name, plan, case when is_suspended then 'suspended' else 'active' end, slug,
    case when kind = 'client_portal' then 'portal.' || slug || '.example' end, region, created_at
from demo_tenants order by r;

-- The hash has the right shape and no known password. Nobody logs in as a demo member; operators impersonate them.
insert into app.app_users (id, email, name, password_hash, must_change_password, created_at, last_login_at)
select distinct on (user_id) user_id, email, name,
    '$argon2id$v=19$m=19456,t=2,p=1$dGVuYW50ZGVzay1kZW1v$bm8tbG9naW4tbm8tbG9naW4tbm8tbG9naW4tbm8tbG8', true, created_at,
    case when state = 'active' then greatest(created_at, now_at - make_interval(mins => pg_temp.demo_hash(r, n, 41) % 40000)) end
from demo_members order by user_id, r;

insert into app.tenant_memberships (tenant_id, user_id, role, state, created_at, joined_at)
select tenant_id, user_id, role, state, created_at, case when state <> 'invited' then created_at + interval '1 hour' * (pg_temp.demo_hash(r, n, 42) % 72) end
from demo_members order by r, n;

insert into app.tenant_settings (tenant_id, kind, locale, time_zone, currency, country_code, support_email, preferences, updated_at)
select id, kind, locale, time_zone, currency, country, 'hello@' || slug || '.example',
    jsonb_build_object('week_starts_on', case when region = 'mea' then 'sunday' else 'monday' end, 'theme', (array['light', 'dark', 'system'])[pg_temp.demo_hash(r, 1, 43) % 3 + 1]), created_at
from demo_tenants order by r;

insert into app.workspaces (tenant_id, id, slug, name, is_default, created_at)
select t.id, pg_temp.demo_id(2, t.r, w.n), case w.n when 0 then 'default' else w.slug end, case w.n when 0 then t.name else t.name || ' · ' || w.name end, w.n = 0, t.created_at + w.n * interval '9 days'
from demo_tenants t join (values (0, '', ''), (1, 'operations', 'Operations'), (2, 'sales', 'Sales'), (3, 'lab', 'Lab')) as w (n, slug, name) on w.n < t.workspaces
order by t.r, w.n;

-- Digests of nothing anybody knows: a digest of a guessable key would be a door.
insert into app.api_keys (tenant_id, id, name, prefix, digest, scopes, created_by, created_at, last_used_at, revoked_at)
select t.id, pg_temp.demo_id(13, t.r, k.n), (array['Website', 'Accounting export', 'Warehouse scanner', 'Reporting', 'Mobile app', 'Old integration'])[k.n],
    'tdk_' || substr(encode(int8send(hashint8extended(t.r, 50 + k.n)), 'hex'), 1, 6),
    int8send(hashint8extended(t.r, 60 + k.n)) || int8send(hashint8extended(t.r, 70 + k.n)) || int8send(hashint8extended(t.r, 80 + k.n)) || int8send(hashint8extended(t.r, 90 + k.n)),
    case when k.n % 2 = 0 then array['projects:read'] else array['projects:read', 'projects:write', 'files:read'] end,
    m.user_id, t.created_at + t.age * (k.n / 8.0), case when k.n < 6 then t.now_at - make_interval(mins => pg_temp.demo_hash(t.r, k.n, 44) % 9000) end,
    case when k.n = 6 then t.now_at - interval '20 days' end
from demo_tenants t cross join lateral generate_series(1, t.api_keys) as k (n) join demo_members m on m.r = t.r and m.n = 0
order by t.r, k.n;
