-- Alarms open at the end of the range, with the severity and the acknowledgement they had then.
-- name | text |  | 对象 Subject
-- level | number | level | 等级 Severity
-- acknowledged | number | yesno | 已确认 Acknowledged
-- reason | text |  | 原因 Reason
-- raised_at | time |  | 发生 Raised
-- age_s | number | s | 持续 Open for | amiss
-- seen_age_s | number | s | 依据龄 Last change | plain
select a.name, a.severity::int as level, a.acknowledged::int as acknowledged,
    coalesce(a.reason_zh, '') || ' ' || coalesce(a.reason_en, '') as reason, a.raised_at,
    extract(epoch from to_timestamp($__unixEpochTo()) - a.raised_at)::float8 as age_s,
    extract(epoch from to_timestamp($__unixEpochTo()) - a.changed_at)::float8 as seen_age_s
from grafana.alarm_at(to_timestamp($__unixEpochTo())) a
where {{chosen:a}}
order by a.severity desc, a.raised_at, a.subject
limit 200;
