-- name: copy_observations
copy observation_packed (sensor_id, observed_at, value_thousandths, quality, quality_tests, received_ms, batch_id)
from stdin with (format binary);

-- name: count_committed
-- Each once: a worker that is stopped for long loses its connection, and what it had is delivered again.
select
    coalesce(sum(messages - redelivered), 0)::bigint as messages,
    coalesce(extract(epoch from max(committed_at) - min(committed_at)), 0)::double precision as seconds
from batch;

-- name: count_rows
select coalesce(sum(stored), 0)::bigint as stored, (select count(*) from observation) as readings from batch;

-- name: fetch_committed_readings
select b.commit_seq, (extract(epoch from o.observed_at) * 1000000)::bigint as observed_us
from observation o join batch b using (batch_id);
