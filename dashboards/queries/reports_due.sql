-- Reports that have to be handed in, the longest missing first, and those handed in in the range.
-- name | text |  | 片区 Basin
-- report | text |  | 报告 Report
-- due_at | time |  | 时限 Due
-- missing_age_s | number | s | 已超 Missing for
-- reminders | number | count | 催办 Reminders
-- author | text |  | 起草 Drafted by
-- submitted_at | time |  | 报出 Handed in
-- late_s | number | s | 迟报 Late by
-- incident_id | text |  | 事件 Incident
select name, serial || ' ' || kind as report, due_at,
    case when is_open and due_at < to_timestamp($__unixEpochTo())
        then extract(epoch from to_timestamp($__unixEpochTo()) - due_at) end::float8 as missing_age_s,
    reminders, author, submitted_at,
    case when submitted_at > due_at then extract(epoch from submitted_at - due_at) end::float8 as late_s, incident_id
from grafana.report_due
where is_open or $__timeFilter(submitted_at)
order by missing_age_s desc nulls last, due_at, incident_id, serial
limit 300;
