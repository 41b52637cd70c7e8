-- Pumps over time. What a pump said holds for three of its dry intervals, while it stands there; then it is unknown (2).
-- time | time |  | 时间 Time
-- metric | text |  | 传感器 Sensor
-- value | number | state | 状态 State
with held as (
    select coalesce(n.entrance_name, n.place_name) || ' ' || n.device_id as metric, o.observed_at as at, o.value,
        least(o.observed_at + 3 * n.interval_dry_s * interval '1 second', n.until) as until,
        lead(o.observed_at, 1, to_timestamp($__unixEpochTo())) over (partition by n.sensor_id order by o.observed_at) as next_at
    from grafana.sensor_place n
    join grafana.observation o on o.sensor_id = n.sensor_id and o.observed_at >= n.since and o.observed_at < n.until
    where n.quantity = 'pump_running' and o.quality < 4 and $__timeFilter(o.observed_at) and {{in:place:n.place_id}}
)
select at as time, metric, value from held
union all
select until, metric, 2 from held where until < next_at
order by 1, 2, 3;
