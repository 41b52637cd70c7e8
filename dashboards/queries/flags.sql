-- Readings per quality flag over time, in buckets of ten minutes or longer.
-- time | time |  | 时间 Time
-- metric | text |  | 标志 Flag
-- value | number | count | 读数 Readings
with counted as (
    select date_bin(greatest(interval '10 minutes', $__interval_ms / 1000 * interval '1 second'), o.bucket, timestamptz '2000-01-03 00:00+00') as time,
        sum(o.good) as good, sum(o.not_evaluated) as not_evaluated, sum(o.suspect) as suspect, sum(o.failed) as failed, sum(o.missing) as missing
    from (
        select sensor_id, bucket, good_without_later as good, not_evaluated_without_later as not_evaluated,
            suspect_without_later as suspect, failed, missing
        from grafana.rollup_10m
        where $__interval_ms < 3600000 and $__timeFilter(bucket)
        union all
        select sensor_id, bucket, good_without_later as good, not_evaluated_without_later as not_evaluated,
            suspect_without_later as suspect, failed, missing
        from grafana.rollup_1h
        where $__interval_ms >= 3600000 and $__interval_ms < 86400000 and $__timeFilter(bucket)
        union all
        select sensor_id, bucket, good_without_later as good, not_evaluated_without_later as not_evaluated,
            suspect_without_later as suspect, failed, missing
        from grafana.rollup_1d
        where $__interval_ms >= 86400000 and $__timeFilter(bucket)
        union all -- as far as their buckets are within the range
        select sensor_id, bucket, good, not_evaluated, suspect, 0::bigint, 0::bigint
        from (
            select *, date_bin(case when $__interval_ms < 3600000 then interval '10 minutes' when $__interval_ms < 86400000 then interval '1 hour'
                else interval '1 day' end, observed_at, timestamptz '2000-01-03 00:00+00') as bucket
            from grafana.counted_later
            where observed_at >= to_timestamp($__unixEpochFrom()) and observed_at < to_timestamp($__unixEpochTo() + 86400)
        ) later
        where $__timeFilter(bucket)
    ) o
    where (o.sensor_id in (select n.sensor_id from grafana.sensor n where {{chosen:n}})) is true -- a look into a hash, never a loop by sensor
    group by 1
)
select counted.time, flag.metric, flag.readings::float8 as value
from counted
cross join lateral (values ('● 可信 Good', good), ('? 未评 Not evaluated', not_evaluated), ('◐ 可疑 Suspect', suspect),
    ('✖ 错误 Fail', failed), ('○ 缺失 Missing', missing)) as flag (metric, readings)
where flag.readings > 0
order by 1, 2, 3;
