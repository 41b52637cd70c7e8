-- Spaces at yellow or worse over time. A judgement holds until the next one, ten minutes at most.
-- time | time |  | 时间 Time
-- metric | text |  | 等级 Level
-- value | number | count | 个数 Spaces
with scale as (
    select $__unixEpochFrom()::float8 as from_s, greatest(60, ($__unixEpochTo() - $__unixEpochFrom()) / 60)::float8 as step_s
), chosen as (
    select s.space_id, row_number() over () as n from grafana.space_at(to_timestamp($__unixEpochTo())) s
    where {{chosen:s}}
), judged as (
    select a.level, a.tick_at, lead(a.tick_at) over (partition by s.n order by a.tick_at) as next_at
    from grafana.assessment a
    join chosen s on s.space_id = a.space_id
    where a.tick_at > to_timestamp($__unixEpochFrom() - 600) and a.tick_at <= to_timestamp($__unixEpochTo())
), held as (
    select level, greatest(0, ceil((date_part('epoch', tick_at) - from_s) / step_s))::int as first_step,
        ceil((least(date_part('epoch', next_at), date_part('epoch', tick_at) + 600) - from_s) / step_s)::int as past_step,
        count(*) as spaces
    from judged cross join scale
    where level >= 2
    group by 1, 2, 3
), changed as (
    select held.level, at.step, sum(at.change) as change
    from held cross join lateral (values (first_step, spaces), (past_step, -spaces)) as at (step, change)
    where past_step > first_step
    group by 1, 2
)
select to_timestamp(scale.from_s + step * scale.step_s) as time, level.name as metric,
    (sum(coalesce(c.change, 0)) over (partition by level.level order by step))::float8 as value
from scale
cross join lateral generate_series(0, floor(($__unixEpochTo() - from_s) / step_s)::int) as step
cross join (values (2, '▲ 黄 Yellow'), (3, '★ 橙 Orange'), (4, '✚ 红 Red')) as level (level, name)
left join changed c using (level, step)
order by step, level.level;
