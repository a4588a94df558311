-- The starter schema, part 4 of 5: rights. Run as app_owner, after the functions.
--
-- The application gets what an application needs: never TRUNCATE (row level security does not filter it), TRIGGER, REFERENCES or ownership,
-- and nothing at all goes to PUBLIC. Identity columns need no right on their sequences.

revoke all on schema app from public;
grant usage on schema app to app_user;

grant select, insert, update, delete on
    app.tenant_memberships, app.tenant_settings, app.api_keys, app.workspaces, app.projects, app.tasks, app.comments, app.accounts,
    app.contacts, app.deals, app.notes, app.activities, app.documents, app.invoices, app.files, app.ai_runs
    to app_user;
grant select on app.countries to app_user;

-- Plan, status and slug are the operators' to change; a self-service sign-up starts with the defaults.
grant select, insert (id, slug, name, subdomain, region), update (name, custom_domain, region) on app.tenants to app_user;
-- A person is never deleted from here: he may be a member of other tenants.
grant select, insert, update (email, name, password_hash, must_change_password, last_login_at) on app.app_users to app_user;

revoke execute on all functions in schema app from public;
alter default privileges in schema app revoke execute on functions from public;
alter default privileges revoke execute on functions from public;
grant execute on function app.resolve_tenant, app.is_member, app.enter_tenant to app_user;

-- The resolver: five columns, one policy, and its owner for the moment that takes.
grant usage on schema app to app_resolver;
grant select (id, slug, status, subdomain, custom_domain) on app.tenants to app_resolver;
create policy resolve_host on app.tenants for select to app_resolver using (true);
grant app_resolver to current_user;
grant create on schema app to app_resolver;
alter function app.resolve_tenant owner to app_resolver;
revoke create on schema app from app_resolver;
revoke app_resolver from current_user;
