-- Each space's worst, and when it first turned orange and red; depths in whole buckets of ten minutes.
-- name | text |  | 名称 Name
-- level | number | level | 最高等级 Peak level
-- depth_m | number | m | 最大内水深 Greatest depth inside
-- first_orange | time |  | 首次橙色 First orange
-- first_red | time |  | 首次红色 First red
-- warned_min | number | min | 橙到红 Orange to red
-- peak_age_s | number | s | 末次研判距时段末 Last judged
select s.name, max(a.level)::int as level,
    d.depth_m,
    min(a.tick_at) filter (where a.level >= 3) as first_orange, min(a.tick_at) filter (where a.level >= 4) as first_red,
    extract(epoch from min(a.tick_at) filter (where a.level >= 4) - min(a.tick_at) filter (where a.level >= 3))::float8 / 60 as warned_min,
    extract(epoch from to_timestamp($__unixEpochTo()) - max(a.tick_at))::float8 as peak_age_s
from grafana.space s
join grafana.assessment a on a.space_id = s.space_id
left join (
    select n.place_id, max(o.max_value) as depth_m
    from grafana.sensor n join grafana.rollup_10m o on o.sensor_id = n.sensor_id
    where n.quantity = 'water_depth_m' and n.entrance_id is null and $__timeFilter(o.bucket)
    group by 1
) d on d.place_id = s.space_id
where $__timeFilter(a.tick_at) and {{in:district:s.district_id}} and {{in:street:s.street}} and {{in:kind:s.kind}} and {{in:space:s.space_id}}
group by s.space_id, s.name, d.depth_m
order by 2 desc, 4, s.space_id
limit 100;
