-- The ten subjects with most alarms in the range.
-- name | text |  | 对象 Subject
-- alarms | number | count | 次数 Alarms
-- changes | number | count | 变化 Changes
-- last_age_s | number | s | 最近一次 Last one ago | plain
select a.name, count(distinct a.occurrence) as alarms, count(*) as changes,
    extract(epoch from to_timestamp($__unixEpochTo()) - max(e.tick_at))::float8 as last_age_s
from grafana.alarm_event e
join grafana.alarm a using (subject, occurrence)
where $__timeFilter(e.tick_at) and {{chosen:a}}
group by a.subject, a.name
order by 2 desc, 3 desc, 1
limit 10;
