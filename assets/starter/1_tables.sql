-- The starter schema, part 1 of 5: tables, keys, indexes. Run as app_owner in one transaction, once.
--
-- Rules that every table here follows, and that a table you add should follow too:
--   * a tenant's row names its tenant: tenant_id uuid NOT NULL, first column of the primary key and of an index on every foreign key;
--   * a foreign key between two tenant tables contains the tenant, so a row can never point at another tenant's row;
--   * a unique key contains the tenant, so an insert can never tell what another tenant has;
--   * no trigger writes rows behind the application's back, so a restored row is the row that was exported.
-- Row level security is part 2, rights are part 4.

create schema if not exists app;

-- Global reference data: the same for all tenants, read only for the application.
create table app.countries (
    code char(2) primary key,
    name text not null,
    local_name text not null,
    currency char(3) not null,
    constraint countries_code_form check (code ~ '^[A-Z]{2}$'),
    constraint countries_currency_form check (currency ~ '^[A-Z]{3}$')
);

-- The tenant root. plan names a plan of the control schema; suspended tenants keep their rows and lose their access.
create table app.tenants (
    id uuid primary key,
    slug text not null,
    name text not null,
    plan text not null default 'starter',
    status text not null default 'active',
    subdomain text not null,
    custom_domain text,
    region text not null default 'eu',
    created_at timestamptz not null default now(),
    constraint tenants_slug_key unique (slug),
    constraint tenants_subdomain_key unique (subdomain),
    constraint tenants_custom_domain_key unique (custom_domain),
    constraint tenants_slug_form check (slug ~ '^[a-z0-9][a-z0-9-]{0,61}[a-z0-9]$'),
    constraint tenants_subdomain_form check (subdomain ~ '^[a-z0-9][a-z0-9-]{0,61}[a-z0-9]$'),
    constraint tenants_custom_domain_form
        check (length(custom_domain) <= 253 and custom_domain ~ '^([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]([a-z0-9-]*[a-z0-9])?$'),
    constraint tenants_name_length check (length(name) between 1 and 200),
    constraint tenants_plan_form check (plan ~ '^[a-z][a-z0-9_-]{0,62}$'),
    constraint tenants_status_known check (status in ('active', 'suspended')),
    constraint tenants_region_known check (region in ('eu', 'us', 'apac', 'mea'))
);

-- People. One person may be a member of several tenants, so this table has no tenant key: memberships link it.
create table app.app_users (
    id uuid primary key,
    email text not null,
    name text not null,
    password_hash text not null,
    must_change_password boolean not null default true,
    created_at timestamptz not null default now(),
    last_login_at timestamptz,
    constraint app_users_email_key unique (email),
    constraint app_users_email_form check (length(email) <= 254 and email ~ '^[^@\s]+@[^@\s]+$'),
    constraint app_users_email_lower check (email = lower(email collate "C")),
    constraint app_users_name_length check (length(name) between 1 and 200),
    constraint app_users_password_argon2id check (password_hash ~ '^\$argon2id\$v=\d+\$m=\d+,t=\d+,p=\d+\$[A-Za-z0-9+/]+\$[A-Za-z0-9+/]+$')
);

create table app.tenant_memberships (
    tenant_id uuid not null,
    user_id uuid not null,
    role text not null,
    state text not null default 'invited',
    created_at timestamptz not null default now(),
    joined_at timestamptz,
    primary key (tenant_id, user_id),
    constraint tenant_memberships_tenant_fkey foreign key (tenant_id) references app.tenants (id),
    constraint tenant_memberships_user_fkey foreign key (user_id) references app.app_users (id),
    constraint tenant_memberships_role_known check (role in ('owner', 'admin', 'member', 'viewer')),
    constraint tenant_memberships_state_known check (state in ('invited', 'active', 'disabled'))
);
create index tenant_memberships_user_idx on app.tenant_memberships (user_id, tenant_id);

create table app.tenant_settings (
    tenant_id uuid primary key,
    kind text not null default 'crm',
    locale text not null default 'en',
    time_zone text not null default 'UTC',
    currency char(3) not null default 'EUR',
    country_code char(2),
    support_email text,
    preferences jsonb not null default '{}',
    updated_at timestamptz not null default now(),
    constraint tenant_settings_tenant_fkey foreign key (tenant_id) references app.tenants (id),
    constraint tenant_settings_country_fkey foreign key (country_code) references app.countries (code),
    constraint tenant_settings_kind_known check (kind in ('crm', 'client_portal', 'ai_product')),
    constraint tenant_settings_preferences_object check (jsonb_typeof(preferences) = 'object')
);
create index tenant_settings_country_idx on app.tenant_settings (country_code);

