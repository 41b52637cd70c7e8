-- What `undercroft doctor` asks about rights.

-- name: inspect_lacking_rights
-- Of groups that are there: what `grants.py` read in roles.sql, and is not so here.
select w.grantee || ': ' || string_agg(distinct w.privilege || ' on ' || w.name, ', ' order by w.privilege || ' on ' || w.name) as name
from unnest(%(groups)s::text[], %(rights)s::text[], %(kinds)s::text[], %(names)s::text[], %(columns)s::text[])
    as w (grantee, privilege, kind, name, col)
join pg_roles r on r.rolname = w.grantee
where not coalesce(case w.kind
    when 'table' then has_table_privilege(r.oid, to_regclass('public.' || w.name)::oid, w.privilege)
    when 'column' then has_column_privilege(r.oid, to_regclass('public.' || w.name)::oid, w.col, w.privilege)
    when 'sequence' then has_sequence_privilege(r.oid, to_regclass('public.' || w.name)::oid, w.privilege)
    when 'schema' then has_schema_privilege(r.oid, to_regnamespace(w.name)::oid, w.privilege)
    else has_function_privilege(r.oid, to_regproc('public.' || w.name)::oid, w.privilege) end, false)
group by w.grantee order by w.grantee;

-- name: inspect_surplus_rights
-- Of the groups and of everybody, by the catalogue: nobody else's grants are ours to judge. What everybody may execute is
-- asked apart (`undercroft_guarded_functions`); the rest of our functions only read, and are everybody's by default.
with given as (
    select coalesce(c.relname || '.' || col.attname, c.relname) as name, a.grantee, lower(a.privilege_type) as privilege,
        case when col.attname is not null then 'column' when c.relkind = 'S' then 'sequence' else 'table' end as kind,
        c.relname::text as of_name, coalesce(col.attname::text, '') as of_column
    from pg_class c
    cross join lateral (
        select null::name as attname, c.relacl as acl
        union all
        select attname, attacl from pg_attribute where attrelid = c.oid and attacl is not null
    ) col
    cross join lateral aclexplode(col.acl) a
    where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'v', 'm', 'f', 'S')
        and not exists (select from pg_depend where objid = c.oid and classid = 'pg_class'::regclass and deptype = 'e')
    union all
    select 'schema ' || n.nspname, a.grantee, lower(a.privilege_type), 'schema', n.nspname::text, ''
    from pg_namespace n cross join lateral aclexplode(n.nspacl) a
    where n.nspname in ('public', 'grafana') and (a.grantee <> 0 or a.privilege_type = 'CREATE')
        and not (n.nspname = 'grafana' and a.privilege_type = 'USAGE')
    union all
    select f::text, a.grantee, lower(a.privilege_type), 'function', p.proname::text, ''
    from undercroft_guarded_functions() f join pg_proc p on p.oid = f cross join lateral aclexplode(p.proacl) a
    where p.pronamespace = 'public'::regnamespace and a.grantee <> 0
        and not exists (select from pg_depend where objid = p.oid and classid = 'pg_proc'::regclass and deptype = 'e')
)
select coalesce(r.rolname::text, 'everybody') || ': ' || string_agg(privilege || ' on ' || name, ', ' order by privilege, name) as name
from given left join pg_roles r on r.oid = given.grantee
where (given.grantee = 0 or r.rolname = any(%(known)s::text[]))
    and not exists (
        select from unnest(%(groups)s::text[], %(rights)s::text[], %(kinds)s::text[], %(names)s::text[], %(columns)s::text[])
            as w (grantee, privilege, kind, name, col)
        where w.kind = given.kind and w.grantee = r.rolname and w.privilege = given.privilege and w.name = given.of_name
            and w.col = given.of_column)
group by r.rolname order by r.rolname nulls first;

-- name: inspect_surplus_roles
-- What a role may do that no table tells: of the groups themselves, and of Grafana's logins, by whom anybody may ask who has
-- a viewer's page. A member without the use of it (PostgreSQL 16 makes one of whoever created the role) has none of its rights.
with member as (
    select m.member, m.roleid from pg_auth_members m
    where coalesce((to_jsonb(m) ->> 'inherit_option')::boolean, true) or coalesce((to_jsonb(m) ->> 'set_option')::boolean, true)
), judged as (
    select r.oid, r.rolname::text as name, r.rolname = any(%(known)s::text[]) as is_group from pg_roles r
    where r.rolname = any(%(known)s::text[]) or exists (
        select from member join pg_roles g on g.oid = member.roleid and g.rolname = 'undercroft_grafana' where member.member = r.oid)
        and r.oid <> (select relowner from pg_class where oid = 'deployment'::regclass)
)
select judged.name || ': ' || string_agg(surplus.words, ', ' order by surplus.words) as name
from judged
join pg_roles r using (oid)
cross join lateral (
    select 'member of ' || g.rolname as words from member join pg_roles g on g.oid = member.roleid
    where member.member = judged.oid and (judged.is_group or g.rolname <> 'undercroft_grafana')
    union all
    select words from unnest(
        array['superuser', 'may create roles', 'may create databases', 'may replicate', 'passes over row security', 'may sign in'],
        array[r.rolsuper, r.rolcreaterole, r.rolcreatedb, r.rolreplication, r.rolbypassrls, r.rolcanlogin and judged.is_group]
    ) as had (words, is_so) where is_so
) surplus
group by judged.name order by judged.name;

-- name: inspect_unbound_viewers
-- Logins of Grafana without what keeps a viewer's query from holding others up (grafana.md).
with said as (
    select s.setrole, setting from pg_db_role_setting s cross join unnest(s.setconfig) as one (setting)
    where s.setdatabase in (0, (select oid from pg_database where datname = current_database()))
)
select r.rolname || ': ' || array_to_string(lacking.words, ', ') as name
from pg_roles r
join pg_auth_members m on m.member = r.oid
join pg_roles g on g.oid = m.roleid and g.rolname = 'undercroft_grafana'
cross join lateral (select array_remove(array[
    case when r.rolconnlimit < 0 then 'no connection limit' end,
    case when not exists (select from said where setrole = r.oid and setting ~* '^default_transaction_read_only=(on|true|yes|1)$')
        then 'not read-only' end,
    case when not exists (select from said where setrole in (0, r.oid) and setting ~ '^statement_timeout=[1-9]')
        then 'no statement_timeout' end
], null) as words) as lacking
where r.rolcanlogin and not r.rolsuper and coalesce((to_jsonb(m) ->> 'inherit_option')::boolean, true)
    and cardinality(lacking.words) > 0
    and r.oid <> (select relowner from pg_class where oid = 'deployment'::regclass)
order by r.rolname;

