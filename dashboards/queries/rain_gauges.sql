-- Rain intensity of each gauge: as reported, or by its counter or the depths it tells, between two points of the drawing. A counter that
-- fell was reset, and adds what it shows. Of a gauge that tells it in two ways each is drawn for itself; one that was moved
-- fell where it stood, a bucket where it began.
-- time | time |  | 时间 Time
-- metric | text |  | 传感器 Sensor
-- value | number | mm/h | 雨强 Intensity
with gauge as (
    select sensor_id, quantity, since, until, place_name || case when count(*) over (partition by place_name) = 1 then ''
        else ' · ' || sensor_key end as metric
    from grafana.sensor_place n
    where since <= to_timestamp($__unixEpochTo()) and until > to_timestamp($__unixEpochFrom())
        and quantity in ('rain_intensity_mm_h', 'rain_total_mm', 'rain_depth_mm') and {{chosen:n}}
), points as (
    select n.sensor_id, n.metric, n.quantity, o.time, o.most,
        case when n.quantity = 'rain_depth_mm' then o.most
            when o.last_value >= lag(o.last_value) over w then o.last_value - lag(o.last_value) over w
            else o.last_value + greatest(o.most - lag(o.last_value) over w, 0) end as fell_mm,
        extract(epoch from o.time - lag(o.time) over w)::float8 as span_s
    from gauge n
    cross join lateral (
        select observed_at as time, value as most, value as last_value from grafana.observation
        where sensor_id = n.sensor_id and $__interval_ms < 60000 and quality < 4 and $__timeFilter(observed_at) and observed_at >= n.since and observed_at < n.until
        union all
        select bucket, case n.quantity when 'rain_depth_mm' then mean_value * usable else max_value end, last_value
        from grafana.rollup_1m
        where sensor_id = n.sensor_id and $__interval_ms >= 60000 and $__interval_ms < 600000 and $__timeFilter(bucket) and bucket >= n.since and bucket < n.until
        union all
        select bucket, case n.quantity when 'rain_depth_mm' then mean_value * usable else max_value end, last_value
        from grafana.rollup_10m
        where sensor_id = n.sensor_id and $__interval_ms >= 600000 and $__interval_ms < 3600000 and $__timeFilter(bucket) and bucket >= n.since and bucket < n.until
        union all
        select bucket, case n.quantity when 'rain_depth_mm' then mean_value * usable else max_value end, last_value
        from grafana.rollup_1h
        where sensor_id = n.sensor_id and $__interval_ms >= 3600000 and $__timeFilter(bucket) and bucket >= n.since and bucket < n.until
        offset 0 -- each sensor by itself: its own rows only, not all of the range
    ) o
    where o.last_value is not null
    window w as (partition by n.sensor_id order by o.time)
)
select time, metric, case when quantity = 'rain_intensity_mm_h' then most else fell_mm * 3600 / span_s end as value
from points
where quantity = 'rain_intensity_mm_h' or span_s > 0
order by 1, 2, 3;
