-- What `undercroft doctor` asks.

-- name: inspect_server
select current_setting('server_version_num')::int as server_version, clock_timestamp() as server_now,
    (select rolsuper from pg_roles where rolname = current_user) as is_superuser,
    pg_database_size(current_database()) as bytes_used, current_setting('fsync') as fsync,
    current_setting('full_page_writes') as full_page_writes, pg_is_in_recovery() as is_standby,
    current_setting('transaction_read_only') as read_only, current_setting('synchronous_commit') as synchronous_commit,
    -- Of others: a login's own settings hold from its next connection on. Whose login is not told by its groups is not looked at.
    array(select coalesce(r.rolname::text, 'everybody') || ': ' || said.setting
        from pg_db_role_setting s
        left join pg_roles r on r.oid = s.setrole
        cross join unnest(s.setconfig) as said (setting)
        where s.setdatabase in (0, (select oid from pg_database where datname = current_database()))
            and (s.setrole = 0 or r.oid = (select relowner from pg_class where oid = to_regclass('public.deployment'))
                or exists (select from pg_roles g where g.rolname = any(%(writers)s::text[]) and pg_has_role(r.oid, g.oid, 'usage')))
            and said.setting ~* '^(synchronous_commit=(off|false|no|0)|(default_)?transaction_read_only=(on|true|yes|1))$'
        order by 1) as unsafe_settings;

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

-- name: inspect_kept
select array(select undercroft_put_off()) as put_off, array(select undercroft_long_holds(now())) as long_holds;

-- name: inspect_jobs
-- undercroft: only with TimescaleDB
-- Ours, and others: what TimescaleDB does for itself (it tells its maker of use) and what somebody else had made.
select concat_ws(' ', j.proc_name, coalesce(j.config ->> 'relation', j.hypertable_name), 'of ' || nullif(j.owner::text, (
    select pg_get_userbyid(relowner) from pg_class where oid = 'deployment'::regclass)::text)) as name,
    j.proc_schema = 'public' and j.proc_name like 'undercroft\_%' or j.hypertable_schema is not distinct from 'public' as is_ours
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
    else (select max(last_run_started_at) > now() - interval '3 minutes' from timescaledb_information.job_stats)
end as jobs_run;

-- name: inspect_policies
-- undercroft: only with TimescaleDB
select wanted.job || case
    when not found.is_known then ''
    when not found.is_scheduled then ' (stopped)'
    else ' (never runs again)'
end as name
from (
    select relation || ': ' || job as job, relation, job as proc_name
    from unnest(array['observation_packed', 'tick', 'assessment', 'rollup_1m', 'rollup_10m', 'rollup_1h', 'rollup_1d'])
        as relation, unnest(array['undercroft_compress_job', 'policy_refresh_continuous_aggregate']) as job
    where job = 'undercroft_compress_job' or relation like 'rollup\_%'
    union all
    select job, null, job
    from unnest(array['undercroft_retain_job', 'undercroft_unstick_job']) as job
    where job <> 'undercroft_retain_job' or (select mode from deployment) = 'live'
) as wanted
cross join lateral (
    select count(*) > 0 as is_known, coalesce(bool_or(j.scheduled), false) as is_scheduled,
        coalesce(bool_or(j.scheduled and coalesce(s.next_start, now()) <> 'infinity'), false) as is_to_run
    from timescaledb_information.jobs j left join timescaledb_information.job_stats s using (job_id)
    where j.proc_name = wanted.proc_name
        and coalesce(j.config ->> 'relation', j.hypertable_name::text) is not distinct from wanted.relation
) as found
where not found.is_to_run
union all
-- A day's grace: the offset is in whole days. Behind this, refresh would make rollups anew from readings that are gone.
select hypertable_name || ': refresh reaches behind what was dropped' from timescaledb_information.jobs
where proc_name = 'policy_refresh_continuous_aggregate' and hypertable_schema = 'public' and hypertable_name like 'rollup\_%'
    and undercroft_refresh_from(hypertable_name, now()) - interval '1 day'
        > now() - coalesce((config ->> 'start_offset')::interval, interval '1000 years')
order by 1;

-- name: inspect_uncompressed
-- undercroft: only with TimescaleDB
-- Two days after it should have been: backups and long queries put it off for hours, and an exercise writes of any date. Whole
-- chunks alone, late rows not.
select j.config ->> 'relation' || ': ' || count(*) || ' chunks since ' || to_char(min(c.range_end) at time zone 'UTC', 'YYYY-MM-DD') as name
from timescaledb_information.jobs j
join timescaledb_information.chunks c on c.hypertable_name = undercroft_hypertable_of(j.config ->> 'relation')
    and not c.is_compressed and c.range_end < now() - (j.config ->> 'compress_after')::interval - interval '2 days'
    and c.chunk_creation_time < now() - interval '2 days'
where j.proc_name = 'undercroft_compress_job'
group by j.config ->> 'relation' order by 1;
