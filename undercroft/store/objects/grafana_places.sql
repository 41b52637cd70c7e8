-- Where each sensor stood and when, with what belongs to that place; what was observed from `since` until before `until` is said of it. Names,
-- streets and crests are today's; a zero is the last that it had there.
create view grafana.sensor_place as
select n.sensor_id, n.device_id || case when n.at = '' then '' else '/' || n.at end || ':' || n.quantity as sensor_key,
    n.device_id, n.quantity, n.unit, y.place_id, p.name_zh || ' ' || p.name_en as place_name, p.street, p.basin_id, s.kind, s.space_id,
    y.entrance_id, e.name_zh || ' ' || e.name_en as entrance_name, e.crest_level_m, y.zero_level_m, d.interval_dry_s, y.since, y.until,
    y.since > '-infinity' or y.until < 'infinity' as is_moved
from public.sensor_stay y
join public.sensor n on n.sensor_id = y.sensor_id
join public.place p on p.place_id = y.place_id
join public.device d on d.device_id = n.device_id
left join public.space s on s.space_id = y.place_id
left join public.entrance e on e.space_id = y.place_id and e.entrance_id = y.entrance_id;

-- The good readings that a sensor told at a place in the buckets in which it came there or left: of such a bucket each place has its own.
create function grafana.beside_moves(
    sensor integer, since timestamptz, until timestamptz, width interval, range_from timestamptz, range_to timestamptz
) returns table (at timestamptz, value double precision) language sql stable parallel safe as $$
    select o.observed_at, o.value from grafana.observation o
    where o.sensor_id = sensor and o.quality < 4 and o.observed_at between range_from and range_to
        and o.observed_at >= since and o.observed_at < until
        and (o.observed_at < date_bin(width, since - interval '1 microsecond', timestamptz '2000-01-03 00:00:00+00') + width
            or o.observed_at >= date_bin(width, until, timestamptz '2000-01-03 00:00:00+00'))
$$;
