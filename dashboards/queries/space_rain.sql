-- Rain of the basin of a space, as the engine judged it.
-- time | time |  | 时间 Time
-- metric | text |  | 传感器 Sensor
-- value | number | mm | 雨量 Rain
with drawn as (
    select a.tick_at as time, window_min.word || ' min' as metric, (a.evidence -> 'rain_mm' ->> window_min.word)::float8 as value,
        lead(a.tick_at) over (partition by window_min.word order by a.tick_at) as next_at, interval '10 minutes' as silence
    from grafana.assessment a
    cross join (values ('5'), ('10'), ('60')) as window_min (word)
    where $__timeFilter(a.tick_at) and {{in:place:a.space_id}}
)
{{broken}};
