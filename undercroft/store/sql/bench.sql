-- Data for `undercroft bench query`, made in the server: an exercise database only.

-- name: bench_fill_site
-- Of every hundred sensors 60 are depths inside as many spaces, 20 barriers and 10 street levels at their entrances, 5 rain
-- gauges, 4 pumps, 1 counts stock in a depot; and a canary. Each is a device of its own; `simulators.bench_site` has the same.
with basin as (
    insert into basin (basin_id, name_zh, name_en) values ('bench', '测', 'bench') returning basin_id
), kind as (
    select * from (values ('space', 'bench-', 60), ('gauge', 'bench-gauge-', 5), ('depot', 'bench-depot-', 1))
        as k (place_kind, prefix, per_hundred)
), place as (
    insert into place (place_id, place_kind, name_zh, name_en, street, basin_id, lat, lon)
    select prefix || n, place_kind, '测' || n, prefix || n, 'street ' || n %% 10, basin_id, 22.5, 114.0
    from basin cross join kind cross join lateral generate_series(1, greatest(1, %(sensors)s::int * per_hundred / 100)) n
    returning place_id, place_kind
), space as (
    insert into space (space_id, kind, floor_level_m, ceiling_height_m, detail)
    select place_id, (array['car_park', 'mall', 'underpass', 'metro_entrance'])[1 + split_part(place_id, '-', 2)::int %% 4],
        0, 3, '{}'
    from place where place_kind = 'space' returning space_id
), entrance as (
    insert into entrance (space_id, entrance_id, name_zh, name_en, crest_level_m, roadway_level_m, width_m, barrier_needed,
        barrier_height_m, barrier_leakage_grade, barrier_deploy_min)
    select space_id, 'a', '口', 'entrance', 0.65, 0.5, 6, true, 0.8, '1', 10 from space
), stock as (
    insert into stock (place_id, item, quantity)
    select place_id, 'sandbag', case place_kind when 'depot' then 500 else 20 end from place where place_kind <> 'gauge'
), requirement as (
    insert into requirement (space_id, item, quantity) select space_id, 'sandbag', 40 from space
), threshold_set as (
    insert into threshold_set (threshold_set_id, commit_seq, author, source, valid_from)
    values ('bench', 1, 'bench', 'bench', '2020-01-01 00:00+00')
), threshold as (
    insert into threshold (threshold_set_id, commit_seq, rule, space_id, severity, value, unit, source)
    select 'bench', 1, 'inside-depth', space_id, 3, 0.1, 'm', 'bench' from space
), site as (
    insert into site_version (commit_seq, sha256, author, imported_at, document)
    values (1, '', 'bench', '2020-01-01 00:00+00',
        '{"district": {"id": "bench", "name_zh": "测", "name_en": "bench", "datum": "bench"}}')
), condition as (
    insert into system_condition (name, is_active, value, threshold, unit, detail, changed_at)
    select 'bench-' || n, n = 1, 1, 1, 'rows', 'bench', timestamptz '2020-01-01 00:00+00' from generate_series(1, 5) n
    returning *
), told as (
    insert into act (act_id, commit_seq, kind, subject, author, acted_at, body)
    select gen_random_uuid(), 1 + row_number() over (order by name), 'system_condition', subject || '/' || name, 'bench', changed_at,
        jsonb_build_object('is_active', is_active, 'value', value, 'threshold', threshold, 'unit', unit, 'detail', detail)
    from condition
), wanted as (
    select place_id || suffix as device_id, place_id, entrance_id, quantity, unit
    from place
    join (values ('space', '-d', 60, null, 'water_depth_m', 'm'), ('space', '-b', 20, 'a', 'barrier_state', 'state'),
        ('space', '-l', 10, 'a', 'water_level_m', 'm'), ('space', '-p', 4, null, 'pump_running', 'state'),
        ('gauge', '-r', 5, null, 'rain_total_mm', 'mm'), ('depot', '-s', 1, null, 'stock_sandbag', 'count')
    ) as s (place_kind, suffix, per_hundred, entrance_id, quantity, unit) using (place_kind)
    where regexp_replace(place_id, '^.*-', '')::int <= greatest(1, %(sensors)s::int * per_hundred / 100)
    union all
    select 'canary-bench', 'bench-1', null, 'battery_v', 'V'
), device as (
    insert into device (device_id, place_id, interval_dry_s, interval_wet_s)
    select device_id, place_id, 600, 60 from wanted
)
insert into sensor (device_id, quantity, unit, place_id, entrance_id, zero_level_m)
select device_id, quantity, unit, place_id, entrance_id, case unit when 'm' then 0 end from wanted
order by quantity = 'battery_v', device_id;

