-- name: count_device_letters
select coalesce(device_id, '') as device_id, count(*) as letters from dead_letter
where coalesce(device_id, '') = any(%(device_ids)s) and first_received_at > %(since)s::timestamptz
group by 1;

-- name: held_letters
select coalesce(sum(letters), 0)::bigint as letters, coalesce(sum(bytes), 0)::bigint as bytes, count(*) as changes
from dead_letter_held;

-- name: fold_held
-- What another folds at the same time is left to it: nobody waits.
with folded as (
    delete from dead_letter_held
    where change_id in (select change_id from dead_letter_held order by change_id limit 10000 for update skip locked)
    returning letters, bytes
)
insert into dead_letter_held (letters, bytes) select sum(letters), sum(bytes) from folded having count(*) > 0;

-- name: may_see_held
select has_table_privilege('dead_letter_held', 'select') as may;

-- name: known_letters
select topic, payload_sha256, reason, said_us, state from dead_letter
where (topic, payload_sha256, reason, said_us) in (
    select * from unnest(%(topics)s::text[], %(hashes)s::bytea[], %(reasons)s::text[], %(said_us)s::bigint[])
);

-- name: count_overflow
insert into dead_letter_overflow as known (hour, device_id, reason, times)
select date_trunc('hour', received_at), device_id, reason, count(*)
from unnest(%(received_at)s::timestamptz[], %(device_ids)s::text[], %(reasons)s::text[])
    as incoming (received_at, device_id, reason)
group by 1, 2, 3
on conflict (hour, device_id, reason) do update set times = known.times + excluded.times;

-- name: set_condition
insert into system_condition as known (subject, name, is_active, value, threshold, unit, detail, changed_at)
values (%(subject)s, %(name)s, %(is_active)s, %(value)s, %(threshold)s, %(unit)s, %(detail)s, %(changed_at)s)
on conflict (subject, name) do update set is_active = excluded.is_active, value = excluded.value, threshold = excluded.threshold,
    unit = excluded.unit, detail = excluded.detail, changed_at = excluded.changed_at
where known.is_active <> excluded.is_active or (excluded.is_active and %(anew)s)
returning name;

-- name: device_health
-- By the newest reading of each sensor; what was received under a clock that was ahead counts as heard when it was taken, and
-- what it was taken at, if that lies ahead too, does not count. What a sensor said over an hour ago tells nothing of the device's clock now.
select d.device_id, d.interval_dry_s as interval_s, max(o.received_at) as heard_at,
    coalesce(bit_or(o.quality_tests) filter (where o.received_at > %(now)s::timestamptz - interval '1 hour'), 0) as quality_tests
from device d join sensor s using (device_id)
cross join lateral (
    select case when received_at <= %(now)s::timestamptz + interval '1 minute' then received_at else least(observed_at, %(now)s) end
        as received_at, quality_tests
    from observation where sensor_id = s.sensor_id and observed_at <= %(now)s::timestamptz + interval '10 minutes'
    order by observed_at desc limit 1
) o
where d.retired_at is null and s.retired_at is null and s.quantity <> 'online' and not starts_with(d.device_id, 'canary')
group by d.device_id, d.interval_dry_s order by d.device_id;

-- name: list_conditions
select * from system_condition order by subject, name;

-- name: overflow_since
select device_id, sum(times)::bigint as times from dead_letter_overflow
where hour >= date_trunc('hour', %(since)s::timestamptz)
group by device_id order by times desc, device_id;
