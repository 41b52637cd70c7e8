-- name: make_way
select undercroft_make_way(%(days)s::timestamptz[]);

-- name: insert_observations
insert into observation_packed (
    sensor_id, observed_at, value_thousandths, value_exact, quality, quality_tests, received_ms, batch_id, seq
)
select sensor_id, observed_at, thousandths, case when thousandths is null then value end, quality, quality_tests,
    received_ms, %(batch_id)s, nullif(seq, -1)
from unnest(
    %(sensor_ids)s::integer[], %(observed_at)s::timestamptz[], %(values)s::double precision[],
    %(qualities)s::smallint[], %(quality_tests)s::integer[], %(received_ms)s::bigint[], %(serials)s::bigint[]
) as incoming (sensor_id, observed_at, value, quality, quality_tests, received_ms, seq)
cross join lateral (select undercroft_thousandths(value) as thousandths) packed
on conflict (sensor_id, observed_at) do nothing;

-- name: fetch_stored_beside
select (incoming.position - 1)::integer as position, stored.value, coalesce(stored.batch_id = %(batch_id)s::bigint, false) as is_new
from unnest(%(sensor_ids)s::integer[], %(observed_at)s::timestamptz[]) with ordinality
    as incoming (sensor_id, observed_at, position)
join observation stored on stored.sensor_id = incoming.sensor_id and stored.observed_at = incoming.observed_at
order by incoming.position;

-- name: insert_conflicts
insert into observation_conflict (sensor_id, observed_at, value, quality, quality_tests, received_at, batch_id)
select sensor_id, observed_at, value, quality, quality_tests, received_at, %(batch_id)s
from unnest(
    %(sensor_ids)s::integer[], %(observed_at)s::timestamptz[], %(values)s::double precision[],
    %(qualities)s::smallint[], %(quality_tests)s::integer[], %(received_at)s::timestamptz[]
) as incoming (sensor_id, observed_at, value, quality, quality_tests, received_at)
on conflict (sensor_id, observed_at, value) do nothing
returning sensor_id, (extract(epoch from observed_at) * 1000000)::bigint as observed_us, value;

-- name: fetch_clock_lost
select known.sensor_id, known.device_us, known.value,
    (extract(epoch from known.observed_at) * 1000000)::bigint as observed_us
from unnest(%(sensor_ids)s::integer[], %(device_us)s::bigint[], %(values)s::double precision[])
    as incoming (sensor_id, device_us, value)
join clock_lost_reading known using (sensor_id, device_us, value);

-- name: fetch_lost_here
-- Which of these stand, without a clock, at this very receipt.
select (wanted.position - 1)::integer as position
from unnest(%(sensor_ids)s::integer[], %(received_at)s::timestamptz[], %(values)s::double precision[]) with ordinality
    as wanted (sensor_id, received_at, value, position)
where exists (
    select from observation stored
    where stored.sensor_id = wanted.sensor_id and stored.observed_at >= wanted.received_at
        and stored.observed_at < wanted.received_at + interval '1 second' and stored.received_at = wanted.received_at
        and stored.value = wanted.value and (stored.quality_tests & 1) <> 0
);

-- name: fetch_newest_lost
-- What each sensor said last, where it said that without a clock; a clock may be ten minutes ahead or behind.
select wanted.sensor_id, lost.device_us, lost.value
from (select distinct unnest(%(sensor_ids)s::integer[])) as wanted (sensor_id)
cross join lateral (
    select device_us, value, observed_at from clock_lost_reading
    where clock_lost_reading.sensor_id = wanted.sensor_id
    order by observed_at desc
    limit 1
) lost
where not exists (
    select from observation_packed since
    where since.sensor_id = wanted.sensor_id and since.observed_at > lost.observed_at - interval '10 minutes'
        and since.received_ms > floor(extract(epoch from lost.observed_at) * 1000)
);

-- name: insert_clock_lost
-- Of a time that was said before, with the same value, the newest stays.
insert into clock_lost_reading (sensor_id, device_us, value, observed_at, batch_id)
select sensor_id, device_us, value, observed_at, %(batch_id)s
from unnest(
    %(sensor_ids)s::integer[], %(device_us)s::bigint[], %(values)s::double precision[], %(observed_at)s::timestamptz[]
) as incoming (sensor_id, device_us, value, observed_at)
on conflict (sensor_id, device_us, value) do update
set observed_at = greatest(clock_lost_reading.observed_at, excluded.observed_at), batch_id = excluded.batch_id;

