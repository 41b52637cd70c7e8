-- How orders went, as they stood at the end of the range: those that waited, that were late, and how those of the range were confirmed.
-- waiting | number | count | 待办 Waiting
-- late | number | count | 超时 Late | grave
-- expired | number | count | 确认过期 Expired | amiss
-- confirmed_in_time | number | count | 按时确认 In time
-- confirmed_late | number | count | 迟确认 Confirmed late | amiss
-- refused | number | count | 被拒 Refused | amiss
-- reminders | number | count | 催办 Reminders
-- oldest_late_age_s | number | s | 最久超时 Longest late | amiss
with o as (
    select *, state in ('issued', 'taken') and due_at < to_timestamp($__unixEpochTo()) as is_late, $__timeFilter(changed_at) as moved
    from grafana.order_at(to_timestamp($__unixEpochFrom()), to_timestamp($__unixEpochTo())) o
    where {{chosen:o}}
)
select count(*) filter (where state not in ('confirmed', 'cancelled')) as waiting,
    count(*) filter (where is_late) as late,
    count(*) filter (where state = 'confirmed' and goes_on and confirmed_until <= to_timestamp($__unixEpochTo())) as expired,
    count(*) filter (where state = 'confirmed' and (moved or goes_on) and answered_at <= due_at) as confirmed_in_time,
    count(*) filter (where state = 'confirmed' and (moved or goes_on) and answered_at > due_at) as confirmed_late,
    count(*) filter (where state = 'refused') as refused,
    coalesce(sum(reminders) filter (where moved or goes_on or state not in ('confirmed', 'cancelled')), 0) as reminders,
    extract(epoch from to_timestamp($__unixEpochTo()) - min(due_at) filter (where is_late))::float8 as oldest_late_age_s
from o;
