-- Stock as counted by sensors over time.
-- time | time |  | 时间 Time
-- metric | text |  | 传感器 Sensor
-- value | number | count | 数量 Quantity
select o.bucket as time, n.place_name || ' ' || substr(n.quantity, 7) as metric, o.last_value as value
from grafana.sensor n
cross join lateral (
    select bucket, last_value from grafana.rollup_10m
    where sensor_id = n.sensor_id and $__timeFilter(bucket) and last_value is not null
    offset 0 -- each sensor by itself: its own rows only, not all of the range
) o
where n.quantity like 'stock\_%' and {{chosen:n}}
order by 1, 2, 3;
