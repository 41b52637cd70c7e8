-- Blind spaces at the end of the range, and what stands in for each; with rain they rank high. Never heard ones too.
-- name | text |  | 名称 Name
-- street | text |  | 街道 Street
-- level | number | level | 等级 Level
-- stand_in | text |  | 替代站 Stand-in
-- rain_60_mm | number | mm | 60 分钟雨量 Rain 60 min
-- age_s | number | s | 研判龄 Age
-- space_id | text |  | 编号 Id
select s.name, s.street, a.level::int as level,
    (select string_agg((n ->> 'name_zh') || ' ' || (n ->> 'name_en')
        || coalesce(': ' || round((n ->> 'depth_m')::numeric * 100) || ' cm', ': ' || (n ->> 'rain_10min_mm') || ' mm / 10 min'), '; ')
     from jsonb_array_elements(coalesce(a.evidence -> 'stand_ins', '[]'::jsonb)) n) as stand_in,
    (a.evidence -> 'rain_mm' ->> '60')::float8 as rain_60_mm,
    extract(epoch from to_timestamp($__unixEpochTo()) - a.tick_at)::float8 as age_s, s.space_id
from grafana.space_at(to_timestamp($__unixEpochTo())) s
left join lateral (
    select a.level, a.score, a.blind, a.reasons, a.evidence, a.tick_at from grafana.assessment a
    where a.space_id = s.space_id and a.tick_at > to_timestamp($__unixEpochTo() - 3600) and a.tick_at <= to_timestamp($__unixEpochTo())
    order by a.tick_seq desc limit 1
) a on true
where coalesce(a.blind, true) and {{chosen:s}}
order by 5 desc nulls last, s.space_id
limit 200;
