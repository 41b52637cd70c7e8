-- Water levels over the datum at a space, highest of each bucket, and the crests they must stay under.
-- time | time |  | 时间 Time
-- metric | text |  | 传感器 Sensor
-- value | number | m | 水位 Level
with drawn as (
    select o.time, coalesce(n.entrance_name, '内部 Inside') || ' ' || n.device_id as metric,
        o.value + case when n.quantity = 'water_depth_m' then n.zero_level_m else 0 end as value,
        lead(o.time) over (partition by n.sensor_id order by o.time) as next_at, {{silence}} as silence
    from grafana.sensor_place n
    {{drawn}}
    where n.quantity in ('water_level_m', 'water_depth_m') and {{in:place:n.place_id}}
    union all
    select edge.time, '门槛 Crest ' || e.name as metric, e.crest_level_m as value, null, null
    from grafana.entrance e
    cross join (values (to_timestamp($__unixEpochFrom())), (to_timestamp($__unixEpochTo()))) as edge (time)
    where {{in:place:e.space_id}}
)
{{broken}};
