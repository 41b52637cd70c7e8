-- Freeboard at each entrance over time: crest minus the highest level outside.
-- time | time |  | 时间 Time
-- metric | text |  | 传感器 Sensor
-- value | number | m | 超高 Freeboard
select o.time, coalesce(n.entrance_name, '内部 Inside') || ' ' || n.device_id as metric, n.crest_level_m - (o.value + case when n.quantity = 'water_depth_m' then n.zero_level_m else 0 end) as value
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
where n.quantity in ('water_level_m', 'water_depth_m') and n.crest_level_m is not null and {{in:place:n.place_id}}
order by 1, 2, 3;
