-- Sensors silent for three of their dry intervals or more at the end of the range.
-- sensor | text |  | 传感器 Sensor
-- place | text |  | 地点 Place
-- last_value | number |  | 末值 Last value
-- unit | text |  | 单位 Unit
-- intervals | number | count | 缺失周期 Intervals missed
-- age_s | number | s | 数据龄 Age | amiss
select n.sensor_key as sensor, n.place_name as place, o.value as last_value, n.unit,
    extract(epoch from to_timestamp($__unixEpochTo()) - o.observed_at)::float8 / n.interval_dry_s as intervals,
    extract(epoch from to_timestamp($__unixEpochTo()) - o.observed_at)::float8 as age_s
from grafana.sensor n
left join lateral (
    select o.observed_at, o.value from grafana.observation o
    where o.sensor_id = n.sensor_id and o.observed_at > to_timestamp($__unixEpochTo() - 86400) and o.observed_at <= to_timestamp($__unixEpochTo())
    order by o.observed_at desc limit 1
) o on true
where n.quantity <> 'online' and (o.observed_at is null or to_timestamp($__unixEpochTo()) - o.observed_at > 3 * n.interval_dry_s * interval '1 second')
    and {{chosen:n}}
order by o.observed_at nulls first, n.sensor_id
limit 200;
