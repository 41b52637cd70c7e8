-- Messages and readings per minute through ingest.
-- time | time |  | 时间 Time
-- metric | text |  | 系列 Series
-- value | number | per min | 每分钟 Per minute
with scale as (
    select greatest(60, $__interval_ms / 1000) * interval '1 second' as width
), step as (
    select start, width from scale cross join lateral generate_series(
        date_bin(width, to_timestamp($__unixEpochFrom()), timestamptz '2000-01-03 00:00+00'), to_timestamp($__unixEpochTo()), width) as start
)
select step.start as time, part.metric, (part.n * 60 / greatest(60, $__interval_ms / 1000))::float8 as value
from step
cross join lateral ( -- each step by itself: its batches lie together in the index, none is sorted by time
    select sum(messages) as messages, sum(stored) as stored, sum(duplicates) as duplicates, sum(conflicts) as conflicts,
        sum(dead_letters) as dead_letters
    from grafana.batch where at >= start and at < start + width and $__timeFilter(at)
    having count(*) > 0
) sums
cross join lateral (values ('消息 Messages', messages), ('入库 Stored', stored), ('重复 Duplicates', duplicates),
    ('冲突 Conflicts', conflicts), ('死信 Dead letters', dead_letters)) as part (metric, n)
order by 1, 2, 3;
