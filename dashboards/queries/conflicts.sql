-- Same sensor and time, different values: both kept, until a person decides.
-- sensor | text |  | 传感器 Sensor
-- place | text |  | 地点 Place
-- observed_at | time |  | 观测 Observed
-- stored | number |  | 已存 Stored
-- other | number |  | 另一值 Other
-- unit | text |  | 单位 Unit
-- age_s | number | s | 数据龄 Age
with shown as (
    select c.sensor_id, n.sensor_key, n.place_name, c.observed_at, c.value, n.unit
    from grafana.conflict c
    join grafana.sensor n on n.sensor_id = c.sensor_id
    where $__timeFilter(c.observed_at) and {{chosen:n}}
    order by c.observed_at desc, c.sensor_id, c.value
    limit 100
)
select s.sensor_key as sensor, s.place_name as place, s.observed_at, o.value as stored, s.value as other, s.unit,
    extract(epoch from to_timestamp($__unixEpochTo()) - s.observed_at)::float8 as age_s
from shown s
-- one by one: joined at once, every reading of the range would be unpacked
left join lateral (
    select o.value from grafana.observation o
    where o.sensor_id = s.sensor_id and o.observed_at = s.observed_at and $__timeFilter(o.observed_at)
    limit 1
) o on true
order by s.observed_at desc, s.sensor_id, s.value;
