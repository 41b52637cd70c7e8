-- Rollups with TimescaleDB: continuous aggregates, each made from the finer one. What is not refreshed yet is computed
-- when it is read (materialized_only = false), so that the newest bucket is there.
-- Usable readings are those that quality control did not fail (flags 1, 2 and 3); worst_quality covers all of them. Of the
-- usable ones those neither good nor suspect were not evaluated (2), of the others those not failed are missing (9).

create materialized view rollup_1m with (timescaledb.continuous, timescaledb.materialized_only = false) as
select sensor_id, time_bucket('1 minute', observed_at) as bucket,
    min(coalesce(value_thousandths / 1000::double precision, value_exact)) filter (where quality < 4) as min_value,
    max(coalesce(value_thousandths / 1000::double precision, value_exact)) filter (where quality < 4) as max_value,
    sum(coalesce(value_thousandths / 1000::double precision, value_exact)) filter (where quality < 4) as total,
    last(coalesce(value_thousandths / 1000::double precision, value_exact), observed_at) filter (where quality < 4) as last_value,
    count(*) filter (where quality < 4) as usable,
    count(*) filter (where quality = 1) as good,
    count(*) filter (where quality = 3) as suspect,
    count(*) filter (where quality = 4) as failed,
    count(*) as readings,
    max(quality)::smallint as worst_quality
from observation_packed group by 1, 2 with no data;

create materialized view rollup_10m with (timescaledb.continuous, timescaledb.materialized_only = false) as
select sensor_id, time_bucket('10 minutes', bucket) as bucket,
    min(min_value) as min_value,
    max(max_value) as max_value,
    sum(total) as total,
    last(last_value, bucket) filter (where usable > 0) as last_value,
    sum(usable)::bigint as usable,
    sum(good)::bigint as good,
    sum(suspect)::bigint as suspect,
    sum(failed)::bigint as failed,
    sum(readings)::bigint as readings,
    max(worst_quality)::smallint as worst_quality
from rollup_1m group by 1, 2 with no data;

create materialized view rollup_1h with (timescaledb.continuous, timescaledb.materialized_only = false) as
select sensor_id, time_bucket('1 hour', bucket) as bucket,
    min(min_value) as min_value,
    max(max_value) as max_value,
    sum(total) as total,
    last(last_value, bucket) filter (where usable > 0) as last_value,
    sum(usable)::bigint as usable,
    sum(good)::bigint as good,
    sum(suspect)::bigint as suspect,
    sum(failed)::bigint as failed,
    sum(readings)::bigint as readings,
    max(worst_quality)::smallint as worst_quality
from rollup_10m group by 1, 2 with no data;

create materialized view rollup_1d with (timescaledb.continuous, timescaledb.materialized_only = false) as
select sensor_id, time_bucket('1 day', bucket) as bucket,
    min(min_value) as min_value,
    max(max_value) as max_value,
    sum(total) as total,
    last(last_value, bucket) filter (where usable > 0) as last_value,
    sum(usable)::bigint as usable,
    sum(good)::bigint as good,
    sum(suspect)::bigint as suspect,
    sum(failed)::bigint as failed,
    sum(readings)::bigint as readings,
    max(worst_quality)::smallint as worst_quality
from rollup_1h group by 1, 2 with no data;
