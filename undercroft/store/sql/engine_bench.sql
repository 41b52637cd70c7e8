-- The bench of the engine's chain.

-- name: engine_bench_raised
select distinct subject from alarm_event where subject = any(%(subjects)s) and severity = 4;

-- name: engine_bench_nowcasts
select count(distinct nowcast_id)::int as nowcasts from tick;
