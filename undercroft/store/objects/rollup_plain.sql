-- Rollups without TimescaleDB: views with the same names, columns and rows as its continuous aggregates.

create function undercroft_bucket(width interval, at timestamptz) returns timestamptz
    language sql immutable parallel safe
    return date_bin(width, at, timestamptz '2000-01-03 00:00:00+00');
comment on function undercroft_bucket is 'time_bucket of TimescaleDB: buckets are aligned to Monday 2000-01-03 UTC.';

create view rollup_1m as
select sensor_id, undercroft_bucket('1 minute', observed_at) as bucket,
    min(value) filter (where quality < 4) as min_value,
    max(value) filter (where quality < 4) as max_value,
    sum(value) filter (where quality < 4) as total,
    (array_agg(value order by observed_at desc) filter (where quality < 4))[1] as last_value,
    count(*) filter (where quality < 4) as usable,
    count(*) filter (where quality = 1) as good,
    count(*) filter (where quality = 3) as suspect,
    count(*) filter (where quality = 4) as failed,
    count(*) as readings,
    max(quality)::smallint as worst_quality
from observation group by 1, 2;

create view rollup_10m as
select sensor_id, undercroft_bucket('10 minutes', observed_at) as bucket,
    min(value) filter (where quality < 4) as min_value,
    max(value) filter (where quality < 4) as max_value,
    sum(value) filter (where quality < 4) as total,
    (array_agg(value order by observed_at desc) filter (where quality < 4))[1] as last_value,
    count(*) filter (where quality < 4) as usable,
    count(*) filter (where quality = 1) as good,
    count(*) filter (where quality = 3) as suspect,
    count(*) filter (where quality = 4) as failed,
    count(*) as readings,
    max(quality)::smallint as worst_quality
from observation group by 1, 2;

create view rollup_1h as
select sensor_id, undercroft_bucket('1 hour', observed_at) as bucket,
    min(value) filter (where quality < 4) as min_value,
    max(value) filter (where quality < 4) as max_value,
    sum(value) filter (where quality < 4) as total,
    (array_agg(value order by observed_at desc) filter (where quality < 4))[1] as last_value,
    count(*) filter (where quality < 4) as usable,
    count(*) filter (where quality = 1) as good,
    count(*) filter (where quality = 3) as suspect,
    count(*) filter (where quality = 4) as failed,
    count(*) as readings,
    max(quality)::smallint as worst_quality
from observation group by 1, 2;

create view rollup_1d as
select sensor_id, undercroft_bucket('1 day', observed_at) as bucket,
    min(value) filter (where quality < 4) as min_value,
    max(value) filter (where quality < 4) as max_value,
    sum(value) filter (where quality < 4) as total,
    (array_agg(value order by observed_at desc) filter (where quality < 4))[1] as last_value,
    count(*) filter (where quality < 4) as usable,
    count(*) filter (where quality = 1) as good,
    count(*) filter (where quality = 3) as suspect,
    count(*) filter (where quality = 4) as failed,
    count(*) as readings,
    max(quality)::smallint as worst_quality
from observation group by 1, 2;
