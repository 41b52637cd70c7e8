-- Readings received against those expected at the dry interval, worst first: over the whole minutes of a range up to two hours, else the
-- whole tens of minutes of one up to four days, else the whole hours.
-- sensor | text |  | 传感器 Sensor
-- place | text |  | 地点 Place
-- expected | number | count | 应收 Expected
-- received | number | count | 实收 Received
-- share | number | share | 到报率 Received share
-- age_s | number | s | 数据龄 Age
with scale as (
    select case when $__unixEpochTo() - $__unixEpochFrom() <= 7200 then 60
        when $__unixEpochTo() - $__unixEpochFrom() <= 345600 then 600 else 3600 end as width_s
), whole as (
    select to_timestamp(ceil($__unixEpochFrom()::float8 / width_s) * width_s) as first,
        to_timestamp(floor($__unixEpochTo()::float8 / width_s) * width_s) as past from scale
), received as (
    select sensor_id, sum(readings) as readings from (
        select sensor_id, bucket, readings from grafana.rollup_1m
        where $__unixEpochTo() - $__unixEpochFrom() <= 7200 and $__timeFilter(bucket)
        union all
        select sensor_id, bucket, readings from grafana.rollup_10m
        where $__unixEpochTo() - $__unixEpochFrom() > 7200 and $__unixEpochTo() - $__unixEpochFrom() <= 345600 and $__timeFilter(bucket)
        union all
        select sensor_id, bucket, readings from grafana.rollup_1h
        where $__unixEpochTo() - $__unixEpochFrom() > 345600 and $__timeFilter(bucket)
    ) counted cross join whole
    where bucket >= whole.first and bucket < whole.past
    group by 1
), shared as (
    select n.sensor_id, n.sensor_key, n.place_name, due.expected, coalesce(r.readings, 0)::float8 as received,
        least(1, coalesce(r.readings, 0) / nullif(due.expected, 0))::float8 as share
    from grafana.sensor n
    cross join lateral (
        select floor(extract(epoch from whole.past - whole.first)::float8 / n.interval_dry_s) as expected from whole
    ) due
    left join received r on r.sensor_id = n.sensor_id
    where n.quantity in ('water_depth_m', 'water_level_m', 'rain_total_mm', 'rain_depth_mm', 'rain_intensity_mm_h') and {{chosen:n}}
    order by share nulls last, n.sensor_id
    limit 100
)
select s.sensor_key as sensor, s.place_name as place, s.expected, s.received, s.share,
    extract(epoch from to_timestamp($__unixEpochTo()) - o.observed_at)::float8 as age_s
from shared s
left join lateral (
    select o.observed_at from grafana.observation o
    where o.sensor_id = s.sensor_id and o.observed_at > to_timestamp($__unixEpochTo() - 86400) and o.observed_at <= to_timestamp($__unixEpochTo())
    order by o.observed_at desc limit 1
) o on true
order by s.share nulls last, s.sensor_id;
