-- Severity over time of the thirty subjects whose alarms in the range were worst; cleared is normal. What held when the range began, too.
-- time | time |  | 时间 Time
-- metric | text |  | 对象 Subject
-- value | number | level | 等级 Severity
with worst as (
    select a.subject, min(a.name) as name from grafana.alarm a
    where a.raised_at <= to_timestamp($__unixEpochTo()) and (a.cleared_at is null or a.cleared_at >= to_timestamp($__unixEpochFrom()))
        and {{chosen:a}}
    group by a.subject order by max(a.peak_severity) desc, max(a.raised_at) desc, a.subject limit 30
), seen as (
    select e.tick_at as time, w.name, e.kind, e.severity, e.event_no
    from worst w join grafana.alarm_event e on e.subject = w.subject
    where $__timeFilter(e.tick_at) and e.kind <> 'refused'
    union all
    select to_timestamp($__unixEpochFrom()), w.name, e.kind, e.severity, e.event_no
    from worst w
    cross join lateral (
        select b.kind, b.severity, b.event_no from grafana.alarm_event b
        where b.subject = w.subject and b.tick_at < to_timestamp($__unixEpochFrom()) and b.kind <> 'refused'
        order by b.event_no desc limit 1
    ) e
)
select time, name as metric, case when kind in ('cleared', 'stood_down') then 0 else severity end::float8 as value
from seen
order by 1, 2, event_no;
