-- Barrier states over time: what the engine held of each entrance, and what each switch said. A judgement holds until the next one, ten minutes
-- at most, the word of a switch three of its dry intervals, while it stands there; then the state is unknown, and never closed.
-- time | time |  | 时间 Time
-- metric | text |  | 传感器 Sensor
-- value | number | state | 状态 State
with told as (
    select n.place_id, coalesce(n.entrance_name, n.place_name) || ' ' || n.device_id as metric, o.observed_at as at, o.value,
        least(o.observed_at + 3 * n.interval_dry_s * interval '1 second', n.until) as until
    from grafana.sensor_place n
    join grafana.observation o on o.sensor_id = n.sensor_id and o.observed_at >= n.since and o.observed_at < n.until
    where n.quantity = 'barrier_state' and o.quality < 4 and $__timeFilter(o.observed_at) and {{in:place:n.place_id}}
    union all
    select a.space_id, e.name || ' 研判 Judged', a.tick_at, array_position({{barrier_words}}, j ->> 'barrier') - 1, a.tick_at + interval '10 minutes'
    from grafana.assessment a
    cross join lateral jsonb_array_elements(a.evidence -> 'entrances') j
    join grafana.entrance e on e.space_id = a.space_id and e.entrance_id = j ->> 'entrance'
    where $__timeFilter(a.tick_at) and {{in:place:a.space_id}} and j ->> 'barrier' <> 'none'
), held as (
    select *, lead(at, 1, to_timestamp($__unixEpochTo())) over by_metric as next_at, lag(value) over by_metric as last_value,
        lag(until) over by_metric as last_until
    from told
    window by_metric as (partition by place_id, metric order by at, value)
)
select at as time, metric, value from held where value is distinct from last_value or last_until < at -- what goes on is one row
union all
select until, metric, {{barrier_unknown}} from held where until < next_at
order by 1, 2, 3;