-- name: bench_make_series
-- Days of readings as the simulator's devices make them (`undercroft bench series`), told by milliseconds of the day.
create temporary table bench_series (
    series integer not null, device_id text not null, quantity text not null, observed_ms integer not null, value double precision not null
);

-- name: bench_copy_series
copy bench_series (series, device_id, quantity, observed_ms, value) from stdin;

-- name: bench_missing_series
-- Sensors of the site that no simulated day speaks of.
select n.device_id from sensor n
where n.quantity <> 'battery_v' and not exists (
    select from bench_series s where s.device_id = n.device_id and s.quantity = n.quantity)
order by 1;

-- name: bench_fill_day
-- One day of readings: the simulated days by turns, the counter of rain going on from day to day; and a canary each minute. A
-- message takes 0.2 to 2 s and, as ingest waits 10 ms only, is a batch of its own, whose row is there where retention would
-- have left it. One sensor of a hundred falls silent each evening; one of two hundred has every hour a reading that comes
-- eight hours late.
with day as (
    select %(day)s::timestamptz as begins, (extract(epoch from %(day)s::timestamptz) / 86400)::int as number
), sent as (
    select n.sensor_id, s.observed_ms / 60000 as minute, day.begins + s.observed_ms * interval '1 millisecond' as at,
        case n.quantity when 'rain_total_mm' then round((s.value + day.number %% 1000 * 200)::numeric, 1)::double precision
            else s.value end as value
    from day join bench_series s on s.series = day.number %% (select 1 + max(series) from bench_series)
    join sensor n using (device_id, quantity)
    where not (n.sensor_id %% 100 = 50 and s.observed_ms >= 1200 * 60000)
    union all
    select n.sensor_id, minute, day.begins + minute * interval '1 minute' + interval '30 seconds', 3.6
    from day join sensor n on n.quantity = 'battery_v' cross join generate_series(0, 1439) as minute
), received as (
    select *, case when random() < 0.01 then 3 when random() < 0.002 then 4 else 1 end::smallint as quality,
        floor(extract(epoch from at + (0.2 + 1.8 * random()) * interval '1 second' + case when sensor_id %% 200 = 20
            and minute %% 60 < case when minute >= 1152 then 1 else 10 end then interval '8 hours' else interval '0' end) * 1000)::bigint as received_ms
    from sent
), made as materialized (
    select *, (extract(epoch from %(day)s::timestamptz) * 10)::bigint + row_number() over (order by received_ms, sensor_id) as number
    from received order by number
), batched as (
    insert into batch (batch_id, commit_seq, lane, observed_from, observed_to, messages, readings, stored, duplicates,
        conflicts, dead_letters, committed_at)
    select number, number, 'routine', at, at, 1, 1, 1, 0, 0, 0, to_timestamp(received_ms / 1000.0) + interval '15 ms'
    from made where %(has_batches)s::boolean
), conflicting as (
    insert into observation_conflict (sensor_id, observed_at, value, quality, received_at, batch_id)
    select sensor_id, at, value + 1, 3, to_timestamp(received_ms / 1000.0), number from made
    where sensor_id %% 50 = 7 and minute %% 60 = 0
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
-- A tick every ten seconds.
insert into tick (tick_seq, tick_at, up_to_commit_seq, committed_at)
select (extract(epoch from %(day)s::timestamptz) / 10)::bigint + n, at,
    coalesce((select commit_seq from batch where coalesce(run_now, committed_at) <= at
        order by coalesce(run_now, committed_at) desc limit 1), 0), at + interval '30 ms'
from generate_series(0, 8639) n
cross join lateral (select %(day)s::timestamptz + n * interval '10 seconds' as at) t;

-- name: bench_fill_assessments
-- Every space each five minutes, one of fifty blind.
insert into assessment (space_id, tick_seq, tick_at, level, score, blind, reasons, contributions, evidence)
select s.space_id, t.tick_seq, t.tick_at, (t.tick_seq / 30 + split_part(s.space_id, '-', 2)::int) %% 5, (t.tick_seq / 30 %% 100),
    split_part(s.space_id, '-', 2)::int %% 50 = 1,
    '[{"rule": "depth", "text_zh": "水深", "text_en": "depth"}]', '{}',
    '{"rain_mm": {"5": 1, "10": 2, "60": 9}, "time_to_orange_min": 12.5, "time_to_red_min": 21, "entrances": [{"entrance": "a",
    "barrier": "deployed", "freeboard_m": 0.31}], "ahead": {"order": "by", "last_order_min": 4.5, "order_red": "by",
    "last_order_red_min": 9.5, "orange": {"earliest_min": 6, "likely_min": 12.5, "latest_min": 30}, "red": {"earliest_min": 9,
    "likely_min": 21, "latest_min": 44}}, "stand_ins": [{"name_zh": "邻",
    "name_en": "next", "depth_m": 0.2}], "people": [{"text_zh": "楼梯", "text_en": "Stairs", "value": 0.116, "unit": "m2",
    "depth_m": 0.3, "sensor": "d:water_depth_m", "observed_at": "2026-01-01T00:00:00Z"}]}'