-- name: fetch_occupied
-- The newest reading stored at its time of receipt (no whole millisecond) within a second of each time of receipt.
select wanted.sensor_id, (extract(epoch from wanted.received_at) * 1000000)::bigint as received_us,
    (extract(epoch from max(observation.observed_at)) * 1000000)::bigint as observed_us
from (
    select distinct sensor_id, received_at
    from unnest(%(sensor_ids)s::integer[], %(received_at)s::timestamptz[]) as told (sensor_id, received_at)
) as wanted
join observation on observation.sensor_id = wanted.sensor_id
    and observation.observed_at >= wanted.received_at
    and observation.observed_at < wanted.received_at + interval '1 second'
    and date_trunc('milliseconds', observation.observed_at) <> observation.observed_at
group by wanted.sensor_id, wanted.received_at;

-- name: fetch_states_since
-- The states of each device from a time on, and the last one before it.
select wanted.sensor_id, (extract(epoch from state.observed_at) * 1000000)::bigint as observed_us, state.value
from unnest(%(sensor_ids)s::integer[], %(since)s::timestamptz[]) as wanted (sensor_id, since)
cross join lateral (
    (
        select observed_at, value from observation
        where observation.sensor_id = wanted.sensor_id and observed_at < wanted.since
        order by observed_at desc
        limit 1
    )
    union all
    select observed_at, value from observation
    where observation.sensor_id = wanted.sensor_id and observed_at >= wanted.since
) state
order by wanted.sensor_id, state.observed_at;

-- name: fetch_state_deliveries
select known.session, known.mid, known.sensor_id, known.value, known.received_us
from unnest(%(sessions)s::text[], %(mids)s::integer[]) as incoming (session, mid)
join device_state_delivery known using (session, mid);

-- name: fetch_last_delivered
select wanted.session, wanted.sensor_id, last.state_us
from unnest(%(sessions)s::text[], %(sensor_ids)s::integer[]) as wanted (session, sensor_id)
cross join lateral (
    select max(state_us) as state_us from device_state_delivery known
    where known.session = wanted.session and known.sensor_id = wanted.sensor_id
) last
where last.state_us is not null;

-- name: upsert_state_deliveries
insert into device_state_delivery (session, mid, sensor_id, value, received_us, state_us)
select * from unnest(
    %(sessions)s::text[], %(mids)s::integer[], %(sensor_ids)s::integer[], %(values)s::double precision[],
    %(received_us)s::bigint[], %(state_us)s::bigint[]
)
on conflict (session, mid) do update set
    sensor_id = excluded.sensor_id, value = excluded.value,
    received_us = excluded.received_us, state_us = excluded.state_us;

-- name: fetch_receipts
select mid, digest, received_us, read_us from message_receipt
where session = %(session)s and mid = any(%(mids)s::integer[]);

-- name: fetch_last_read
-- The newest receipt in the second from each time on.
select wanted.base_us, last.read_us
from unnest(%(bases)s::bigint[]) as wanted (base_us)
cross join lateral (
    select max(known.read_us) as read_us from message_receipt known
    where known.session = %(session)s and known.read_us >= wanted.base_us and known.read_us < wanted.base_us + 1000000
) last
where last.read_us is not null;

-- name: keep_receipts
-- Those that stand where nobody wrote since they were looked up; the caller counts them.
with incoming as (
    select * from unnest(
        %(mids)s::integer[], %(digests)s::bytea[], %(received_us)s::bigint[], %(read_us)s::bigint[], %(replaces_us)s::bigint[]
    ) as given (mid, digest, received_us, read_us, replaces_us)
), changed as (
    update message_receipt known
    set digest = incoming.digest, received_us = incoming.received_us, read_us = incoming.read_us
    from incoming
    where known.session = %(session)s and known.mid = incoming.mid and known.received_us = incoming.replaces_us
    returning known.mid
), added as (
    insert into message_receipt (session, mid, digest, received_us, read_us)
    select %(session)s, mid, digest, received_us, read_us from incoming where replaces_us is null
    on conflict (session, mid) do nothing
    returning mid
)
select (select count(*) from changed) + (select count(*) from added) as kept;

