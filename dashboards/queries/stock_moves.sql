-- Stock as counted by sensors over time.
-- time | time |  | 时间 Time
-- metric | text |  | 传感器 Sensor
-- value | number | count | 数量 Quantity
select o.bucket as time, n.place_name || ' ' || substr(n.quantity, 7) as metric, o.last_value as value
from grafana.sensor n
join grafana.rollup_10m o on o.sensor_id = n.sensor_id
where n.quantity like 'stock\_%' and $__timeFilter(o.bucket) and {{in:street:n.street}} and o.last_value is not null
order by 1, 2, 3;
