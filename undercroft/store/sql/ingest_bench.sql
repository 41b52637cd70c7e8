-- name: copy_observations
copy observation_packed (sensor_id, observed_at, value_thousandths, quality, quality_tests, received_ms, batch_id)
from stdin with (format binary);

-- name: count_committed
select
    coalesce(sum(messages), 0)::bigint as messages,
    coalesce(extract(epoch from max(committed_at) - min(committed_at)), 0)::double precision as seconds
from batch;

-- name: commit_latency_p99
-- committed_at is taken in the last statement before the commit, so the commit itself (its fsync) is not in it.
select percentile_cont(0.99) within group (order by extract(epoch from b.committed_at - o.observed_at))::double precision as seconds
from observation o join batch b using (batch_id);
