-- What each sensor of a space says at the end of the range, of those that stood there then. Whether a device is online
-- goes with it.
-- sensor | text |  | 传感器 Sensor
-- entrance | text |  | 出入口 Entrance
-- value | number |  | 值 Value
-- unit | text |  | 单位 Unit
-- says | text |  | 所示 Says
-- quality | number | quality | 质量 Quality
-- age_s | number | s | 数据龄 Age
select n.sensor_key as sensor, coalesce(n.entrance_name, case n.quantity when 'online' then '—' else '内部 Inside' end) as entrance, o.value, n.unit, {{says}} as says, o.quality::int as quality,
    extract(epoch from to_timestamp($__unixEpochTo()) - o.observed_at)::float8 as age_s
from grafana.sensor_place n
left join lateral (
    select o.observed_at, o.value, o.quality from grafana.observation o
    where o.sensor_id = n.sensor_id and (o.observed_at >= n.since or n.quantity = 'online') and o.observed_at > to_timestamp($__unixEpochTo() - 86400) and o.observed_at <= to_timestamp($__unixEpochTo())
    order by o.observed_at desc limit 1
) o on true
where n.since <= to_timestamp($__unixEpochTo()) and n.until > to_timestamp($__unixEpochTo()) and {{in:place:n.place_id}}
order by n.quantity, n.sensor_key;