-- Only the digest of a key is kept: who reads this table can not call the API.
create table app.api_keys (
    tenant_id uuid not null,
    id uuid not null default gen_random_uuid(),
    name text not null,
    prefix text not null,
    digest bytea not null,
    scopes text[] not null default '{}',
    created_by uuid,
    created_at timestamptz not null default now(),
    last_used_at timestamptz,
    expires_at timestamptz,
    revoked_at timestamptz,
    primary key (tenant_id, id),
    constraint api_keys_tenant_fkey foreign key (tenant_id) references app.tenants (id),
    constraint api_keys_creator_fkey foreign key (tenant_id, created_by)
        references app.tenant_memberships (tenant_id, user_id) on delete set null (created_by),
    constraint api_keys_digest_key unique (tenant_id, digest),
    constraint api_keys_digest_sha256 check (octet_length(digest) = 32)
);
create index api_keys_creator_idx on app.api_keys (tenant_id, created_by);

create table app.workspaces (
    tenant_id uuid not null,
    id uuid not null default gen_random_uuid(),
    slug text not null,
    name text not null,
    is_default boolean not null default false,
    created_at timestamptz not null default now(),
    primary key (tenant_id, id),
    constraint workspaces_tenant_fkey foreign key (tenant_id) references app.tenants (id),
    constraint workspaces_slug_key unique (tenant_id, slug)
);
create unique index workspaces_default_key on app.workspaces (tenant_id) where is_default;

create table app.projects (
    tenant_id uuid not null,
    id uuid not null default gen_random_uuid(),
    workspace_id uuid not null,
    name text not null,
    status text not null default 'active',
    owner_id uuid,
    starts_on date,
    due_on date,
    created_at timestamptz not null default now(),
    primary key (tenant_id, id),
    constraint projects_tenant_fkey foreign key (tenant_id) references app.tenants (id),
    constraint projects_workspace_fkey foreign key (tenant_id, workspace_id)
        references app.workspaces (tenant_id, id) on delete cascade,
    constraint projects_owner_fkey foreign key (tenant_id, owner_id)
        references app.tenant_memberships (tenant_id, user_id) on delete set null (owner_id),
    constraint projects_name_key unique (tenant_id, workspace_id, name),
    constraint projects_status_known check (status in ('planned', 'active', 'paused', 'done', 'archived'))
);
create index projects_owner_idx on app.projects (tenant_id, owner_id);

-- id alone is unique as well, because comments refer to a task without naming its tenant.
create table app.tasks (
    tenant_id uuid not null,
    id uuid not null default gen_random_uuid(),
    project_id uuid not null,
    title text not null,
    status text not null default 'todo',
    priority smallint not null default 3,
    assignee_id uuid,
    due_on date,
    created_at timestamptz not null default now(),
    completed_at timestamptz,
    primary key (tenant_id, id),
    constraint tasks_id_key unique (id),
    constraint tasks_tenant_fkey foreign key (tenant_id) references app.tenants (id),
    constraint tasks_project_fkey foreign key (tenant_id, project_id)
        references app.projects (tenant_id, id) on delete cascade,
    constraint tasks_assignee_fkey foreign key (tenant_id, assignee_id)
        references app.tenant_memberships (tenant_id, user_id) on delete set null (assignee_id),
    constraint tasks_status_known check (status in ('todo', 'doing', 'review', 'done')),
    constraint tasks_priority_range check (priority between 1 and 5)
);
create index tasks_project_idx on app.tasks (tenant_id, project_id, status);
create index tasks_assignee_idx on app.tasks (tenant_id, assignee_id);

-- A derived table: its tenant is the tenant of its task.
create table app.comments (
    id bigint generated by default as identity primary key,
    task_id uuid not null,
    author_name text not null,
    body text not null,
    created_at timestamptz not null default now(),
    constraint comments_task_fkey foreign key (task_id) references app.tasks (id) on delete cascade
);
create index comments_task_idx on app.comments (task_id);

