-- Where the pipeline stands at the end of the range.
-- batches | number | count | 批次 Batches
-- stored | number | count | 入库 Stored
-- redelivered | number | count | 重投 Redelivered
-- dead_letters | number | count | 死信 Dead letters
-- behind | number | count | 未研判批次 Not judged yet
-- commit_age_s | number | s | 最新提交龄 Newest commit
select count(*) as batches, coalesce(sum(stored), 0)::float8 as stored, coalesce(sum(redelivered), 0)::float8 as redelivered,
    coalesce(sum(dead_letters), 0)::float8 as dead_letters,
    count(*) filter (where commit_seq > coalesce((select max(up_to_commit_seq) from grafana.tick
        where tick_at <= to_timestamp($__unixEpochTo()) and tick_at > to_timestamp($__unixEpochTo() - 86400)), 0)) as behind,
    extract(epoch from to_timestamp($__unixEpochTo()) - max(at))::float8 as commit_age_s
from grafana.batch where $__timeFilter(at);
