-- What runs by itself on a TimescaleDB: compression, refresh, retention. `undercroft db migrate` brings it up to date.
-- An exercise is played at any date, so nothing in it grows old: no retention, refresh from the beginning of time.

-- How far back a refresh may reach, in whole days; null: to the beginning.
create or replace function undercroft_refresh_reach(level text) returns interval language plpgsql stable as $$
declare
    reach constant interval := date_trunc('day', now() - undercroft_refresh_from(level, now()));
begin
    if reach < interval '5 days' then -- a rollup of days needs two whole ones before today
        raise exception 'retention_class: % is refreshed for % only: keep readings and finer rollups for 7 days at least', level, reach;
    end if;
    return reach;
end
$$;

-- Refresh jobs reach as far as they may today: no further than what is kept, and never behind what was dropped.
create or replace function undercroft_bound_refresh() returns void language plpgsql as $$
begin
    perform alter_job(job_id, config => config || jsonb_build_object('start_offset', undercroft_refresh_reach(hypertable_name)))
    from timescaledb_information.jobs
    where proc_name = 'policy_refresh_continuous_aggregate' and hypertable_schema = 'public' and hypertable_name like 'rollup\_%'
        and (config ->> 'start_offset')::interval is distinct from undercroft_refresh_reach(hypertable_name);
end
$$;

create or replace function undercroft_class_changed() returns trigger language plpgsql as $$
begin
    perform undercroft_bound_refresh();
    return null;
end
$$;
comment on function undercroft_class_changed is 'What is kept and how far rollups are refreshed change together, or a shorter class would empty rollups.';
create or replace trigger class_changed after insert or delete or update of relation, keep, step, data_class on retention_class
    for each statement execute function undercroft_class_changed();

do $$
declare
    is_live constant boolean := (select mode = 'live' from deployment);
    level record;
begin
    perform remove_retention_policy(relation::regclass, if_exists => true)
    from retention_class where relation in ('observation_packed', 'tick', 'assessment');
    perform delete_job(job_id) from timescaledb_information.jobs
    where proc_name in ('undercroft_retain_job', 'undercroft_unstick_job', 'undercroft_compress_job');

    -- The largest rows of all, and nobody writes to them again. A database made before had chunks of a week.
    perform set_chunk_time_interval('assessment', interval '1 day');

    for level in
        select * from (values
            ('rollup_1m', interval '1 minute', interval '30 seconds', 1440, 'sensor_id', 'bucket'),
            ('rollup_10m', interval '10 minutes', interval '1 minute', 1008, 'sensor_id', 'bucket'),
            ('rollup_1h', interval '1 hour', interval '1 minute', 720, '', 'sensor_id, bucket'),
            ('rollup_1d', interval '1 day', interval '5 minutes', 100, '', 'sensor_id, bucket')
        ) as t (name, width, every, per_batch, segment_by, order_by) -- the default of 10 buckets makes 144 batches a day
    loop
        -- By sensor (decision 0048). A chunk of ten days holds too few hours or days of one to fill its own pieces.
        execute format('alter materialized view %I set (timescaledb.compress, timescaledb.compress_segmentby = %L,'
            ' timescaledb.compress_orderby = %L)', level.name, level.segment_by, level.order_by);
        perform remove_continuous_aggregate_policy(level.name::regclass, if_exists => true);
        perform add_continuous_aggregate_policy(level.name::regclass, start_offset => undercroft_refresh_reach(level.name),
            end_offset => level.width, schedule_interval => level.every,
            buckets_per_batch => level.per_batch);
    end loop;

    -- Every hour: what somebody read just then waits for the next run.
    perform remove_compression_policy(name::regclass, if_exists => true),
        add_job('undercroft_compress_job', interval '1 hour', jsonb_build_object('relation', name, 'compress_after', after))
    from (values
        ('observation_packed', interval '2 days'), ('tick', interval '8 days'), ('assessment', interval '2 days'),
        ('rollup_1m', interval '3 days'), ('rollup_10m', interval '20 days'),
        ('rollup_1h', interval '40 days'), ('rollup_1d', interval '40 days')
    ) as t (name, after);

    perform add_job('undercroft_unstick_job', interval '1 hour');
    if is_live then
        perform add_job('undercroft_retain_job', interval '1 hour');
    end if;

    -- Whoever migrates changes tables still: rights come last, and a refresh beside it would fail.
    perform alter_job(job_id, next_start => now() + interval '15 seconds') from timescaledb_information.jobs
    where proc_name like 'undercroft\_%' or hypertable_schema = 'public' and hypertable_name like 'rollup\_%';
end
$$;
