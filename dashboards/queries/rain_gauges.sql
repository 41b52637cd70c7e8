-- Rain intensity of each gauge: as reported, or by its counter between two points of the drawing.
-- time | time |  | 时间 Time
-- metric | text |  | 传感器 Sensor
-- value | number | mm/h | 雨强 Intensity
with points as (
    select n.place_name, n.quantity, o.time, o.value,
        o.value - lag(o.value) over w as fell_mm, extract(epoch from o.time - lag(o.time) over w)::float8 as span_s
    from grafana.sensor n
    cross join lateral (
        select observed_at as time, value from grafana.observation
        where sensor_id = n.sensor_id and $__interval_ms < 60000 and quality < 4 and $__timeFilter(observed_at)
        union all
        select bucket, max_value from grafana.rollup_1m
        where sensor_id = n.sensor_id and $__interval_ms >= 60000 and $__interval_ms < 600000 and $__timeFilter(bucket)
        union all
        select bucket, max_value from grafana.rollup_10m
        where sensor_id = n.sensor_id and $__interval_ms >= 600000 and $__interval_ms < 3600000 and $__timeFilter(bucket)
        union all
        select bucket, max_value from grafana.rollup_1h
        where sensor_id = n.sensor_id and $__interval_ms >= 3600000 and $__timeFilter(bucket)
        offset 0 -- each sensor by itself: its own rows only, not all of the range
    ) o
    where n.quantity in ('rain_intensity_mm_h', 'rain_total_mm') and {{chosen:n}}
    window w as (partition by n.sensor_id order by o.time)
)
select time, place_name as metric,
    case when quantity = 'rain_total_mm' then greatest(fell_mm, 0) * 3600 / span_s else value end as value
from points
where quantity = 'rain_intensity_mm_h' or span_s > 0
order by 1, 2, 3;
