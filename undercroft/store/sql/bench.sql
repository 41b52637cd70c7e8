-- Data for `undercroft bench query`, made in the server: an exercise database only.

-- name: bench_fill_site
-- Sensors of 500 spaces: three readings a message would carry, as depths in steps of a millimetre.
with basin as (
    insert into basin (basin_id, name_zh, name_en) values ('bench', '测', 'bench') returning basin_id
), place as (
    insert into place (place_id, place_kind, name_zh, name_en, street, basin_id, lat, lon)
    select 'bench-' || n, 'space', '测' || n, 'bench ' || n, 'street ' || n %% 10, basin_id, 22.5, 114.0
    from basin, generate_series(1, %(sensors)s::int) n returning place_id
), space as (
    insert into space (space_id, kind, floor_level_m, ceiling_height_m, detail)
    select place_id, 'car_park', 0, 3, '{}' from place returning space_id
), device as (
    insert into device (device_id, place_id, interval_dry_s, interval_wet_s)
    select space_id || '-d', space_id, 600, 60 from space returning device_id, place_id
)
insert into sensor (device_id, quantity, unit, place_id, zero_level_m)
select device_id, 'water_depth_m', 'm', place_id, 0 from device;

-- name: bench_fill_day
-- One day of readings: every 600 s, and every 60 s in the wet fifth of the day, its end; each device's clock is off by up to
-- two seconds and trembles by a tenth; depths in steps of a millimetre; a message takes 0.2 to 2 s and, as ingest waits
-- 10 ms only, is a batch of its own, whose row is there where retention would have left it.
with sent as (
    select n.sensor_id, minute,
        %(day)s::timestamptz + minute * interval '1 minute'
            + ((n.sensor_id * 7919 %% 4000) / 1000.0 - 2 + 0.1 * random()) * interval '1 second'
            + (n.sensor_id %% 60) * interval '1 second' as at,
        case when minute >= 1152 then round((0.4 * sin((minute - 1152) / 92.0) ^ 2 + 0.004 * random())::numeric, 3)::double precision
            else 0 end as value,
        case when random() < 0.01 then 3 else 1 end::smallint as quality
    from sensor n cross join generate_series(0, 1439) as minute
    where minute >= 1152 or minute %% 10 = 0
), received as (
    select *, floor(extract(epoch from at + (0.2 + 1.8 * random()) * interval '1 second') * 1000)::bigint as received_ms
    from sent
), made as materialized (
    select *, (extract(epoch from %(day)s::timestamptz) * 10)::bigint + row_number() over (order by received_ms, sensor_id) as number
    from received order by number
), batched as (
    insert into batch (batch_id, commit_seq, lane, observed_from, observed_to, messages, readings, stored, duplicates,
        conflicts, dead_letters, committed_at)
    select number, number, 'routine', at, at, 1, 1, 1, 0, 0, 0, to_timestamp(received_ms / 1000.0) + interval '15 ms'
    from made where %(has_batches)s::boolean
)
insert into observation_packed (
    sensor_id, observed_at, value_thousandths, value_exact, quality, quality_tests, received_ms, batch_id, seq
)
select sensor_id, at, undercroft_thousandths(value),
    case when undercroft_thousandths(value) is null then value end, quality, case when quality = 3 then 4 else 0 end,
    received_ms, number, (extract(epoch from %(day)s::timestamptz) / 60)::bigint + minute
from made
on conflict do nothing;

-- name: bench_fill_engine
insert into tick (tick_seq, tick_at, up_to_commit_seq, committed_at)
select (extract(epoch from %(day)s::timestamptz) / 300)::bigint + n, at,
    coalesce((select commit_seq from batch where coalesce(run_now, committed_at) <= at
        order by coalesce(run_now, committed_at) desc limit 1), 0), at + interval '30 ms'
from generate_series(0, 287) n
cross join lateral (select %(day)s::timestamptz + n * interval '5 minutes' as at) t;

-- name: bench_fill_assessments
insert into assessment (space_id, tick_seq, tick_at, level, score, blind, reasons, contributions, evidence)
select s.space_id, t.tick_seq, t.tick_at, (t.tick_seq %% 5)::int, (t.tick_seq %% 100), false,
    '[{"rule": "depth", "text_zh": "水深", "text_en": "depth"}]', '{}', '{"rain_mm": {"5": 1, "10": 2, "60": 9}, "entrances": []}'
from space s cross join tick t
where t.tick_at >= %(day)s::timestamptz and t.tick_at < %(day)s::timestamptz + interval '1 day'
order by t.tick_seq, s.space_id;

-- name: bench_observation_bytes_plain
select pg_total_relation_size('observation_packed') as bytes, (select count(*) from observation) as readings;

-- name: bench_stop_jobs
-- undercroft: only with TimescaleDB
-- What runs by itself would run beside what is timed; a benchmark does it by hand.
select alter_job(job_id, scheduled => false) from timescaledb_information.jobs where proc_name <> 'policy_telemetry';

-- name: bench_running_jobs
-- undercroft: only with TimescaleDB
-- Stopping a job while it refreshes cancels it, and leaves a range that no later refresh may touch (2.26).
select count(*)::int as running from pg_stat_activity
where datname = current_database() and application_name like '%% Policy [%%';

-- name: bench_compress
-- undercroft: only with TimescaleDB
select count(compress_chunk(chunk, if_not_compressed => true)) as chunks
from show_chunks(%(relation)s::text::regclass, older_than => %(before)s::timestamptz) as chunk;

-- name: bench_refresh
-- undercroft: only with TimescaleDB
call refresh_continuous_aggregate(%(level)s::text::regclass, %(since)s::timestamptz, %(until)s::timestamptz);

-- name: bench_fill_stream
-- So many readings of half a minute, each of another sensor: the most groups that a refresh can meet.
insert into observation_packed (sensor_id, observed_at, value_thousandths, quality, received_ms, batch_id)
select 1000000 + n, %(at)s::timestamptz + n * interval '30 seconds' / %(rows)s, n %% 400, 1,
    floor(extract(epoch from %(at)s::timestamptz) * 1000)::bigint + 1000, 0
from generate_series(0, %(rows)s::int - 1) as n;

-- name: bench_any_streamed
select from observation_packed where sensor_id >= 1000000 limit 1;

-- name: bench_observation_bytes_timescale
-- undercroft: only with TimescaleDB
select hypertable_size('observation_packed') as bytes, (select count(*) from observation) as readings;
