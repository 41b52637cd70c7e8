-- Reports that had to be handed in at the end of the range, the longest missing first, and those handed in in the range.
-- name | text |  | 片区 Basin
-- report | text |  | 报告 Report
-- due_at | time |  | 时限 Due
-- missing_age_s | number | s | 已超 Missing for | amiss
-- reminders | number | count | 催办 Reminders
-- author | text |  | 起草 Drafted by
-- submitted_at | time |  | 报出 Handed in
-- late_s | number | s | 迟报 Late by
-- incident_id | text |  | 事件 Incident
with due as (
    select *, closed_at is null or closed_at > to_timestamp($__unixEpochTo()) as was_open,
        case when submitted_at <= to_timestamp($__unixEpochTo()) then submitted_at end as handed_in_at
    from grafana.report_due where opened_at <= to_timestamp($__unixEpochTo())
)
select name, {{report_title}} || case kind when 'follow_up' then ' ' || serial - 1 else '' end as report, due_at,
    case when was_open and due_at < to_timestamp($__unixEpochTo())
        then extract(epoch from to_timestamp($__unixEpochTo()) - due_at) end::float8 as missing_age_s,
    reminders, author, handed_in_at as submitted_at,
    case when handed_in_at > due_at then extract(epoch from handed_in_at - due_at) end::float8 as late_s, incident_id
from due
where was_open or $__timeFilter(submitted_at)
order by missing_age_s desc nulls last, due_at, incident_id, serial
limit 300;
