-- Where the pipeline stands at the end of the range; no row where nothing had come by then, or no count of it is kept.
-- batches | number | count | 批次 Batches
-- stored | number | count | 入库 Stored
-- redelivered | number | count | 重投 Redelivered
-- dead_letters | number | count | 死信 Dead letters | amiss
-- behind | number | count | 未研判批次 Not judged yet
-- delivery_delay_s | number | s | 到达延迟 Delivery delay
-- commit_age_s | number | s | 最新提交龄 Newest commit
with newest as (
    select commit_seq, at from grafana.batch where $__timeFilter(at) order by at desc limit 1
), judged as (
    select max(up_to_commit_seq) as commit_seq from grafana.tick
    where tick_at <= to_timestamp($__unixEpochTo()) and tick_at > to_timestamp($__unixEpochTo() - 86400)
), sums as (
    select count(*) as batches, sum(stored) as stored, sum(redelivered) as redelivered, sum(dead_letters) as dead_letters
    from grafana.batch where $__timeFilter(at)
), delayed as ( -- by batches, which an index holds: the rows of a batch are found in no order of their own
    select greatest(0, percentile_cont(0.5) within group (order by delay_s)) as delay_s
    from (
        select extract(epoch from at - observed_to)::float8 as delay_s from grafana.batch
        where at <= to_timestamp($__unixEpochTo()) and at > to_timestamp($__unixEpochTo() - 600) and observed_to is not null
        order by at desc limit 15
    ) newest
    having count(*) >= 3
)
select sums.batches, coalesce(sums.stored, 0)::float8 as stored, coalesce(sums.redelivered, 0)::float8 as redelivered,
    coalesce(sums.dead_letters, 0)::float8 as dead_letters,
    -- by commit number, which an index holds: only what came after the newest judged one is read
    case when judged.commit_seq is null then sums.batches else (
        select count(*) from grafana.batch b where b.commit_seq > judged.commit_seq and b.commit_seq <= newest.commit_seq
    ) end as behind,
    (select delay_s from delayed) as delivery_delay_s,
    extract(epoch from to_timestamp($__unixEpochTo()) - newest.at)::float8 as commit_age_s
from sums cross join judged left join newest on true
where exists (select from grafana.batch where at <= to_timestamp($__unixEpochTo()));
