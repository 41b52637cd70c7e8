-- Depth inside a space.
-- time | time |  | 时间 Time
-- metric | text |  | 传感器 Sensor
-- value | number | m | 水深 Depth
select o.time, coalesce(n.entrance_name, '内部 Inside') || ' ' || n.device_id as metric, o.value as value
from grafana.sensor_place n
{{drawn}}
where n.quantity = 'water_depth_m' and n.entrance_id is null and {{in:place:n.place_id}}
order by 1, 2, 3;
