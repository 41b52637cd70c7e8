-- The load of each shift at step 0 of the roster, against EEMUA 191: one in ten minutes is manageable, ten are a flood.
-- name | text |  | 值班 On duty
-- starts_at | time |  | 接班 From
-- ends_at | time |  | 交班 To
-- alarms | number | count | 报警 Alarms
-- per_10_min | number | per 10 min | 每 10 分钟 Per 10 min
-- worst_10_min | number | per 10 min | 最密 10 分钟 Worst 10 min
-- age_s | number | s | 接班距今 Began ago | plain
with shift as (
    select name, starts_at, least(ends_at, to_timestamp($__unixEpochTo())) as ends_at from grafana.shift
    where step = 0 and standing = 'holder' and starts_at < to_timestamp($__unixEpochTo()) and ends_at > to_timestamp($__unixEpochFrom())
), ask as (
    select e.tick_at, count(*) over (order by e.tick_at range between interval '10 minutes' preceding and current row) as within
    from grafana.alarm_event e join grafana.alarm a using (subject, occurrence)
    where e.kind in ('raised', 'severity_up', 'reason_added') and e.tick_at < to_timestamp($__unixEpochTo())
        and e.tick_at >= (select min(starts_at) from shift) and {{chosen:a}}
)
select s.name, s.starts_at, s.ends_at, count(a.tick_at) as alarms,
    (count(a.tick_at) / greatest(extract(epoch from s.ends_at - s.starts_at) / 600, 1))::float8 as per_10_min,
    coalesce(max(a.within), 0) as worst_10_min,
    extract(epoch from to_timestamp($__unixEpochTo()) - s.starts_at)::float8 as age_s
from shift s left join ask a on a.tick_at >= s.starts_at and a.tick_at < s.ends_at
group by s.name, s.starts_at, s.ends_at
order by s.starts_at desc, s.name;
