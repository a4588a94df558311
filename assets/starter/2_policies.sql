-- The starter schema, part 2 of 5: row level security. Run as app_owner.
--
-- The application names its tenant once per transaction: select set_config('app.tenant_id', '<uuid>', true). Every policy reads that setting.
-- nullif(..., ''): once a transaction has set it, an unset setting reads '' and not NULL on that connection; '' must mean "no tenant", not an error.
-- The call stands bare, not in (select ..): it is STABLE, an index on the key serves it, and the planner sees which tenant it is about,
-- which matters when one tenant has a quarter of the rows.
-- FORCE binds the owner too: app_owner, who changes the schema, reads no tenant's rows. There is exactly one permissive policy per table and command.

do $$
declare
    keyed text;
begin
    foreach keyed in array array['tenant_memberships', 'tenant_settings', 'api_keys', 'workspaces', 'projects', 'tasks', 'accounts', 'contacts',
                                 'deals', 'notes', 'activities', 'documents', 'invoices', 'files', 'ai_runs'] loop
        execute format('alter table app.%I enable row level security', keyed);
        execute format('alter table app.%I force row level security', keyed);
        execute format($policy$
            create policy tenant_isolation on app.%I to app_user
                using (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
                with check (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
            $policy$, keyed);
    end loop;
end $$;

-- Partitions are reached through their parent, whose policies hold; without a policy of their own they show nothing to anybody who asks them directly.
do $$
declare
    part regclass;
begin
    for part in select inhrelid from pg_catalog.pg_inherits where inhparent = 'app.activities'::regclass loop
        execute format('alter table %s enable row level security', part);
        execute format('alter table %s force row level security', part);
    end loop;
end $$;

alter table app.tenants enable row level security;
alter table app.tenants force row level security;
create policy tenant_isolation on app.tenants to app_user
    using (id = nullif(current_setting('app.tenant_id', true), '')::uuid)
    with check (id = nullif(current_setting('app.tenant_id', true), '')::uuid);

-- A correlated EXISTS on the parent's key: IN (select ..) turns quadratic once the tenant's tasks no longer fit work_mem.
alter table app.comments enable row level security;
alter table app.comments force row level security;
create policy tenant_isolation on app.comments to app_user
    using (exists (select 1 from app.tasks t
        where t.id = comments.task_id and t.tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid))
    with check (exists (select 1 from app.tasks t
        where t.id = comments.task_id and t.tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid));

-- People are shared by tenants. A tenant sees those who have a membership in it; a person changes nobody but himself (app.user_id).
-- A sign-up inserts oneself; an invitation inserts somebody else, who must then change the password.
-- The check of an insert looks at no other table, so a role that may only INSERT can provision.
alter table app.app_users enable row level security;
alter table app.app_users force row level security;
create policy tenant_isolation on app.app_users for select to app_user
    using (exists (select 1 from app.tenant_memberships m
        where m.user_id = app_users.id and m.tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid));
create policy sign_up on app.app_users for insert to app_user
    with check (must_change_password or id = nullif(current_setting('app.user_id', true), '')::uuid);
create policy own_profile on app.app_users for update to app_user
    using (id = nullif(current_setting('app.user_id', true), '')::uuid)
    with check (id = nullif(current_setting('app.user_id', true), '')::uuid);
