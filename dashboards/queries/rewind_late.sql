-- Readings of the range that came too late for its end: known now, not known then.
-- sensor | text |  | 传感器 Sensor
-- place | text |  | 地点 Place
-- value | number |  | 值 Value
-- unit | text |  | 单位 Unit
-- observed_at | time |  | 观测 Observed
-- late_s | number | s | 迟到 Late by
-- age_s | number | s | 当时数据龄 Age then
select n.sensor_key as sensor, n.place_name as place, o.value, n.unit, o.observed_at,
    extract(epoch from o.received_at - o.observed_at)::float8 as late_s, extract(epoch from to_timestamp($__unixEpochTo()) - o.observed_at)::float8 as age_s
from grafana.observation o
join grafana.sensor_place n on n.sensor_id = o.sensor_id and o.observed_at >= n.since and o.observed_at < n.until
where $__timeFilter(o.observed_at) and o.received_at > to_timestamp($__unixEpochTo()) and {{chosen:n}}
order by o.observed_at, n.sensor_id
limit 200;
