-- Time from raised to acknowledged.
-- name | text |  | 对象 Subject
-- level | number | level | 最高等级 Peak
-- raised_at | time |  | 发生 Raised
-- to_ack_s | number | s | 确认用时 Time to acknowledge
-- age_s | number | s | 距今 Ago | plain
select a.name, max(e.severity)::int as level, a.raised_at,
    extract(epoch from min(e.tick_at) filter (where e.kind = 'acknowledged') - a.raised_at)::float8 as to_ack_s,
    extract(epoch from to_timestamp($__unixEpochTo()) - a.raised_at)::float8 as age_s
from grafana.alarm a
left join grafana.alarm_event e on e.subject = a.subject and e.occurrence = a.occurrence and e.tick_at <= to_timestamp($__unixEpochTo())
where $__timeFilter(a.raised_at) and {{chosen:a}}
group by a.subject, a.occurrence, a.name, a.raised_at
order by to_ack_s desc nulls first, a.raised_at desc, a.subject
limit 100;
