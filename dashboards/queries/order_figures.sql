-- How orders go: those that wait, those that are late now, and how those of the range were confirmed.
-- waiting | number | count | 待办 Waiting
-- late | number | count | 超时 Late
-- expired | number | count | 确认过期 Expired
-- confirmed_in_time | number | count | 按时确认 In time
-- confirmed_late | number | count | 迟确认 Confirmed late
-- refused | number | count | 被拒 Refused
-- reminders | number | count | 催办 Reminders
-- oldest_late_age_s | number | s | 最久超时 Longest late
select count(*) filter (where state not in ('confirmed', 'cancelled')) as waiting,
    count(*) filter (where state in ('issued', 'taken') and due_at < to_timestamp($__unixEpochTo())) as late,
    count(*) filter (where state = 'confirmed' and goes_on and confirmed_until <= to_timestamp($__unixEpochTo())) as expired,
    count(*) filter (where state = 'confirmed' and answered_at <= due_at) as confirmed_in_time,
    count(*) filter (where state = 'confirmed' and answered_at > due_at) as confirmed_late,
    count(*) filter (where state = 'refused') as refused,
    coalesce(sum(reminders), 0) as reminders,
    extract(epoch from to_timestamp($__unixEpochTo())
        - min(due_at) filter (where state in ('issued', 'taken') and due_at < to_timestamp($__unixEpochTo())))::float8 as oldest_late_age_s
from grafana.duty_order
where changed_at <= to_timestamp($__unixEpochTo())
    and (state not in ('confirmed', 'cancelled') or state = 'confirmed' and goes_on or $__timeFilter(changed_at));
