-- How reports went: what was missing and to come at the end of the range, and how those of the range were handed in.
-- missing | number | count | 漏报 Missing | grave
-- to_come | number | count | 待报 To come
-- on_time | number | count | 按时 On time
-- late | number | count | 迟报 Late | amiss
-- reminders | number | count | 催办 Reminders
-- longest_missing_age_s | number | s | 最久漏报 Longest missing | amiss
with due as (
    select *, closed_at is null or closed_at > to_timestamp($__unixEpochTo()) as was_open
    from grafana.report_due where opened_at <= to_timestamp($__unixEpochTo())
)
select count(*) filter (where due_at < to_timestamp($__unixEpochTo())
        and (was_open or (submitted_at is null and closed_at > due_at and $__timeFilter(due_at)))) as missing,
    count(*) filter (where was_open and due_at >= to_timestamp($__unixEpochTo())) as to_come,
    count(*) filter (where $__timeFilter(submitted_at) and submitted_at <= due_at) as on_time,
    count(*) filter (where $__timeFilter(submitted_at) and submitted_at > due_at) as late,
    coalesce(sum(reminders) filter (where was_open), 0) as reminders,
    extract(epoch from to_timestamp($__unixEpochTo())
        - min(due_at) filter (where was_open and due_at < to_timestamp($__unixEpochTo())))::float8 as longest_missing_age_s
from due;
