-- Each space's worst, and when it first turned orange and red; depths in whole buckets of ten minutes.
-- name | text |  | 名称 Name
-- level | number | level | 最高等级 Peak level
-- depth_m | number | m | 最大内水深 Greatest depth inside
-- first_orange | time |  | 首次橙色 First orange
-- first_red | time |  | 首次红色 First red
-- warned_min | number | min | 橙到红 Orange to red
-- peak_age_s | number | s | 末次研判距时段末 Last judged
-- space_id | text |  | 编号 Id
with deepest as materialized ( -- once, not for each space
    select sensor_id, max(max_value) as max_value from grafana.rollup_10m where $__timeFilter(bucket) group by 1
)
select s.name, a.level, d.depth_m, a.first_orange, a.first_red,
    extract(epoch from a.first_red - a.first_orange)::float8 / 60 as warned_min,
    extract(epoch from to_timestamp($__unixEpochTo()) - a.newest)::float8 as peak_age_s, s.space_id
from grafana.space_at(to_timestamp($__unixEpochTo())) s
join (
    select space_id, max(level)::int as level, min(tick_at) filter (where level >= 3) as first_orange,
        min(tick_at) filter (where level >= 4) as first_red, max(tick_at) as newest
    from grafana.assessment where $__timeFilter(tick_at) group by 1
) a on a.space_id = s.space_id
left join (
    select n.place_id, max(o.max_value) as depth_m
    from grafana.sensor n
    join deepest o on o.sensor_id = n.sensor_id
    where n.quantity = 'water_depth_m' and n.entrance_id is null
    group by 1
) d on d.place_id = s.space_id
where {{chosen:s}}
order by 2 desc, 4, s.space_id
limit 100;
