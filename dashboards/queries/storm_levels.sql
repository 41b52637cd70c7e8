-- Safety level of each space over the storm, the worst thirty. A judgement holds until the next one, ten minutes at most; then it is not
-- judged (-2), and never calm. Normal and blind is blind (-1).
-- time | time |  | 时间 Time
-- metric | text |  | 地下空间 Space
-- value | number | judged | 等级 Level
with judged as materialized (
    select space_id, tick_at, level, score, blind, lead(tick_at) over (partition by space_id order by tick_at) as next_at
    from grafana.assessment where $__timeFilter(tick_at)
), worst as (
    select s.space_id, s.name from grafana.space_at(to_timestamp($__unixEpochTo())) s
    join (select space_id, max(level) as peak, max(score) as score from judged group by 1) p on p.space_id = s.space_id
    where {{chosen:s}}
    order by p.peak desc, p.score desc, s.space_id limit 30
)
select told.time, w.name as metric, told.value
from worst w
join judged a on a.space_id = w.space_id
cross join lateral (values
    (a.tick_at, case when a.blind and a.level = 0 then -1 else a.level end::float8), (a.tick_at + interval '10 minutes', -2::float8)
) as told (time, value)
where told.value > -2 or told.time < coalesce(a.next_at, to_timestamp($__unixEpochTo()))
order by 1, 2, 3;
