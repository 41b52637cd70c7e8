-- Spaces at yellow or worse over time, by ticks of five minutes.
-- time | time |  | 时间 Time
-- metric | text |  | 等级 Level
-- value | number | count | 个数 Spaces
with steps as (
    select step from generate_series(to_timestamp($__unixEpochFrom()), to_timestamp($__unixEpochTo()),
        greatest(interval '1 minute', ($__unixEpochTo() - $__unixEpochFrom()) / 60 * interval '1 second')) as step
), changes as (
    select a.space_id, a.tick_at, a.level,
        lead(a.tick_at) over (partition by a.space_id order by a.tick_seq) as next_at
    from grafana.assessment a
    join grafana.space s on s.space_id = a.space_id
    where a.tick_at > to_timestamp($__unixEpochFrom() - 600) and a.tick_at <= to_timestamp($__unixEpochTo()) and {{in:district:s.district_id}} and {{in:street:s.street}} and {{in:kind:s.kind}} and {{in:space:s.space_id}}
)
select steps.step as time, level.name as metric, count(c.space_id)::float8 as value
from steps
cross join (values (2, '▲ 黄 Yellow'), (3, '★ 橙 Orange'), (4, '✚ 红 Red')) as level (level, name)
left join changes c on c.level = level.level and c.tick_at <= steps.step and steps.step < coalesce(c.next_at, c.tick_at + interval '10 minutes')
group by 1, level.level, 2
order by 1, level.level;
