-- What `undercroft doctor` asks.

-- name: inspect_server
select current_setting('server_version_num')::int as server_version, clock_timestamp() as server_now,
    (select rolsuper from pg_roles where rolname = current_user) as is_superuser,
    pg_database_size(current_database()) as bytes_used, current_setting('fsync') as fsync;

-- name: inspect_tables
select to_regclass('public.schema_migration') is not null as is_migrated,
    to_regclass('public.restore_unfinished') is not null as is_half_restored;

-- name: inspect_migrations
select version, name from schema_migration order by version;

-- name: inspect_lively
select
    (select mode from deployment) as mode,
    (select held_at from deployment) as held_at,
    (select pg_has_role(current_user, relowner, 'member') from pg_class where oid = 'deployment'::regclass) as is_owner,
    array(select rolname::text from pg_roles
        where rolname like 'undercroft\_%%' and not rolcanlogin and pg_has_role(current_user, oid, 'member')
        order by 1) as groups,
    -- The server's roles are in no backup.
    array(select wanted from unnest(%(groups)s::text[]) wanted left join pg_roles r on r.rolname = wanted
        where not coalesce(case when wanted = 'undercroft_grafana' then has_schema_privilege(r.oid, to_regnamespace('grafana')::oid, 'usage')
            else has_table_privilege(r.oid, 'deployment'::regclass, 'select') end, false)
        order by 1) as groups_without_rights,
    -- Of the table itself: information_schema shows a login only the rights that it gave or has. The role, and whoever has its
    -- rights and owns nothing: a login may be let in by another role too.
    array(select r.rolname::text from pg_roles r
        join pg_roles g on g.rolname = 'undercroft_grafana' and not r.rolsuper and pg_has_role(r.oid, g.oid, 'usage')
        where exists (select from pg_class c where c.relnamespace = 'public'::regnamespace
            and c.relkind in ('r', 'p', 'v', 'm', 'f') and has_any_column_privilege(r.oid, c.oid, 'select')
            and not pg_has_role(r.oid, c.relowner, 'usage')
            and not exists (select from pg_depend where objid = c.oid and deptype = 'e'))
        order by 1) as grafana_readers,
    array(select distinct p.proname::text from pg_roles g, undercroft_guarded_functions() f join pg_proc p on p.oid = f
        where g.rolname = 'undercroft_grafana' and has_function_privilege(g.oid, p.oid, 'execute')
            and p.proname not in ('time_bucket_gapfill', 'locf', 'interpolate') order by 1) as grafana_may_call;

-- name: inspect_overdue
select name from undercroft_overdue(now() - interval '2 days') as name order by 1;

-- name: inspect_jobs
-- undercroft: only with TimescaleDB
select concat_ws(' ', j.proc_name, j.hypertable_name, 'of ' || nullif(j.owner::text, (
    select pg_get_userbyid(relowner) from pg_class where oid = 'deployment'::regclass)::text)) as name
from timescaledb_information.jobs j
join timescaledb_information.job_stats s using (job_id)
where s.last_run_status = 'Failed'
order by 1;

-- name: delete_jobs_of_services
-- undercroft: only with TimescaleDB
-- No service makes jobs; one that did was let in by what everybody might execute once.
select j.proc_name || ' of ' || r.rolname as name, delete_job(j.job_id)
from timescaledb_information.jobs j
join pg_roles r on r.oid = j.owner::regrole and not r.rolsuper
where r.oid <> (select relowner from pg_class where oid = 'deployment'::regclass)
    and exists (select from pg_roles g where g.rolname = any(%(names)s) and pg_has_role(r.oid, g.oid, 'usage'))
order by j.job_id;

-- name: inspect_workers
-- undercroft: only with TimescaleDB
-- Who may see other people's sessions sees the scheduler; anybody else, when a job began the last time.
select case
    when pg_has_role('pg_read_all_stats', 'usage') then exists (
        select from pg_stat_activity
        where datname = current_database() and backend_type = 'TimescaleDB Background Worker Scheduler')
    else (select max(last_run_started_at) > now() - interval '10 minutes' from timescaledb_information.job_stats)
end as jobs_run;

-- name: inspect_policies
-- undercroft: only with TimescaleDB
select wanted.name || ': ' || wanted.policy || case when exists (
    select from timescaledb_information.jobs j where j.proc_name = wanted.policy and j.hypertable_name::text = wanted.name
) then ' (stopped)' else '' end as name
from (values
    ('observation_packed', 'policy_compression'), ('tick', 'policy_compression'), ('assessment', 'policy_compression'),
    ('rollup_1m', 'policy_refresh_continuous_aggregate'), ('rollup_10m', 'policy_refresh_continuous_aggregate'),
    ('rollup_1h', 'policy_refresh_continuous_aggregate'), ('rollup_1d', 'policy_refresh_continuous_aggregate'),
    ('rollup_1m', 'policy_compression'), ('rollup_10m', 'policy_compression'),
    ('rollup_1h', 'policy_compression'), ('rollup_1d', 'policy_compression')
) as wanted (name, policy)
where not exists (
    select from timescaledb_information.jobs j
    where j.scheduled and j.proc_name = wanted.policy and j.hypertable_name::text = wanted.name)
union all
select job || case when exists (select from timescaledb_information.jobs where proc_name = job) then ' (stopped)' else '' end
from unnest(case when (select mode from deployment) = 'live' then array['undercroft_retain_job', 'undercroft_unstick_job']
    else array['undercroft_unstick_job'] end) as job
where not exists (select from timescaledb_information.jobs where scheduled and proc_name = job)
union all
-- A day's grace: the offset is in whole days. Behind this, refresh would make rollups anew from readings that are gone.
select hypertable_name || ': refresh reaches behind what was dropped' from timescaledb_information.jobs
where proc_name = 'policy_refresh_continuous_aggregate' and hypertable_schema = 'public' and hypertable_name like 'rollup\_%'
    and undercroft_refresh_from(hypertable_name, now()) - interval '1 day'
        > now() - coalesce((config ->> 'start_offset')::interval, interval '1000 years')
order by 1;
