-- Readings received against those expected at the dry interval, over whole hours of the range, worst first.
-- sensor | text |  | 传感器 Sensor
-- place | text |  | 地点 Place
-- expected | number | count | 应收 Expected
-- received | number | count | 实收 Received
-- share | number | share | 到报率 Received share
-- age_s | number | s | 数据龄 Age
select n.sensor_key as sensor, n.place_name as place,
    ($__unixEpochTo() - $__unixEpochFrom()) / n.interval_dry_s as expected, coalesce(o.readings, 0)::float8 as received,
    least(1, coalesce(o.readings, 0) * n.interval_dry_s / ($__unixEpochTo() - $__unixEpochFrom()))::float8 as share,
    extract(epoch from to_timestamp($__unixEpochTo()) - o.newest)::float8 as age_s
from grafana.sensor n
left join (
    select sensor_id, sum(readings) as readings, max(bucket) as newest
    from grafana.rollup_1h where $__timeFilter(bucket) group by 1
) o on o.sensor_id = n.sensor_id
where n.quantity in ('water_depth_m', 'water_level_m', 'rain_total_mm', 'rain_intensity_mm_h') and {{in:street:n.street}}
order by 5, n.sensor_id
limit 100;
