-- Smoke tests of the starter schema: are tenants kept apart? Leaves nothing behind (everything is rolled back).
--
--   psql "$(tenantdesk server url --role app)" -f smoke.sql
--
-- Also runs as a role that may SET ROLE app_user. Prints one PASS line per test; the first failure prints FAIL and ends psql with exit code 3.

\set ON_ERROR_STOP on
\set QUIET on
\set VERBOSITY terse
\pset format unaligned
\pset tuples_only on

begin;
select current_user <> 'app_user' as switch_role \gset
\if :switch_role
set local role app_user;
\endif

-- Two tenants, made as an application's sign-up makes them. Fixed ids that no generator draws.
\set a '5a000000-0000-4000-8000-00000000000a'
\set b '5a000000-0000-4000-8000-00000000000b'
\set ann '5a000000-0000-4000-8000-0000000000a1'
\set bob '5a000000-0000-4000-8000-0000000000b1'
\set project_a '5a000000-0000-4000-8000-0000000000a2'
\set project_b '5a000000-0000-4000-8000-0000000000b2'
\set task_a '5a000000-0000-4000-8000-0000000000a3'

select set_config('app.tenant_id', :'a', true), set_config('app.user_id', :'ann', true) \g /dev/null
insert into app.tenants (id, slug, name, subdomain, region) values (:'a', 'smoke-test-a', 'Smoke test A', 'smoke-test-a', 'eu');
insert into app.app_users (id, email, name, password_hash) values (:'ann', 'ann@smoke-test.invalid', 'Ann', '$argon2id$v=19$m=19456,t=2,p=1$c21va2U$c21va2U');
insert into app.tenant_memberships (tenant_id, user_id, role, state) values (:'a', :'ann', 'owner', 'active');
insert into app.workspaces (tenant_id, id, slug, name, is_default) values (:'a', :'project_a', 'default', 'Default', true);
insert into app.projects (tenant_id, id, workspace_id, name) values (:'a', :'project_a', :'project_a', 'Secret of A');
insert into app.tasks (tenant_id, id, project_id, title) values (:'a', :'task_a', :'project_a', 'Task of A');
insert into app.comments (task_id, author_name, body) values (:'task_a', 'Ann', 'Comment of A');

select set_config('app.tenant_id', :'b', true), set_config('app.user_id', :'bob', true) \g /dev/null
insert into app.tenants (id, slug, name, subdomain, region) values (:'b', 'smoke-test-b', 'Smoke test B', 'smoke-test-b', 'eu');
insert into app.app_users (id, email, name, password_hash) values (:'bob', 'bob@smoke-test.invalid', 'Bob', '$argon2id$v=19$m=19456,t=2,p=1$c21va2U$c21va2U');
insert into app.tenant_memberships (tenant_id, user_id, role, state) values (:'b', :'bob', 'owner', 'active');
insert into app.workspaces (tenant_id, id, slug, name, is_default) values (:'b', :'project_b', 'default', 'Default', true);
insert into app.projects (tenant_id, id, workspace_id, name) values (:'b', :'project_b', :'project_b', 'Secret of B');

-- First the control: tenant A sees its own rows, so a zero below means "kept apart" and not "empty".
select set_config('app.tenant_id', :'a', true), set_config('app.user_id', :'ann', true) \g /dev/null
do $$ begin
    if (select count(*) from app.projects) <> 1 or (select count(*) from app.comments) <> 1 or (select count(*) from app.app_users) <> 1 then
        raise exception 'FAIL  tenant A does not see its own rows';
    end if;
end $$;
\echo PASS  tenant A sees its own rows

select set_config('app.tenant_id', :'b', true), set_config('app.user_id', :'bob', true) \g /dev/null
do $$ begin
    if exists (select from app.projects where name = 'Secret of A') or (select count(*) from app.tenants) <> 1 then
        raise exception 'FAIL  tenant B reads rows of tenant A';
    end if;
end $$;
\echo PASS  tenant B cannot read tenant A

do $$ begin
    if exists (select from app.projects where id = '5a000000-0000-4000-8000-0000000000a2')
        or exists (select from app.tasks where id = '5a000000-0000-4000-8000-0000000000a3')
        or exists (select from app.comments where task_id = '5a000000-0000-4000-8000-0000000000a3')
        or exists (select from app.app_users where id = '5a000000-0000-4000-8000-0000000000a1') then
        raise exception 'FAIL  tenant B reads a row of tenant A by its id';
    end if;
end $$;
\echo PASS  tenant B cannot read a row of tenant A by its id

do $$ declare touched bigint; begin
    update app.projects set name = 'stolen' where id = '5a000000-0000-4000-8000-0000000000a2';
    get diagnostics touched = row_count;
    if touched <> 0 then raise exception 'FAIL  tenant B updates a row of tenant A'; end if;
    delete from app.comments where task_id = '5a000000-0000-4000-8000-0000000000a3';
    get diagnostics touched = row_count;
    if touched <> 0 then raise exception 'FAIL  tenant B deletes a row of tenant A'; end if;
end $$;
\echo PASS  tenant B cannot update or delete rows of tenant A

do $$ begin
    insert into app.workspaces (tenant_id, slug, name) values ('5a000000-0000-4000-8000-00000000000a', 'intruder', 'Intruder');
    raise exception 'FAIL  tenant B inserts a row for tenant A';
exception when insufficient_privilege then null;
end $$;
do $$ begin
    update app.projects set tenant_id = '5a000000-0000-4000-8000-00000000000a' where id = '5a000000-0000-4000-8000-0000000000b2';
    raise exception 'FAIL  tenant B gives its row to tenant A';
