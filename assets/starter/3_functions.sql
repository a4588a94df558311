-- The starter schema, part 3 of 5: what an application calls. Run as app_owner.
--
-- A request does: resolve_tenant(host), check the login, begin, enter_tenant(tenant, user), its statements, commit.
-- Every function pins its search_path and qualifies every name, so that nobody's temporary table is read instead.

-- Owns the one function that looks across tenants, and may read the five columns that it answers with; nobody is a member of it.
do $$
begin
    create role app_resolver nologin noinherit;
exception when duplicate_object or unique_violation then
    null;   -- roles belong to the server: another database of it has this one already
end $$;

-- Which tenant does this host belong to? Always one row. state: active, suspended, or unknown with nulls.
-- host may carry a port and a trailing dot. <subdomain>.<base domain> or a tenant's own domain; the base domain is the argument,
-- or the setting app.base_domain, or localhost.
create function app.resolve_tenant(host text, base_domain text default null)
returns table (tenant_id uuid, slug text, state text)
language sql stable security definer
set search_path = pg_catalog, pg_temp
begin atomic
    with asked as (
        select rtrim(regexp_replace(lower(resolve_tenant.host), ':\d+$', ''), '.') as name,
            lower(coalesce(resolve_tenant.base_domain, nullif(current_setting('app.base_domain', true), ''), 'localhost')) as suffix
    ), found as (
        select t.id, t.slug, t.status from app.tenants t, asked where t.custom_domain = asked.name
        union all
        select t.id, t.slug, t.status from app.tenants t, asked
        where right(asked.name, length(asked.suffix) + 1) = '.' || asked.suffix
            and t.subdomain = left(asked.name, -length(asked.suffix) - 1)
    )
    select f.id, f.slug, coalesce(f.status, 'unknown')
    from (select) as one left join found f on true
    limit 1;
end;

-- Is this person an active member of the tenant that the transaction is in? Answers no outside of a tenant.
create function app.is_member(user_id uuid default nullif(current_setting('app.user_id', true), '')::uuid)
returns boolean
language sql stable
set search_path = pg_catalog, pg_temp
begin atomic
    select exists (
        select from app.tenant_memberships m
        where m.tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid
            and m.user_id = is_member.user_id and m.state = 'active');
end;

-- Puts the transaction into a tenant as one of its members and answers with his role.
-- Refused with 42501 where he is no active member or the tenant is suspended; unknown tenants look the same. The error undoes both settings.
create function app.enter_tenant(tenant uuid, member uuid)
returns text
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    entered text;
begin
    perform set_config('app.tenant_id', enter_tenant.tenant::text, true), set_config('app.user_id', enter_tenant.member::text, true);
    select m.role into entered
    from app.tenant_memberships m join app.tenants t on t.id = m.tenant_id
    where m.tenant_id = enter_tenant.tenant and m.user_id = enter_tenant.member and m.state = 'active' and t.status = 'active';
    if entered is null then
        raise exception 'not a member of this tenant' using errcode = 'insufficient_privilege';
    end if;
    return entered;
end $$;
