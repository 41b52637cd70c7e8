-- name: copy_observations
copy observation (sensor_id, observed_at, value, quality, quality_tests, received_at, batch_id)
from stdin with (format binary);

-- name: count_committed
select
    coalesce(sum(messages), 0)::bigint as messages,
    coalesce(extract(epoch from max(committed_at) - min(committed_at)), 0)::double precision as seconds
from batch;