from space s cross join tick t
where t.tick_at >= %(day)s::timestamptz and t.tick_at < %(day)s::timestamptz + interval '1 day' and t.tick_seq %% 30 = 0
order by t.tick_seq, s.space_id;

-- name: bench_fill_alarms
-- 240 alarms a day of half an hour, six entries of the log each; of the last day one of twenty is still open.
with made as (
    insert into alarm (subject, occurrence, subject_kind, severity, peak_severity, active, acknowledged, raised_at, cleared_at,
        reasons, last_tick_seq)
    select 'space/' || s.space_id, (extract(epoch from %(day)s::timestamptz) / 360)::int + n, 'space', 2 + n %% 3, 2 + n %% 3,
        false, true, at, case when n %% 20 <> 0 or at < %(end)s::timestamptz - interval '1 day' then at + interval '30 minutes' end,
        '[{"text_zh": "水深", "text_en": "depth"}]', (extract(epoch from %(day)s::timestamptz) / 10)::bigint
    from generate_series(0, 239) n
    cross join lateral (select %(day)s::timestamptz + n * interval '6 minutes' as at) t
    join (select space_id, row_number() over (order by space_id) - 1 as number, count(*) over () as spaces from space) s
        on s.number = n * 7 %% s.spaces
    returning *
)
insert into alarm_event (subject, occurrence, event_no, tick_seq, tick_at, kind, severity, reasons)
select subject, occurrence, occurrence::bigint * 10 + e, last_tick_seq, raised_at + e * interval '4 minutes',
    (array['raised', 'severity_up', 'acknowledged', 'reason_added', 'severity_down', 'cleared'])[e + 1], severity, reasons
from made cross join generate_series(0, 5) e where e < 5 or cleared_at is not null;

-- name: bench_fill_acts
-- 96 field reports, 12 movements of stock, a red warning and its end.
insert into act (act_id, commit_seq, kind, subject, author, acted_at, body)
select gen_random_uuid(), (extract(epoch from %(day)s::timestamptz) / 86.4)::bigint + row_number() over (order by at), kind,
    subject, 'bench', at, body
from (
    select 'field_report', 'space/bench-' || 1 + n %% 7, %(day)s::timestamptz + n * interval '15 minutes',
        '{"depth_m": 0.1}'::jsonb from generate_series(0, 95) n
    union all
    select 'stock_movement', 'depot/bench-depot-1', %(day)s::timestamptz + n * interval '2 hours',
        '{"item": "sandbag", "quantity": -1, "left": 400, "reason": "bench"}' from generate_series(0, 11) n
    union all
    select 'rain_warning', 'warning/' || %(day)s::timestamptz::date, %(day)s::timestamptz + n * interval '20 hours',
        case n when 0 then '{"state": "in_force", "colour": "red"}'::jsonb else '{"state": "ended"}' end from generate_series(0, 1) n
) as a (kind, subject, at, body);

-- name: bench_fill_library
-- A library of past floods a day.
insert into flood_library (version, built_at, built_from, built_until, engine_version, author, source, sensors, floods, sha256, document)
select (extract(epoch from %(day)s::timestamptz) / 86400)::integer, %(day)s::timestamptz, null, %(day)s::timestamptz, 'bench', 'bench',
    'stored readings', 140, 2000, '', '{}';

