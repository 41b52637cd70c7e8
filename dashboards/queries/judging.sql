-- From a batch's commit to the tick that judged it: of the batches that a tick was the first to read, the one that had waited longest.
-- time | time |  | 时间 Time
-- metric | text |  | 系列 Series
-- value | number | s | 秒 Seconds
with moved as ( -- a tick that read nothing new has the number of the one before it
    select tick_at, committed_at, up_to_commit_seq, lag(up_to_commit_seq) over (order by tick_seq) as read_before
    from grafana.tick
    where tick_at > to_timestamp($__unixEpochFrom() - 600) and tick_at <= to_timestamp($__unixEpochTo())
)
select date_bin(greatest(interval '1 minute', $__interval_ms / 1000 * interval '1 second'), m.tick_at, timestamptz '2000-01-03 00:00+00') as time,
    '提交到研判 Commit to judgement, worst' as metric,
    max(extract(epoch from m.committed_at - b.committed_at))::float8 as value
from moved m
cross join lateral (
    select committed_at from grafana.batch
    where commit_seq > m.read_before and commit_seq <= m.up_to_commit_seq order by commit_seq limit 1
) b
where m.up_to_commit_seq > m.read_before and $__timeFilter(m.tick_at)
group by 1
order by 1;
