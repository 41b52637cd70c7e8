-- From device to receipt, and from the newest reading of a batch to its commit, per minute: median and p99.
-- time | time |  | 时间 Time
-- metric | text |  | 系列 Series
-- value | number | s | 秒 Seconds
with scale as (
    select greatest(interval '1 minute', $__interval_ms / 1000 * interval '1 second') as width
), step as (
    select start, width from scale cross join lateral generate_series(
        date_bin(width, to_timestamp($__unixEpochFrom()), timestamptz '2000-01-03 00:00+00'), to_timestamp($__unixEpochTo()), width) as start
)
select step.start as time, part.metric, part.value
from step
cross join lateral ( -- each step by itself: its batches lie together in the index, none is sorted by time
    select percentile_cont(array[0.5, 0.99]::float8[]) within group (order by at - observed_to) as spans
    from grafana.batch
    where at >= greatest(start, to_timestamp($__unixEpochFrom())) and at < start + width and at <= to_timestamp($__unixEpochTo())
        and observed_to is not null
    having count(*) > 0
) told
cross join lateral (values ('p50', date_part('epoch', spans[1])), ('p99', date_part('epoch', spans[2]))) as part (metric, value)
order by 1, 2, 3;
