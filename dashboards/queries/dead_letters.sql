-- Messages that could not be read, by reason; payloads stay out of Grafana.
-- reason | text |  | 原因 Reason
-- topic | text |  | 主题 Topic
-- detail | text |  | 说明 Detail
-- times | number | count | 次数 Times
-- last_at | time |  | 最近 Last
-- age_s | number | s | 距今 Ago
select l.reason, l.topic, l.detail, l.times_seen as times, l.last_received_at as last_at,
    extract(epoch from to_timestamp($__unixEpochTo()) - l.last_received_at)::float8 as age_s
from grafana.dead_letter l
where $__timeFilter(l.last_received_at) and {{chosen:l}}
order by l.last_received_at desc, l.dead_letter_id desc
limit 100;
