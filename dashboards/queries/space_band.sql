-- Minutes to orange and to red as the ensemble saw them: earliest, likely, latest (5, 50, 95 %), and until when an order has the
-- barriers up before each; where there is no such minute, space_deadlines says why.
-- time | time |  | 时间 Time
-- metric | text |  | 系列 Series
-- value | number | min | 分钟 Minutes
with drawn as (
    select a.tick_at as time, band.name as metric, (a.evidence #>> band.path)::float8 as value,
        lead(a.tick_at) over (partition by band.name order by a.tick_at) as next_at, interval '10 minutes' as silence
    from grafana.assessment a
    cross join (values
        ('★ 橙 最早 Orange earliest', array['ahead', 'orange', 'earliest_min']),
        ('★ 橙 可能 Orange likely', array['ahead', 'orange', 'likely_min']),
        ('★ 橙 最晚 Orange latest', array['ahead', 'orange', 'latest_min']),
        ('✚ 红 最早 Red earliest', array['ahead', 'red', 'earliest_min']),
        ('✚ 红 可能 Red likely', array['ahead', 'red', 'likely_min']),
        ('✚ 红 最晚 Red latest', array['ahead', 'red', 'latest_min']),
        ('▮★ 橙色前挡板最后时刻 Last order before orange', array['ahead', 'last_order_min']),
        ('▮✚ 红色前挡板最后时刻 Last order before red', array['ahead', 'last_order_red_min'])
    ) as band (name, path)
    where $__timeFilter(a.tick_at) and {{in:place:a.space_id}} and a.evidence #>> band.path is not null
)
{{broken}};
