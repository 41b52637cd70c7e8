-- Where the pipeline stands at the end of the range.
-- batches | number | count | 批次 Batches
-- stored | number | count | 入库 Stored
-- redelivered | number | count | 重投 Redelivered
-- dead_letters | number | count | 死信 Dead letters | amiss
-- behind | number | count | 未研判批次 Not judged yet
-- commit_age_s | number | s | 最新提交龄 Newest commit
with newest as (
    select commit_seq, at from grafana.batch where $__timeFilter(at) order by at desc limit 1
), judged as (
    select max(up_to_commit_seq) as commit_seq from grafana.tick
    where tick_at <= to_timestamp($__unixEpochTo()) and tick_at > to_timestamp($__unixEpochTo() - 86400)
), sums as (
    select count(*) as batches, sum(stored) as stored, sum(redelivered) as redelivered, sum(dead_letters) as dead_letters
    from grafana.batch where $__timeFilter(at)
)
select sums.batches, coalesce(sums.stored, 0)::float8 as stored, coalesce(sums.redelivered, 0)::float8 as redelivered,
    coalesce(sums.dead_letters, 0)::float8 as dead_letters,
    -- by commit number, which an index holds: only what came after the newest judged one is read
    case when judged.commit_seq is null then sums.batches else (
        select count(*) from grafana.batch b where b.commit_seq > judged.commit_seq and b.commit_seq <= newest.commit_seq
    ) end as behind,
    extract(epoch from to_timestamp($__unixEpochTo()) - newest.at)::float8 as commit_age_s
from sums cross join judged left join newest on true;