-- name: upsert_dead_letters
insert into dead_letter (
    topic, payload_sha256, reason, detail, device_id, named_devices, payload, payload_bytes, qos, retain,
    times_seen, first_received_at, last_received_at, batch_id, said_us, place
)
select
    topic, payload_sha256, reason, detail, device_id, array(select jsonb_array_elements_text(named::jsonb)), payload, payload_bytes,
    qos, retain, times_seen, received_at, received_at, %(batch_id)s, said_us, place
from unnest(
    %(topics)s::text[], %(hashes)s::bytea[], %(reasons)s::text[], %(details)s::text[], %(device_ids)s::text[], %(named)s::text[],
    %(payloads)s::bytea[], %(lengths)s::integer[], %(qos)s::smallint[], %(retained)s::boolean[],
    %(times_seen)s::integer[], %(received_at)s::timestamptz[], %(said_us)s::bigint[], %(places)s::integer[]
) as incoming (
    topic, payload_sha256, reason, detail, device_id, named, payload, payload_bytes, qos, retain, times_seen, received_at,
    said_us, place
)
on conflict (topic, payload_sha256, reason, said_us) do update set
    times_seen = dead_letter.times_seen + excluded.times_seen,
    last_received_at = greatest(dead_letter.last_received_at, excluded.last_received_at),
    state = 'open',
    settled_at = null,
    settled_by = null
returning topic, payload_sha256, reason, said_us, batch_id = %(batch_id)s as is_new;

-- name: take_batch_ids
select nextval('batch_id_seq') as batch_id from generate_series(1, %(count)s);

-- name: finish_batch
-- With `after`, only if nobody has committed since that number; then nothing is written. Whoever has the number and is
-- frozen, or gone, loses it: the transaction is ended in its place.
with counter as (
    update commit_counter set commit_seq = commit_seq + 1
    where %(after)s::bigint is null or commit_seq = %(after)s
    returning commit_seq
), written as (
    insert into batch (
        batch_id, commit_seq, lane, run_now, run_seq, observed_from, observed_to,
        messages, redelivered, readings, stored, duplicates, conflicts, dead_letters
    )
    select
        %(batch_id)s, commit_seq, %(lane)s, %(run_now)s::timestamptz, %(run_seq)s::bigint, %(observed_from)s::timestamptz,
        %(observed_to)s::timestamptz, %(messages)s, %(redelivered)s, %(readings)s, %(stored)s, %(duplicates)s, %(conflicts)s, %(dead_letters)s
    from counter
    returning commit_seq
)
select commit_seq, pg_notify(%(channel)s, commit_seq::text),
    set_config('idle_in_transaction_session_timeout', %(idle_ms)s, true)
from written;

-- name: fetch_site_seq
select coalesce(max(commit_seq), 0) as commit_seq from site_version;

-- name: fetch_site_district
select document -> 'district' ->> 'id' as district from site_version order by commit_seq desc limit 1;

-- name: fetch_site_decoders
select coalesce(document -> 'decoder', '[]')::text as decoders from site_version order by commit_seq desc limit 1;

-- name: fetch_rain_periods
select device ->> 'id' as device_id, coalesce(sensor ->> 'at', '') as at, (sensor -> 'period_s')::float8 as period_s
from (select document::jsonb as site from site_version order by commit_seq desc limit 1) newest
cross join lateral jsonb_path_query(site, '$.*[*].devices[*]') as device
cross join lateral jsonb_path_query(device, '$.sensors[*]') as sensor
where jsonb_typeof(sensor -> 'period_s') = 'number';

-- name: fetch_device_sensors
select device.device_id, device.place_id, sensor.sensor_id, sensor.at, sensor.quantity,
    case when sensor.entrance_id is null then space.floor_level_m else entrance.roadway_level_m end as ground_m
from device
left join sensor on sensor.device_id = device.device_id and sensor.retired_at is null
left join space on space.space_id = sensor.place_id
left join entrance on entrance.space_id = sensor.place_id and entrance.entrance_id = sensor.entrance_id
where device.retired_at is null
order by device.device_id, sensor.at, sensor.quantity;

-- name: fetch_last_run_clock
select run_now, run_seq from batch where run_now is not null order by run_seq desc limit 1;

-- name: fetch_run_clock
select run_now from batch where run_now is not null and run_seq = %(run_seq)s order by batch_id limit 1;

-- name: fetch_deployment
select deployment_id, mode from deployment;
