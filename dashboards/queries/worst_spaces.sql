-- The worst spaces at the end of the range.
-- name | text |  | 名称 Name
-- street | text |  | 街道 Street
-- level | number | level | 等级 Level
-- blind | number | yesno | 盲区 Blind
-- score | number | score | 优先分 Score
-- freeboard_m | number | m | 最小超高 Least freeboard
-- to_orange_min | number | min | 距橙色 To orange
-- to_red_min | number | min | 距红色 To red
-- rain_60_mm | number | mm | 60 分钟雨量 Rain 60 min
-- reason | text |  | 原因 Reason
-- age_s | number | s | 研判龄 Age
-- space_id | text |  | 编号 Id
select s.name, s.street, a.level::int as level, case when a.blind is false then 0 else 1 end as blind, a.score,
    (select min((e ->> 'freeboard_m')::float8) from jsonb_array_elements(a.evidence -> 'entrances') e) as freeboard_m,
    (a.evidence ->> 'time_to_orange_min')::float8 as to_orange_min,
    (a.evidence ->> 'time_to_red_min')::float8 as to_red_min,
    (a.evidence -> 'rain_mm' ->> '60')::float8 as rain_60_mm,
    coalesce(a.reasons -> 0 ->> 'text_zh', '') || ' ' || coalesce(a.reasons -> 0 ->> 'text_en', '') as reason,
    extract(epoch from to_timestamp($__unixEpochTo()) - a.tick_at)::float8 as age_s, s.space_id
from grafana.space_at(to_timestamp($__unixEpochTo())) s
left join lateral (
    select a.level, a.score, a.blind, a.reasons, a.evidence, a.tick_at from grafana.assessment a
    where a.space_id = s.space_id and a.tick_at > to_timestamp($__unixEpochTo() - 3600) and a.tick_at <= to_timestamp($__unixEpochTo())
    order by a.tick_seq desc limit 1
) a on true
where {{chosen:s}}
order by a.level desc nulls last, a.score desc nulls last, s.space_id
limit 25;
