-- Spaces of one shape on the map: a level, or blind (-1) where nothing is known.
-- name | text |  | 名称 Name
-- lat | number | deg | 纬度 Latitude
-- lon | number | deg | 经度 Longitude
-- level | number | level | 等级 Level
-- score | number | score | 优先分 Score
-- reason | text |  | 原因 Reason
-- age_s | number | s | 研判龄 Age
-- space_id | text |  | 编号 Id
select s.name, s.lat, s.lon, case when coalesce(a.blind, true) and coalesce(a.level, 0) = 0 then -1 else a.level end::int as level,
    a.score, coalesce(a.reasons -> 0 ->> 'text_zh', '') || ' ' || coalesce(a.reasons -> 0 ->> 'text_en', '') as reason,
    extract(epoch from to_timestamp($__unixEpochTo()) - a.tick_at)::float8 as age_s, s.space_id
from grafana.space_at(to_timestamp($__unixEpochTo())) s
left join lateral (
    select a.level, a.score, a.blind, a.reasons, a.evidence, a.tick_at from grafana.assessment a
    where a.space_id = s.space_id and a.tick_at > to_timestamp($__unixEpochTo() - 3600) and a.tick_at <= to_timestamp($__unixEpochTo())
    order by a.tick_seq desc limit 1
) a on true
where case when coalesce(a.blind, true) and coalesce(a.level, 0) = 0 then -1 else a.level end = {{shape}}
    and {{chosen:s}}
order by s.space_id;
