-- Newest reading of each sensor that had been received by the end of the range; later arrivals are left out. Every one, however many.
-- sensor | text |  | 传感器 Sensor
-- place | text |  | 地点 Place
-- value | number |  | 值 Value
-- unit | text |  | 单位 Unit
-- says | text |  | 所示 Says
-- quality | number | quality | 质量 Quality
-- observed_at | time |  | 观测 Observed
-- received_at | time |  | 收到 Received
-- age_s | number | s | 当时数据龄 Age then
select n.sensor_key as sensor, n.place_name as place, o.value, n.unit, {{says}} as says, o.quality::int as quality, o.observed_at, o.received_at,
    extract(epoch from to_timestamp($__unixEpochTo()) - o.observed_at)::float8 as age_s
from grafana.sensor_place n
join lateral (
    select o.observed_at, o.value, o.quality, o.received_at from grafana.observation o
    where o.sensor_id = n.sensor_id and o.observed_at >= n.since and o.observed_at > to_timestamp($__unixEpochTo() - 86400) and o.observed_at <= to_timestamp($__unixEpochTo()) and o.received_at <= to_timestamp($__unixEpochTo())
    order by o.observed_at desc limit 1
) o on true
where n.quantity <> 'online' and n.since <= to_timestamp($__unixEpochTo()) and n.until > to_timestamp($__unixEpochTo()) and {{chosen:n}}
order by n.place_id, n.sensor_key;
