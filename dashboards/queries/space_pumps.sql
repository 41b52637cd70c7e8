-- Pumps over time.
-- time | time |  | 时间 Time
-- metric | text |  | 传感器 Sensor
-- value | number | state | 状态 State
select o.observed_at as time, coalesce(n.entrance_name, n.place_name) || ' ' || n.device_id as metric, o.value
from grafana.sensor n
join grafana.observation o on o.sensor_id = n.sensor_id
where n.quantity = 'pump_running' and o.quality < 4 and $__timeFilter(o.observed_at) and {{in:place:n.place_id}}
order by 1, 2, 3;
