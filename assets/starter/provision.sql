-- Provisioning one tenant. Five statements, run one by one with bind parameters in one transaction, by a role that has INSERT and nothing else:
-- no RETURNING, no ON CONFLICT, no SELECT on any table. The transaction carries app.tenant_id = :tenant_id, so every row but the
-- person's passes the tenant's own policies. A slug, subdomain or e-mail that exists raises 23505 and names tenants_slug_key,
-- tenants_subdomain_key or app_users_email_key. For a person who exists, :user_exists is true and :user_id is his id.
--
-- Parameters: tenant_id, slug, name, plan, subdomain, region, user_id, user_exists, email, user_name, password_hash, workspace_id, workspace_name

insert into app.tenants (id, slug, name, plan, status, subdomain, region)
values (:tenant_id::uuid, :slug::text, :name::text, :plan::text, 'active', :subdomain::text, :region::text);

insert into app.app_users (id, email, name, password_hash, must_change_password)
select :user_id::uuid, lower(:email::text), :user_name::text, :password_hash::text, true
where not :user_exists::boolean;

insert into app.tenant_memberships (tenant_id, user_id, role, state, joined_at)
values (:tenant_id::uuid, :user_id::uuid, 'owner', 'active', now());

insert into app.tenant_settings (tenant_id)
values (:tenant_id::uuid);

insert into app.workspaces (tenant_id, id, slug, name, is_default)
values (:tenant_id::uuid, :workspace_id::uuid, 'default', :workspace_name::text, true);
