-- Orders as they stood at the end of the range: those that waited, the longest late first, those whose confirmation had expired, and
-- those whose newest step lies in the range.
-- name | text |  | 地点 Place
-- proof | text | proof | 要求 Asked for
-- state | text | order | 状态 State
-- severity | number | level | 级别 Level
-- owner | text |  | 责任人 Owner
-- late_s | number | s | 超时 Late by
-- expired_s | number | s | 确认已过期 Confirmation expired
-- reminders | number | count | 催办 Reminders
-- leader | text |  | 指挥 Leader
-- team | text |  | 队伍 Team
-- plan | text |  | 预案 Plan
-- single_voice | text |  | 口径 Voice
-- changed_at | time |  | 最近一步 Newest step
-- age_s | number | s | 距今 Ago | plain
select o.name, o.proof, o.state, o.severity, o.owner,
    case when o.state in ('issued', 'taken') and o.due_at < to_timestamp($__unixEpochTo())
        then extract(epoch from to_timestamp($__unixEpochTo()) - o.due_at) end::float8 as late_s,
    case when o.state = 'confirmed' and o.goes_on and o.confirmed_until <= to_timestamp($__unixEpochTo())
        then extract(epoch from to_timestamp($__unixEpochTo()) - o.confirmed_until) end::float8 as expired_s,
    o.reminders, o.leader, o.team, o.plan, o.single_voice, o.changed_at,
    extract(epoch from to_timestamp($__unixEpochTo()) - o.changed_at)::float8 as age_s
from grafana.order_at(to_timestamp($__unixEpochFrom()), to_timestamp($__unixEpochTo())) o
where {{chosen:o}} and (o.state not in ('confirmed', 'cancelled') or $__timeFilter(o.changed_at)
    or o.state = 'confirmed' and o.goes_on and o.confirmed_until <= to_timestamp($__unixEpochTo()))
order by late_s desc nulls last, expired_s desc nulls last, o.changed_at desc, o.order_id
limit 300;
