-- Messages that nobody had taken at the end of the range, worst first: refused, or still tried; and the newest of the range.
-- One that was taken or refused later waits here; how often it had been tried by then is not known.
-- person_id | text |  | 人员 Person
-- channel | text |  | 通道 Channel
-- state | text | message | 状态 State
-- severity | number | level | 级别 Level
-- reason | text | message_reason | 缘由 Reason
-- incident_id | text |  | 事件 Incident
-- attempts | number | count | 次数 Attempts
-- error | text |  | 对方原话 Answer
-- queued_at | time |  | 排队于 Queued at
-- next_try_at | time |  | 下次尝试 Next try
-- age_s | number | s | 距今 Ago | plain
select person_id, channel, state, severity, reason, incident_id, attempts, error, queued_at, next_try_at,
    extract(epoch from to_timestamp($__unixEpochTo()) - queued_at)::float8 as age_s
from grafana.notification_at(to_timestamp($__unixEpochFrom()), to_timestamp($__unixEpochTo()))
order by case when state = 'failed' then 0 when state in ('queued', 'sending') then 1 else 2 end,
    severity desc, notification_id desc
limit 200;
