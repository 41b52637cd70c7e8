-- Messages that could not be read, by reason; payloads stay out of Grafana. Of one that came again after the range only its first
-- time is known: its times and its last are not.
-- reason | text |  | 原因 Reason
-- topic | text |  | 主题 Topic
-- detail | text |  | 说明 Detail
-- times | number | count | 次数 Times
-- first_at | time |  | 首次 First
-- last_at | time |  | 最近 Last
-- age_s | number | s | 距今 Ago | plain
select l.reason, l.topic, l.detail, case when not later then l.times_seen end as times, l.first_received_at as first_at,
    case when not later then l.last_received_at end as last_at,
    extract(epoch from to_timestamp($__unixEpochTo()) - case when later then l.first_received_at else l.last_received_at end)::float8 as age_s
from grafana.dead_letter l
cross join lateral (select l.last_received_at > to_timestamp($__unixEpochTo()) as later) seen
where l.last_received_at >= to_timestamp($__unixEpochFrom()) and l.first_received_at <= to_timestamp($__unixEpochTo()) and {{chosen:l}}
order by later, l.last_received_at desc, l.dead_letter_id desc
limit 100;
