-- Freeboard at each entrance over time: crest minus the highest level outside.
-- time | time |  | 时间 Time
-- metric | text |  | 传感器 Sensor
-- value | number | m | 超高 Freeboard
with drawn as (
    select o.time, coalesce(n.entrance_name, '内部 Inside') || ' ' || n.device_id as metric, n.crest_level_m - (o.value + case when n.quantity = 'water_depth_m' then n.zero_level_m else 0 end) as value,
        lead(o.time) over (partition by n.sensor_id order by o.time) as next_at, {{silence}} as silence
    from grafana.sensor_place n
    {{drawn}}
    where n.quantity in ('water_level_m', 'water_depth_m') and n.crest_level_m is not null and {{in:place:n.place_id}}
)
{{broken}};
