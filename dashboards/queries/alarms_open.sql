-- Alarms open at the end of the range, with the severity they had then.
-- name | text |  | 对象 Subject
-- level | number | level | 等级 Severity
-- acknowledged | number | yesno | 已确认 Acknowledged
-- reason | text |  | 原因 Reason
-- raised_at | time |  | 发生 Raised
-- age_s | number | s | 持续 Open for
-- seen_age_s | number | s | 依据龄 Last change
select a.name, e.severity::int as level, case when a.acknowledged then 1 else 0 end as acknowledged,
    coalesce(e.reason_zh, '') || ' ' || coalesce(e.reason_en, '') as reason, a.raised_at,
    extract(epoch from to_timestamp($__unixEpochTo()) - a.raised_at)::float8 as age_s, extract(epoch from to_timestamp($__unixEpochTo()) - e.tick_at)::float8 as seen_age_s
from grafana.alarm a
cross join lateral (
    select e.severity, e.reason_zh, e.reason_en, e.tick_at from grafana.alarm_event e
    where e.subject = a.subject and e.occurrence = a.occurrence and e.tick_at <= to_timestamp($__unixEpochTo())
    order by e.event_no desc limit 1
) e
where a.raised_at <= to_timestamp($__unixEpochTo()) and (a.cleared_at is null or a.cleared_at > to_timestamp($__unixEpochTo()))
    and (a.street is null or {{in:street:a.street}}) and (a.kind is null or {{in:kind:a.kind}})
    and (a.subject_kind <> 'space' or {{in:space:a.place_id}})
order by e.severity desc, a.raised_at, a.subject
limit 200;
