-- Same sensor and time, different values: both kept, until a person decides.
-- sensor | text |  | 传感器 Sensor
-- place | text |  | 地点 Place
-- observed_at | time |  | 观测 Observed
-- stored | number |  | 已存 Stored
-- other | number |  | 另一值 Other
-- unit | text |  | 单位 Unit
-- age_s | number | s | 数据龄 Age
select n.sensor_key as sensor, n.place_name as place, c.observed_at, o.value as stored, c.value as other, n.unit,
    extract(epoch from to_timestamp($__unixEpochTo()) - c.observed_at)::float8 as age_s
from grafana.conflict c
join grafana.sensor n on n.sensor_id = c.sensor_id
left join grafana.observation o on o.sensor_id = c.sensor_id and o.observed_at = c.observed_at and $__timeFilter(o.observed_at)
where $__timeFilter(c.observed_at) and {{chosen:n}}
order by c.observed_at desc, n.sensor_id
limit 100;
