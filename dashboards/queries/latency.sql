-- From device to receipt, and from the newest reading of a batch to its commit, per minute: median and p99.
-- time | time |  | 时间 Time
-- metric | text |  | 系列 Series
-- value | number | s | 秒 Seconds
with spans as (
    select date_bin(greatest(interval '1 minute', $__interval_ms / 1000 * interval '1 second'), at, timestamptz '2000-01-03 00:00+00') as time,
        extract(epoch from at - observed_to)::float8 as s
    from grafana.batch where $__timeFilter(at) and observed_to is not null
)
select spans.time, 'p' || (part.share * 100)::int as metric, percentile_cont(part.share) within group (order by spans.s) as value
from spans
cross join (values (0.5::float8), (0.99::float8)) as part (share)
group by 1, part.share, 2
order by 1, 2, 3;
