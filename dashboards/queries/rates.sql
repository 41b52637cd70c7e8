-- Messages and readings per minute through ingest.
-- time | time |  | 时间 Time
-- metric | text |  | 系列 Series
-- value | number | per min | 每分钟 Per minute
with sums as (
    select date_bin(greatest(60, $__interval_ms / 1000) * interval '1 second', at, timestamptz '2000-01-03 00:00+00') as time,
        sum(messages) as messages, sum(stored) as stored, sum(duplicates) as duplicates, sum(conflicts) as conflicts,
        sum(dead_letters) as dead_letters
    from grafana.batch where $__timeFilter(at) group by 1
)
select sums.time, part.metric, (part.n * 60 / greatest(60, $__interval_ms / 1000))::float8 as value
from sums
cross join lateral (values ('消息 Messages', messages), ('入库 Stored', stored), ('重复 Duplicates', duplicates),
    ('冲突 Conflicts', conflicts), ('死信 Dead letters', dead_letters)) as part (metric, n)
order by 1, 2, 3;
