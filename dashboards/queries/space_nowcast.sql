-- Minutes to orange and to red as they were forecast over time.
-- time | time |  | 时间 Time
-- metric | text |  | 传感器 Sensor
-- value | number | min | 分钟 Minutes
with drawn as (
    select a.tick_at as time, target.name as metric, (a.evidence ->> target.word)::float8 as value,
        lead(a.tick_at) over (partition by target.name order by a.tick_at) as next_at, interval '10 minutes' as silence
    from grafana.assessment a
    cross join (values ('time_to_orange_min', '★ 距橙色 To orange'), ('time_to_red_min', '✚ 距红色 To red')) as target (word, name)
    where $__timeFilter(a.tick_at) and {{in:place:a.space_id}} and a.evidence ->> target.word is not null
)
{{broken}};
