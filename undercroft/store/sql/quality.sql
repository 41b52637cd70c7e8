-- Quality control: what a sensor said last, flags given afterwards, corrections by people.

-- name: fetch_quality_traits
select
    sensor.sensor_id, sensor.quantity, sensor.place_id, sensor.entrance_id, sensor.zero_level_m,
    device.interval_dry_s, case when sensor.entrance_id is null then space.ceiling_height_m end as ceiling_height_m,
    space.kind as space_kind, space.floor_level_m, entrance.roadway_level_m,
    (
        select coalesce(array_agg(way.entrance_id order by way.entrance_id), '{}') from entrance way
        where way.space_id = sensor.place_id and way.retired_at is null
    ) as entrances
from sensor
join device using (device_id)
left join space on space.space_id = sensor.place_id
left join entrance on entrance.space_id = sensor.place_id and entrance.entrance_id = sensor.entrance_id
where sensor.retired_at is null and device.retired_at is null
order by sensor.sensor_id;

-- name: fetch_recent
-- Readings that were the newest of their sensor when they came, in their order.
select wanted.sensor_id, (extract(epoch from recent.observed_at) * 1000000)::bigint as observed_us,
    (extract(epoch from recent.received_at) * 1000000)::bigint as received_us, recent.value, recent.quality, recent.seq
from unnest(%(sensor_ids)s::integer[]) as wanted (sensor_id)
cross join lateral (
    select observed_at, received_at, value, quality, seq from observation
    where observation.sensor_id = wanted.sensor_id and (quality_tests & 1025) = 0
    order by observed_at desc
    limit %(most)s
) recent
order by wanted.sensor_id, recent.observed_at;

-- name: fetch_same_before
-- Since when a sensor said the same value, sound and in order, before a time: after the last reading that breaks it.
select wanted.sensor_id, (extract(epoch from begun.observed_at) * 1000000)::bigint as since_us
from unnest(%(sensor_ids)s::integer[], %(observed_at)s::timestamptz[], %(values)s::double precision[])
    as wanted (sensor_id, oldest_at, value)
join sensor on sensor.sensor_id = wanted.sensor_id and sensor.quantity = any(%(quantities)s::text[])
cross join lateral (
    select coalesce((
        select observed_at from observation
        where observation.sensor_id = wanted.sensor_id and observed_at < wanted.oldest_at and (quality_tests & 1025) = 0
            and (observation.value <> wanted.value or quality >= 4)
        order by observed_at desc
        limit 1
    ), '-infinity') as observed_at
) broken
cross join lateral (
    select observed_at from observation
    where observation.sensor_id = wanted.sensor_id and observed_at < wanted.oldest_at
        and observed_at > broken.observed_at and (quality_tests & 1025) = 0
    order by observed_at
    limit 1
) begun;

-- name: fetch_recent_strays
-- Readings from the past by moment of receipt: late ones, and those of a clock that was set back. A time that no clock
-- can say (too far behind its receipt, or ahead) is no stray.
select wanted.sensor_id, strays.received_ms * 1000 as received_us, strays.oldest_us, strays.newest_us, strays.is_lost,
    strays.is_repeat
from unnest(%(sensor_ids)s::integer[]) as wanted (sensor_id)
cross join lateral (
    (
        select received_ms, (extract(epoch from min(observed_at)) * 1000000)::bigint as oldest_us,
            (extract(epoch from max(observed_at)) * 1000000)::bigint as newest_us, false as is_lost, false as is_repeat
        from observation_packed late
        where late.sensor_id = wanted.sensor_id and (quality_tests & 1024) <> 0
        group by received_ms order by received_ms desc limit %(most)s
    )
    union all
    (
        select received_ms, min(known.device_us), max(known.device_us), true, false
        from clock_lost_reading known
        join observation_packed stored on stored.sensor_id = known.sensor_id and stored.observed_at = known.observed_at
        where known.sensor_id = wanted.sensor_id and known.device_us >= received_ms * 1000 - %(behind_us)s
            and known.device_us <= received_ms * 1000 + %(ahead_us)s
        group by received_ms order by received_ms desc limit %(most)s
    )
    union all
    (
        select floor(extract(epoch from received_at) * 1000)::bigint, oldest_us, newest_us, false, is_same
        from past_repeat where past_repeat.sensor_id = wanted.sensor_id
        order by received_at desc limit %(most)s
    )
) strays;

-- name: fetch_said_before
-- What stands under the time of each of these: the reading and those in conflict with it, and when the first came.
select (incoming.position - 1)::integer as position, stored.value, stored.seq,
    (extract(epoch from stored.received_at) * 1000000)::bigint as received_us,
    array(
        select other.value from observation_conflict other
        where other.sensor_id = incoming.sensor_id and other.observed_at = incoming.observed_at
    ) as others
from unnest(%(sensor_ids)s::integer[], %(observed_at)s::timestamptz[]) with ordinality
    as incoming (sensor_id, observed_at, position)
join observation stored on stored.sensor_id = incoming.sensor_id and stored.observed_at = incoming.observed_at
order by incoming.position;

