-- From device to receipt, and from the newest reading of a batch to its commit, per minute: median and p99.
-- time | time |  | 时间 Time
-- metric | text |  | 系列 Series
-- value | number | s | 秒 Seconds
with spans as (
    select date_bin(greatest(interval '1 minute', $__interval_ms / 1000 * interval '1 second'), at, timestamptz '2000-01-03 00:00+00') as time,
        percentile_cont(array[0.5, 0.99]::float8[]) within group (order by date_part('epoch', at - observed_to)) as s
    from grafana.batch where $__timeFilter(at) and observed_to is not null
    group by 1
)
select spans.time, part.metric, part.value
from spans
cross join lateral (values ('p50', s[1]), ('p99', s[2])) as part (metric, value)
order by 1, 2, 3;
