-- The bench of the engine's chain.

-- name: engine_bench_raised
select distinct subject from alarm_event where subject = any(%(subjects)s) and severity = 4;

-- name: engine_bench_committed
-- committed_at is the last statement but the commit itself.
select e.subject, min(t.committed_at) as committed_at
from alarm_event e join tick t using (tick_seq)
where e.subject = any(%(subjects)s) and e.severity = 4
group by e.subject;

-- name: engine_bench_nowcasts
select count(distinct nowcast_id)::int as nowcasts from tick;
