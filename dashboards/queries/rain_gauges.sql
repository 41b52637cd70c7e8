-- Rain intensity of each gauge: as reported, or by its counter or the depths it tells, between two points of the drawing.
-- time | time |  | 时间 Time
-- metric | text |  | 传感器 Sensor
-- value | number | mm/h | 雨强 Intensity
with points as (
    select n.place_name, n.quantity, o.time, o.value,
        case n.quantity when 'rain_depth_mm' then o.value else greatest(o.value - lag(o.value) over w, 0) end as fell_mm,
        extract(epoch from o.time - lag(o.time) over w)::float8 as span_s
    from grafana.sensor n
    cross join lateral (
        select observed_at as time, value from grafana.observation
        where sensor_id = n.sensor_id and $__interval_ms < 60000 and quality < 4 and $__timeFilter(observed_at)
        union all
        select bucket, case n.quantity when 'rain_depth_mm' then mean_value * usable else max_value end from grafana.rollup_1m
        where sensor_id = n.sensor_id and $__interval_ms >= 60000 and $__interval_ms < 600000 and $__timeFilter(bucket)
        union all
        select bucket, case n.quantity when 'rain_depth_mm' then mean_value * usable else max_value end from grafana.rollup_10m
        where sensor_id = n.sensor_id and $__interval_ms >= 600000 and $__interval_ms < 3600000 and $__timeFilter(bucket)
        union all
        select bucket, case n.quantity when 'rain_depth_mm' then mean_value * usable else max_value end from grafana.rollup_1h
        where sensor_id = n.sensor_id and $__interval_ms >= 3600000 and $__timeFilter(bucket)
        offset 0 -- each sensor by itself: its own rows only, not all of the range
    ) o
    where n.quantity in ('rain_intensity_mm_h', 'rain_total_mm', 'rain_depth_mm') and {{chosen:n}}
    window w as (partition by n.sensor_id order by o.time)
)
select time, place_name as metric,
    case when quantity = 'rain_intensity_mm_h' then value else fell_mm * 3600 / span_s end as value
from points
where quantity = 'rain_intensity_mm_h' or span_s > 0
order by 1, 2, 3;
