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
), inside as materialized (
    select sensor_id, place_id, since, until,
        since > to_timestamp($__unixEpochFrom()) or until <= to_timestamp($__unixEpochTo()) as is_moved
    from grafana.sensor_place
    where quantity = 'water_depth_m' and entrance_id is null
        and since <= to_timestamp($__unixEpochTo()) and until > to_timestamp($__unixEpochFrom())
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
    select place_id, max(depth_m) as depth_m
    from (
        select n.place_id, d.max_value as depth_m from inside n join deepest d on d.sensor_id = n.sensor_id where not n.is_moved
        union all -- of one that was moved meanwhile what it said there
        select n.place_id, r.max_value from inside n
        join grafana.rollup_10m r on r.sensor_id = n.sensor_id and r.bucket >= n.since and r.bucket <= n.until - interval '10 minutes'
        where n.is_moved and $__timeFilter(r.bucket)
        union all
        select n.place_id, b.value from inside n
        cross join lateral grafana.beside_moves(n.sensor_id, n.since, n.until, interval '10 minutes',
            to_timestamp($__unixEpochFrom()), to_timestamp($__unixEpochTo())) b
        where n.is_moved
    ) told group by 1
) d on d.place_id = s.space_id
where {{chosen:s}}
order by 2 desc, 4, s.space_id
limit 100;
