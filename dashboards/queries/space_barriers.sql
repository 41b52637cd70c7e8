-- Barrier states over time: what the engine held of each entrance, and what each switch said.
-- time | time |  | 时间 Time
-- metric | text |  | 传感器 Sensor
-- value | number | state | 状态 State
select o.observed_at as time, coalesce(n.entrance_name, n.place_name) || ' ' || n.device_id as metric, o.value
from grafana.sensor n
join grafana.observation o on o.sensor_id = n.sensor_id
where n.quantity = 'barrier_state' and o.quality < 4 and $__timeFilter(o.observed_at) and {{in:place:n.place_id}}
union all
select a.tick_at, e.name || ' 研判 Judged', array_position({{barrier_words}}, j ->> 'barrier') - 1
from grafana.assessment a
cross join lateral jsonb_array_elements(a.evidence -> 'entrances') j
join grafana.entrance e on e.space_id = a.space_id and e.entrance_id = j ->> 'entrance'
where $__timeFilter(a.tick_at) and {{in:place:a.space_id}} and j ->> 'barrier' <> 'none'
order by 1, 2, 3;