-- name: insert_past_repeats
insert into past_repeat (sensor_id, received_at, oldest_us, newest_us, is_same, batch_id)
select sensor_id, received_at, min(device_us), max(device_us), bool_and(is_same), %(batch_id)s
from unnest(%(sensor_ids)s::integer[], %(received_at)s::timestamptz[], %(device_us)s::bigint[], %(same)s::boolean[])
    as incoming (sensor_id, received_at, device_us, is_same)
group by sensor_id, received_at
on conflict (sensor_id, received_at) do update set
    oldest_us = least(past_repeat.oldest_us, excluded.oldest_us), batch_id = excluded.batch_id,
    newest_us = greatest(past_repeat.newest_us, excluded.newest_us), is_same = past_repeat.is_same and excluded.is_same;

-- name: fetch_recent_lost
select wanted.sensor_id, (extract(epoch from lost.observed_at) * 1000000)::bigint as received_us
from unnest(%(sensor_ids)s::integer[]) as wanted (sensor_id)
cross join lateral (
    select observed_at from clock_lost_reading
    where clock_lost_reading.sensor_id = wanted.sensor_id
    order by observed_at desc
    limit 1
) lost;

-- name: fetch_written_by_others
-- One row without a sensor says how far we are; then the readings of other batches since, unless they are too many.
-- A sensor with a repeat from the past is told as one with a lost clock (bit 1): what is known of it is read again.
-- `offset 0`: readings are looked up batch by batch, whatever the planner knows of the tables; mostly there is no batch.
with theirs as materialized (
    select counter.commit_seq as seen, b.batch_id, b.stored
    from commit_counter counter
    left join batch b on b.commit_seq > %(after)s and b.commit_seq <= counter.commit_seq and b.batch_id <> %(own)s
), size as (
    select max(seen) as seen, coalesce(sum(stored), 0)::bigint as readings from theirs
)
select seen, readings, null::integer as sensor_id, null::bigint as observed_us, null::bigint as received_us,
    null::double precision as value, null::smallint as quality, null::bigint as seq, null::integer as quality_tests
from size
union all
select size.seen, size.readings, reading.*
from size, theirs
cross join lateral (
    select o.sensor_id, (extract(epoch from o.observed_at) * 1000000)::bigint,
        (extract(epoch from o.received_at) * 1000000)::bigint, o.value, o.quality, o.seq, o.quality_tests
    from observation o where o.batch_id = theirs.batch_id offset 0
) reading
where size.readings <= %(most)s
union all
select size.seen, size.readings, again.sensor_id, again.newest_us, again.newest_us, 0, 0, null, 1
from size, theirs
join past_repeat again on again.batch_id = theirs.batch_id
where size.readings <= %(most)s;

-- name: insert_later_flags
-- Each reading is looked up by itself, whatever the planner knows of the tables.
insert into quality_flag (sensor_id, observed_from, observed_to, quality, quality_tests, author, reason, batch_id, quality_at_arrival)
select sensor_id, observed_at, observed_at, %(quality)s, %(quality_tests)s, 'ingest', %(reason)s, %(batch_id)s,
    (select o.quality from observation o where o.sensor_id = incoming.sensor_id and o.observed_at = incoming.observed_at)
from unnest(%(sensor_ids)s::integer[], %(observed_at)s::timestamptz[]) as incoming (sensor_id, observed_at)
on conflict do nothing;

-- name: find_sensor
select sensor_id from sensor where device_id = %(device_id)s and at = %(at)s and quantity = %(quantity)s;

-- name: insert_quality_act
insert into act (act_id, commit_seq, kind, subject, author, acted_at, body)
values (%(act_id)s, %(commit_seq)s, %(kind)s, %(subject)s, %(author)s, %(acted_at)s, %(body)s::jsonb);

-- name: insert_operator_flag
insert into quality_flag (sensor_id, observed_from, observed_to, quality, quality_tests, author, reason, act_id)
values (
    %(sensor_id)s, %(observed_from)s, %(observed_to)s, %(quality)s, %(quality_tests)s, %(author)s, %(reason)s, %(act_id)s
)
returning quality_flag_id;

-- name: count_flagged
select count(*) as readings from observation
where sensor_id = %(sensor_id)s and observed_at between %(observed_from)s and %(observed_to)s;

-- name: newest_observed
select max(observed_at) as observed_at from observation where sensor_id = %(sensor_id)s;

-- name: lock_operator_flag
select f.*, s.device_id, s.at, s.quantity
from quality_flag f join sensor s using (sensor_id)
where quality_flag_id = %(quality_flag_id)s for update of f;

-- name: undo_operator_flag
update quality_flag set undone_by = %(act_id)s where quality_flag_id = %(quality_flag_id)s;

-- name: list_quality_flags
select f.quality_flag_id, s.device_id, s.at, s.quantity, f.observed_from, f.observed_to, f.quality, f.quality_tests,
    f.author, f.reason, f.act_id is not null as by_person, f.undone_by is not null as undone
from quality_flag f join sensor s using (sensor_id)
where (%(device_id)s::text is null or s.device_id = %(device_id)s)
    and (%(by_person)s::boolean is null or (f.act_id is not null) = %(by_person)s)
order by f.quality_flag_id desc
limit %(most)s;
