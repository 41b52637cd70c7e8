-- Alarms raised in ten minutes; in a longer step of the drawing those of its worst ten. EEMUA 191: one is manageable, ten are a flood.
-- time | time |  | 时间 Time
-- metric | text |  | 系列 Series
-- value | number | per 10 min | 每 10 分钟 Per 10 min
with scale as ( -- whole tens of minutes, aligned for ever: moving the range's end moves no alarm into another step
    select ceil(greatest(600, ($__unixEpochTo() - $__unixEpochFrom()) / 1000.0) / 600) * interval '10 minutes' as width
), bounds as (
    select width, date_bin(width, to_timestamp($__unixEpochFrom()), timestamptz '2000-01-03 00:00+00') as first from scale
), tens as (
    select date_bin('10 minutes', a.raised_at, timestamptz '2000-01-03 00:00+00') as ten, count(*) as n
    from grafana.alarm a
    where a.raised_at >= (select first from bounds) and a.raised_at <= to_timestamp($__unixEpochTo()) and {{chosen:a}}
    group by 1
), worst as (
    select date_bin(width, ten, timestamptz '2000-01-03 00:00+00') as step, max(n) as n from tens cross join scale group by 1
)
select step as time, '新警报 Raised' as metric, coalesce(worst.n, 0)::float8 as value
from bounds
cross join lateral generate_series(first, to_timestamp($__unixEpochTo()), width) as step
left join worst using (step)
order by 1;