-- name: bench_fill_duty
-- An incident of the day, 24 orders of three steps each, 48 messages, two reports, two shifts; all but the last day's are done with.
with day as (
    select %(day)s::timestamptz as at, to_char(%(day)s::timestamptz at time zone 'UTC', 'YYYY-MM-DD') as name,
        %(day)s::timestamptz >= %(end)s::timestamptz - interval '1 day' as is_last,
        (extract(epoch from %(day)s::timestamptz) / 86400)::bigint as number
), incident as (
    insert into incident (incident_id, basin_id, opened_at, closed_at, worst, state)
    select name, 'bench', at, case when not is_last then at + interval '20 hours' end, 4, '{}' from day
), orders as (
    insert into duty_order (order_id, incident_id, subject, proof, state, owner, author, changed_at, due_at, within_s, text_zh,
        text_en, note, severity)
    select name || '-' || n, name, 'space/bench-' || 1 + n %% 7, 'barrier_deployed',
        case when is_last and n >= 20 then 'taken' else 'confirmed' end, 'bench', 'bench', at + n * interval '1 hour'
            + interval '10 minutes', at + n * interval '1 hour' + interval '15 minutes', 900, '', '', '', 3
    from day cross join generate_series(0, 23) n
    returning order_id, subject, changed_at, state
), entries as (
    insert into duty_log (entry_no, at, kind, author, subject, body, previous, sha256)
    select number * 1000 + row_number() over (order by o.changed_at, step), o.changed_at + (step - 2) * interval '5 minutes',
        'order', 'bench', o.subject, jsonb_build_object('order', o.order_id, 'proof', 'barrier_deployed', 'owner', 'bench',
            'step', (array['issue', 'take', 'confirm'])[step + 1]), '', ''
    from day cross join orders o cross join generate_series(0, 2) step where step < 2 or o.state = 'confirmed'
), messages as (
    insert into notification (key, cause, incident_id, reason, step, severity, person_id, channel, address, title, body,
        decided_at, queued_at, state)
    select name || '-' || n, name || '#' || n, name, 'first', 0, 4, 'bench', 'hook', 'bench', '', '',
        at + n * interval '30 minutes', at + n * interval '30 minutes', 'accepted' from day cross join generate_series(0, 47) n
), due as (
    insert into report_due (incident_id, kind, serial, due_at, reminders)
    select name, kind, serial, at + interval '20 hours', 0 from day cross join (values ('phone', 0), ('first', 1)) r (kind, serial)
), reports as (
    insert into report (incident_id, serial, kind, drafted_at, covers_from, text, author, submitted_at, submitted_by)
    select name, 1, 'first', at + interval '19 hours', at, '', 'bench', case when not is_last then at + interval '19 hours' end, 'bench'
    from day
)
insert into roster_shift (starts_at, ends_at, step, standing, person_id, name, phone, reach)
select at + n * interval '12 hours', at + (n + 1) * interval '12 hours', 0, 'holder', 'bench', 'bench', '', '[]'
from day cross join generate_series(0, 1) n;

-- name: bench_fill_flags
-- What is said of readings afterwards: a hundred or so that the next sample shows to be spikes, and two hours of two sensors that a
-- person takes out, other sensors each day.
with day as (
    select %(day)s::timestamptz as begins, (extract(epoch from %(day)s::timestamptz) / 86400)::int as number
), spikes as (
    insert into quality_flag (sensor_id, observed_from, observed_to, quality, quality_tests, author, reason, batch_id, quality_at_arrival)
    select o.sensor_id, o.observed_at, o.observed_at, 3, 4, 'ingest', 'bench', 0, o.quality
    from day join observation o on o.observed_at >= day.begins and o.observed_at < day.begins + interval '1 day'
    where o.sensor_id %% 10 = 3 and (extract(epoch from o.observed_at) * 1000)::bigint %% 211 = 0
)
insert into quality_flag (sensor_id, observed_from, observed_to, quality, quality_tests, author, reason, act_id)
select 1 + (day.number * 2 + n) * 37 %% 200, at, at + interval '2 hours', 4, 4096, 'bench', 'bench', gen_random_uuid()
from day cross join generate_series(0, 1) n
cross join lateral (select day.begins + n * interval '12 hours' + day.number %% 60 * interval '1 minute' as at) t;

-- name: bench_fill_letters
insert into dead_letter (topic, payload_sha256, reason, detail, device_id, payload, payload_bytes, qos, retain,
    first_received_at, last_received_at, batch_id)
select 'exercise/v1/bench/bench-1/bench-1-d/observation', sha256((%(day)s::timestamptz::text || n)::bytea), 'unknown_key', 'bench',
    'bench-1-d', '{}', 2, 1, false, at, at, 0
from generate_series(0, 47) n cross join lateral (select %(day)s::timestamptz + n * interval '30 minutes' as at) t;

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

-- name: bench_any_reading
select from observation limit 1;

-- name: bench_drop_newer
-- undercroft: only with TimescaleDB
select drop_chunks(%(relation)s::text::regclass, newer_than => %(since)s::timestamptz);

-- name: bench_observation_bytes_timescale
-- undercroft: only with TimescaleDB
select hypertable_size('observation_packed') as bytes, (select count(*) from observation) as readings;
