-- From a batch's commit to the tick that judged it.
-- time | time |  | 时间 Time
-- metric | text |  | 系列 Series
-- value | number | s | 秒 Seconds
select date_bin(greatest(interval '1 minute', $__interval_ms / 1000 * interval '1 second'), t.tick_at, timestamptz '2000-01-03 00:00+00') as time,
    '提交到研判 Commit to judgement, worst' as metric,
    max(extract(epoch from t.committed_at - b.committed_at))::float8 as value
from grafana.tick t
join grafana.batch b on b.commit_seq = t.up_to_commit_seq
where $__timeFilter(t.tick_at)
group by 1
order by 1;
