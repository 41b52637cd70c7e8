-- The log of the exercise: alarms as they came.
-- at | time |  | 时间 At
-- name | text |  | 对象 Subject
-- event | text | alarm_event | 事件 Event
-- level | number | level | 等级 Level
-- reason | text |  | 原因 Reason
-- age_s | number | s | 距时段末 Before the end | plain
select e.tick_at as at, a.name, e.kind as event, e.severity::int as level,
    coalesce(e.reason_zh, '') || ' ' || coalesce(e.reason_en, '') as reason,
    extract(epoch from to_timestamp($__unixEpochTo()) - e.tick_at)::float8 as age_s
from grafana.alarm_event e
join grafana.alarm a using (subject, occurrence)
where $__timeFilter(e.tick_at) and {{chosen:a}}
order by e.tick_at desc, a.subject, e.event_no desc
limit 300;