create table app.accounts (
    tenant_id uuid not null,
    id uuid not null default gen_random_uuid(),
    name text not null,
    industry text,
    website text,
    city text,
    country_code char(2),
    owner_id uuid,
    created_at timestamptz not null default now(),
    primary key (tenant_id, id),
    constraint accounts_tenant_fkey foreign key (tenant_id) references app.tenants (id),
    constraint accounts_country_fkey foreign key (country_code) references app.countries (code),
    constraint accounts_owner_fkey foreign key (tenant_id, owner_id)
        references app.tenant_memberships (tenant_id, user_id) on delete set null (owner_id)
);
create index accounts_name_idx on app.accounts (tenant_id, name);
create index accounts_owner_idx on app.accounts (tenant_id, owner_id);
create index accounts_country_idx on app.accounts (country_code);

create table app.contacts (
    tenant_id uuid not null,
    id uuid not null default gen_random_uuid(),
    account_id uuid not null,
    name text not null,
    email text,
    phone text,
    job_title text,
    created_at timestamptz not null default now(),
    primary key (tenant_id, id),
    constraint contacts_tenant_fkey foreign key (tenant_id) references app.tenants (id),
    constraint contacts_account_fkey foreign key (tenant_id, account_id)
        references app.accounts (tenant_id, id) on delete cascade
);
create index contacts_account_idx on app.contacts (tenant_id, account_id);
create index contacts_email_idx on app.contacts (tenant_id, email);

create table app.deals (
    tenant_id uuid not null,
    id uuid not null default gen_random_uuid(),
    account_id uuid not null,
    contact_id uuid,
    name text not null,
    stage text not null default 'lead',
    amount numeric(14, 2) not null default 0,
    currency char(3) not null default 'EUR',
    owner_id uuid,
    expected_on date,
    created_at timestamptz not null default now(),
    closed_at timestamptz,
    primary key (tenant_id, id),
    constraint deals_tenant_fkey foreign key (tenant_id) references app.tenants (id),
    constraint deals_account_fkey foreign key (tenant_id, account_id)
        references app.accounts (tenant_id, id) on delete cascade,
    constraint deals_contact_fkey foreign key (tenant_id, contact_id)
        references app.contacts (tenant_id, id) on delete set null (contact_id),
    constraint deals_owner_fkey foreign key (tenant_id, owner_id)
        references app.tenant_memberships (tenant_id, user_id) on delete set null (owner_id),
    constraint deals_stage_known check (stage in ('lead', 'qualified', 'proposal', 'negotiation', 'won', 'lost')),
    constraint deals_amount_range check (amount >= 0)
);
create index deals_account_idx on app.deals (tenant_id, account_id);
create index deals_contact_idx on app.deals (tenant_id, contact_id);
create index deals_owner_idx on app.deals (tenant_id, owner_id);

create table app.notes (
    tenant_id uuid not null,
    id uuid not null default gen_random_uuid(),
    account_id uuid not null,
    author_id uuid,
    body text not null,
    created_at timestamptz not null default now(),
    primary key (tenant_id, id),
    constraint notes_tenant_fkey foreign key (tenant_id) references app.tenants (id),
    constraint notes_account_fkey foreign key (tenant_id, account_id)
        references app.accounts (tenant_id, id) on delete cascade,
    constraint notes_author_fkey foreign key (tenant_id, author_id)
        references app.tenant_memberships (tenant_id, user_id) on delete set null (author_id)
);
create index notes_account_idx on app.notes (tenant_id, account_id, created_at);
create index notes_author_idx on app.notes (tenant_id, author_id);

-- What happened with an account, and when: grows for ever, so it is partitioned by year.
-- The default partition takes what has no partition yet; nobody is granted a partition itself.
create table app.activities (
    tenant_id uuid not null,
    id uuid not null default gen_random_uuid(),
    occurred_at timestamptz not null,
    account_id uuid not null,
    kind text not null,
    subject text not null,
    minutes integer,
    primary key (tenant_id, id, occurred_at),
    constraint activities_tenant_fkey foreign key (tenant_id) references app.tenants (id),
    constraint activities_account_fkey foreign key (tenant_id, account_id)
        references app.accounts (tenant_id, id) on delete cascade,
    constraint activities_kind_known check (kind in ('call', 'email', 'meeting', 'demo', 'visit')),
    constraint activities_minutes_range check (minutes between 0 and 1440)
) partition by range (occurred_at);
create index activities_account_idx on app.activities (tenant_id, account_id, occurred_at);
create table app.activities_2025 partition of app.activities
    for values from ('2025-01-01 00:00+00') to ('2026-01-01 00:00+00');
create table app.activities_2026 partition of app.activities
    for values from ('2026-01-01 00:00+00') to ('2027-01-01 00:00+00');
