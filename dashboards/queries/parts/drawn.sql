-- What `n`, a row of `grafana.sensor_place`, drew while it stood there: readings, or the highest of each bucket. Of a bucket in which it was moved each
-- place has its own readings. Each sensor by itself: its own rows only, not all of the range.
cross join lateral (
    select observed_at as time, value from grafana.observation
    where sensor_id = n.sensor_id and $__interval_ms < 60000 and quality < 4 and $__timeFilter(observed_at)
        and observed_at >= n.since and observed_at < n.until
    union all
    select bucket, max_value from grafana.rollup_1m
    where sensor_id = n.sensor_id and $__interval_ms >= 60000 and $__interval_ms < 600000 and $__timeFilter(bucket)
        and bucket >= n.since and bucket <= n.until - interval '1 minute'
    union all
    select bucket, max_value from grafana.rollup_10m
    where sensor_id = n.sensor_id and $__interval_ms >= 600000 and $__interval_ms < 3600000 and $__timeFilter(bucket)
        and bucket >= n.since and bucket <= n.until - interval '10 minutes'
    union all
    select bucket, max_value from grafana.rollup_1h
    where sensor_id = n.sensor_id and $__interval_ms >= 3600000 and $__timeFilter(bucket)
        and bucket >= n.since and bucket <= n.until - interval '1 hour'
    union all
    select at, value from grafana.beside_moves(n.sensor_id, n.since, n.until, case when $__interval_ms < 600000 then interval '1 minute'
        when $__interval_ms < 3600000 then interval '10 minutes' else interval '1 hour' end,
        to_timestamp($__unixEpochFrom()), to_timestamp($__unixEpochTo()))
    where n.is_moved and $__interval_ms >= 60000
    offset 0
) o