exception when insufficient_privilege then null;
end $$;
do $$ begin
    insert into app.comments (task_id, author_name, body) values ('5a000000-0000-4000-8000-0000000000a3', 'Bob', 'hello');
    raise exception 'FAIL  tenant B comments on a task of tenant A';
exception when insufficient_privilege then null;
end $$;
\echo PASS  tenant B cannot write rows for tenant A

do $$ begin
    insert into app.tasks (tenant_id, project_id, title)
        values ('5a000000-0000-4000-8000-00000000000b', '5a000000-0000-4000-8000-0000000000a2', 'below a foreign project');
    raise exception 'FAIL  a task of tenant B points at a project of tenant A';
exception when foreign_key_violation then null;
end $$;
\echo PASS  composite foreign keys refuse a parent of another tenant

do $$ begin
    insert into app.files (tenant_id, name, content_type, bytes, storage_key)
        values ('5a000000-0000-4000-8000-00000000000b', 'x', 'text/plain', 1, 'tenants/5a000000-0000-4000-8000-00000000000a/x');
    raise exception 'FAIL  a file of tenant B has a storage key of tenant A';
exception when check_violation then null;
end $$;
do $$ begin
    insert into app.files (tenant_id, name, content_type, bytes, storage_key)
        values ('5a000000-0000-4000-8000-00000000000b', 'x', 'text/plain', 1, 'tenants/5a000000-0000-4000-8000-00000000000b/../x');
    raise exception 'FAIL  a storage key climbs out of its prefix';
exception when check_violation then null;
end $$;
insert into app.files (tenant_id, name, content_type, bytes, storage_key)
    values (:'b', 'x', 'text/plain', 1, 'tenants/5a000000-0000-4000-8000-00000000000b/x');
\echo PASS  a storage key starts with the prefix of its own tenant

do $$ declare touched bigint; begin
    update app.app_users set name = 'Robert';
    get diagnostics touched = row_count;
    if touched <> 1 then raise exception 'FAIL  a person changes % profiles', touched; end if;
end $$;
do $$ begin
    insert into app.app_users (id, email, name, password_hash, must_change_password)
        values (gen_random_uuid(), 'eve@smoke-test.invalid', 'Eve', '$argon2id$v=19$m=19456,t=2,p=1$c21va2U$c21va2U', false);
    raise exception 'FAIL  somebody else is signed up with a lasting password';
exception when insufficient_privilege then null;
end $$;
\echo PASS  a person changes and signs up nobody but himself

do $$ begin
    update app.tenants set plan = 'enterprise';
    raise exception 'FAIL  the application changes a plan';
exception when insufficient_privilege then null;
end $$;
do $$ begin
    truncate app.comments;
    raise exception 'FAIL  the application truncates a table';
exception when insufficient_privilege then null;
end $$;
\echo PASS  the application changes no plan and truncates nothing

do $$ begin
    if app.enter_tenant('5a000000-0000-4000-8000-00000000000b', '5a000000-0000-4000-8000-0000000000b1') <> 'owner' or not app.is_member() then
        raise exception 'FAIL  a member can not enter his tenant';
    end if;
    if app.is_member('5a000000-0000-4000-8000-0000000000a1') then raise exception 'FAIL  a stranger counts as a member'; end if;
end $$;
do $$ begin
    perform app.enter_tenant('5a000000-0000-4000-8000-00000000000a', '5a000000-0000-4000-8000-0000000000b1');
    raise exception 'FAIL  a stranger enters tenant A';
exception when insufficient_privilege then null;
end $$;
\echo PASS  only an active member enters a tenant

do $$ declare seen record; begin
    perform set_config('app.tenant_id', '', true), set_config('app.user_id', '', true);
    select * into seen from app.resolve_tenant('smoke-test-a.example.test:8443', 'example.test');
    if seen.tenant_id is distinct from '5a000000-0000-4000-8000-00000000000a' or seen.state <> 'active' then
        raise exception 'FAIL  a subdomain is not resolved: %', seen;
    end if;
    select * into seen from app.resolve_tenant('SMOKE-TEST-B.localhost.');
    if seen.tenant_id is distinct from '5a000000-0000-4000-8000-00000000000b' then raise exception 'FAIL  the host is not normalised: %', seen; end if;
    select * into seen from app.resolve_tenant('smoke-test-a.elsewhere.test', 'example.test');
    if seen.tenant_id is not null or seen.state <> 'unknown' then raise exception 'FAIL  a foreign host is resolved: %', seen; end if;
    if (select count(*) from app.resolve_tenant('nobody.localhost')) <> 1 then raise exception 'FAIL  an unknown host has no answer'; end if;
end $$;
\echo PASS  a host leads to its tenant, an unknown one says unknown

do $$ declare visible bigint; relation regclass; begin
    for relation in
        select c.oid from pg_class c
        where c.relnamespace = 'app'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition and c.oid <> 'app.countries'::regclass
    loop
        execute format('select count(*) from %s', relation) into visible;
        if visible <> 0 then raise exception 'FAIL  without a tenant, % shows % rows', relation, visible; end if;
        if not (select c.relrowsecurity and c.relforcerowsecurity from pg_class c where c.oid = relation) then
            raise exception 'FAIL  % has no forced row level security', relation;
        end if;
    end loop;
end $$;
\echo PASS  without a tenant setting every table is empty

do $$ begin
    perform count(*) from app.activities_2026;
    raise exception 'FAIL  a partition is readable past its parent';
exception when insufficient_privilege then null;
end $$;
\echo PASS  partitions are not readable past their parent

rollback;
\echo all smoke tests passed
