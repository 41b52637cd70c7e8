-- A refresh that is killed half-way (a restart of the server) leaves its range behind. TimescaleDB 2.26 refuses every later
-- refresh that touches it, so that the rollup stands still until somebody acts. Here it is put back among what waits.

create or replace function undercroft_unstick() returns integer language plpgsql as $$
declare
    stuck integer;
begin
    if to_regclass('_timescaledb_catalog.continuous_aggs_materialization_ranges') is null or exists (
        select from pg_stat_activity
        where datname = current_database() and application_name like 'Refresh Continuous Aggregate Policy%') then
        return 0; -- a version without such ranges, or somebody works on one just now: the next hour will do
    end if;
    with freed as (
        delete from _timescaledb_catalog.continuous_aggs_materialization_ranges
        returning materialization_id, lowest_modified_value, greatest_modified_value
    ), waiting as (
        insert into _timescaledb_catalog.continuous_aggs_materialization_invalidation_log (
            materialization_id, lowest_modified_value, greatest_modified_value)
        select * from freed returning 1
    )
    select count(*) into stuck from waiting;
    return stuck;
exception
    when insufficient_privilege then
        raise notice 'undercroft_unstick may not mend the catalogue: the owner of the database is no superuser';
        return 0;
end
$$;
comment on function undercroft_unstick is 'Let rollups be refreshed again after a killed refresh; how many ranges were left behind.';

create or replace procedure undercroft_unstick_job(job_id integer, config jsonb) language plpgsql as $$
begin
    perform undercroft_unstick();
end
$$;
