-- Rain of each gauge, by its counter or by the depths that it tells: of 10 and 60 minutes before the end whatever the range, and of the range.
-- A counter that fell was reset and adds what it shows. A step counts where it ends; the one before the first reading is looked for half
-- an hour back. Where no step ends in a stretch its rain is not known, which is not 0.
-- gauge | text |  | 雨量站 Gauge
-- rain_10_mm | number | mm | 10 分钟 10 min
-- rain_60_mm | number | mm | 60 分钟 60 min
-- rain_range_mm | number | mm | 时段 Range
-- age_s | number | s | 数据龄 Age
with steps as (
    select n.sensor_id, n.place_name, o.observed_at,
        case when n.quantity = 'rain_depth_mm' then o.value
            when o.value >= lag(o.value) over w then o.value - lag(o.value) over w
            when lag(o.value) over w is not null then o.value end as fell_mm
    from grafana.sensor_place n
    join grafana.observation o on o.sensor_id = n.sensor_id and o.observed_at >= n.since and o.observed_at < n.until
    where n.quantity in ('rain_total_mm', 'rain_depth_mm') and o.quality < 4 and {{chosen:n}}
        and o.observed_at > to_timestamp(least($__unixEpochFrom(), $__unixEpochTo() - 3600) - 1800) and o.observed_at <= to_timestamp($__unixEpochTo())
    window w as (partition by n.sensor_id order by o.observed_at)
)
select place_name as gauge,
    sum(fell_mm) filter (where observed_at > to_timestamp($__unixEpochTo() - 600)) as rain_10_mm,
    sum(fell_mm) filter (where observed_at > to_timestamp($__unixEpochTo() - 3600)) as rain_60_mm,
    sum(fell_mm) filter (where observed_at > to_timestamp($__unixEpochFrom())) as rain_range_mm,
    extract(epoch from to_timestamp($__unixEpochTo()) - max(observed_at))::float8 as age_s
from steps group by sensor_id, place_name
order by 2 desc nulls last, 1;