create table app.activities_2027 partition of app.activities
    for values from ('2027-01-01 00:00+00') to ('2028-01-01 00:00+00');
create table app.activities_other partition of app.activities default;

-- Full-text search without word stems, because tenants write in many languages.
create table app.documents (
    tenant_id uuid not null,
    id uuid not null default gen_random_uuid(),
    project_id uuid,
    title text not null,
    body text not null default '',
    search tsvector not null generated always as (
        setweight(to_tsvector('pg_catalog.simple', title), 'A') || setweight(to_tsvector('pg_catalog.simple', body), 'B')
    ) stored,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    primary key (tenant_id, id),
    constraint documents_tenant_fkey foreign key (tenant_id) references app.tenants (id),
    constraint documents_project_fkey foreign key (tenant_id, project_id)
        references app.projects (tenant_id, id) on delete set null (project_id)
);
create index documents_project_idx on app.documents (tenant_id, project_id);
create index documents_search_idx on app.documents using gin (search);

create table app.invoices (
    tenant_id uuid not null,
    id uuid not null default gen_random_uuid(),
    number text not null,
    customer text not null,
    project_id uuid,
    status text not null default 'draft',
    issued_on date not null,
    due_on date not null,
    currency char(3) not null default 'EUR',
    net numeric(14, 2) not null,
    tax numeric(14, 2) not null default 0,
    total numeric(14, 2) not null generated always as (net + tax) stored,
    created_at timestamptz not null default now(),
    primary key (tenant_id, id),
    constraint invoices_tenant_fkey foreign key (tenant_id) references app.tenants (id),
    constraint invoices_project_fkey foreign key (tenant_id, project_id)
        references app.projects (tenant_id, id) on delete set null (project_id),
    constraint invoices_number_key unique (tenant_id, number),
    constraint invoices_status_known check (status in ('draft', 'sent', 'paid', 'overdue', 'void')),
    constraint invoices_due_after_issue check (due_on >= issued_on)
);
create index invoices_project_idx on app.invoices (tenant_id, project_id);

-- The rows of an object store. A key outside the tenant's own prefix would be another tenant's object.
create table app.files (
    tenant_id uuid not null,
    id uuid not null default gen_random_uuid(),
    project_id uuid,
    name text not null,
    content_type text not null,
    bytes bigint not null,
    sha256 bytea,
    storage_key text not null,
    uploaded_by uuid,
    created_at timestamptz not null default now(),
    primary key (tenant_id, id),
    constraint files_tenant_fkey foreign key (tenant_id) references app.tenants (id),
    constraint files_project_fkey foreign key (tenant_id, project_id)
        references app.projects (tenant_id, id) on delete set null (project_id),
    constraint files_uploader_fkey foreign key (tenant_id, uploaded_by)
        references app.tenant_memberships (tenant_id, user_id) on delete set null (uploaded_by),
    constraint files_storage_key_key unique (tenant_id, storage_key),
    constraint files_storage_key_prefix
        check (starts_with(storage_key, 'tenants/' || tenant_id::text || '/') and storage_key !~ '(^|/)\.\.?(/|$)'),
    constraint files_bytes_range check (bytes >= 0),
    constraint files_sha256_length check (octet_length(sha256) = 32)
);
create index files_project_idx on app.files (tenant_id, project_id);
create index files_uploader_idx on app.files (tenant_id, uploaded_by);

-- What the tenant's AI calls used. Neither prompt nor answer is kept: they are the tenant's secrets, and nobody counts them.
create table app.ai_runs (
    tenant_id uuid not null,
    id bigint not null generated always as identity,
    user_id uuid,
    model text not null,
    purpose text not null,
    status text not null default 'ok',
    input_tokens integer not null,
    output_tokens integer not null,
    cost_micros bigint not null default 0,
    latency_ms integer,
    created_at timestamptz not null default now(),
    primary key (tenant_id, id),
    constraint ai_runs_tenant_fkey foreign key (tenant_id) references app.tenants (id),
    constraint ai_runs_user_fkey foreign key (tenant_id, user_id)
        references app.tenant_memberships (tenant_id, user_id) on delete set null (user_id),
    constraint ai_runs_status_known check (status in ('ok', 'error', 'refused')),
    constraint ai_runs_tokens_range check (input_tokens >= 0 and output_tokens >= 0)
);
create index ai_runs_created_idx on app.ai_runs (tenant_id, created_at);
create index ai_runs_user_idx on app.ai_runs (tenant_id, user_id);
