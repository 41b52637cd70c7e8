-- Safety level of each space over the storm, the worst thirty.
-- time | time |  | 时间 Time
-- metric | text |  | 地下空间 Space
-- value | number | level | 等级 Level
with judged as materialized (
    select space_id, tick_at, level, score from grafana.assessment where $__timeFilter(tick_at)
), worst as (
    select s.space_id, s.name from grafana.space_at(to_timestamp($__unixEpochTo())) s
    join (select space_id, max(level) as peak, max(score) as score from judged group by 1) p on p.space_id = s.space_id
    where {{chosen:s}}
    order by p.peak desc, p.score desc, s.space_id limit 30
)
select a.tick_at as time, w.name as metric, a.level::float8 as value
from worst w
join judged a on a.space_id = w.space_id
order by 1, 2, 3;
