-- Until when an order still has the barriers of a space up before orange and before red, at the end of the range, the most urgent first. Minutes left
-- are counted from there; where there are none the state says why. What was judged or foreseen over ten minutes ago is unknown.
-- name | text |  | 名称 Name
-- orange | number | deadline | ★ 橙色前 Before orange
-- orange_left_min | number | min | ★ 剩余 Left
-- red | number | deadline | ✚ 红色前 Before red
-- red_left_min | number | min | ✚ 剩余 Left
-- made_age_s | number | s | 预报龄 Nowcast made
-- judged_age_s | number | s | 研判龄 Judged
-- space_id | text |  | 编号 Id
with told as (
    select s.name, s.space_id, d.target, d.made_at, d.tick_at,
        case when d.due_at is not null then greatest(extract(epoch from d.due_at - to_timestamp($__unixEpochTo()))::float8 / 60, 0) end as left_min,
        array_position({{deadline_words}}, case
            when d.tick_at is null or least(d.tick_at, d.made_at) <= to_timestamp($__unixEpochTo() - 600) then 'unknown'
            when d.due_at <= to_timestamp($__unixEpochTo()) then 'now' else d.state end) - 1 as state
    from grafana.space_at(to_timestamp($__unixEpochTo())) s
    left join lateral ( -- both of the newest judgement
        select d.target, d.made_at, d.tick_at, d.due_at, d.state from grafana.barrier_deadline d
        where d.space_id = s.space_id and d.tick_at > to_timestamp($__unixEpochTo() - 3600) and d.tick_at <= to_timestamp($__unixEpochTo())
        order by d.tick_seq desc limit 2
    ) d on true
    where {{chosen:s}}
), spaces as (
    select name, space_id, min(state) as state, min(made_at) as made_at, min(tick_at) as tick_at,
        coalesce(min(state) filter (where target = 'orange'), {{deadline_unknown}}) as orange,
        coalesce(min(state) filter (where target = 'red'), {{deadline_unknown}}) as red,
        min(left_min) filter (where target = 'orange' and state < 2) as orange_left_min,
        min(left_min) filter (where target = 'red' and state < 2) as red_left_min
    from told group by name, space_id
)
select name, orange, orange_left_min, red, red_left_min,
    extract(epoch from to_timestamp($__unixEpochTo()) - made_at)::float8 as made_age_s,
    extract(epoch from to_timestamp($__unixEpochTo()) - tick_at)::float8 as judged_age_s, space_id
from spaces
order by state, least(orange_left_min, red_left_min), space_id
limit 100;
