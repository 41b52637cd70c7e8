-- Depth inside a space.
-- time | time |  | 时间 Time
-- metric | text |  | 传感器 Sensor
-- value | number | m | 水深 Depth
with drawn as (
    select o.time, coalesce(n.entrance_name, '内部 Inside') || ' ' || n.device_id as metric, o.value as value,
        lead(o.time) over (partition by n.sensor_id order by o.time) as next_at, {{silence}} as silence
    from grafana.sensor_place n
    {{drawn}}
    where n.quantity = 'water_depth_m' and n.entrance_id is null and {{in:place:n.place_id}}
)
{{broken}};
