-- Every barrier at the end of the range by the engine's word, and what its switch said last; what is not known to be deployed counts as open.
-- space | text |  | 地下空间 Space
-- entrance | text |  | 出入口 Entrance
-- state | number | barrier | 状态 State
-- judged_age_s | number | s | 研判龄 Judged
-- height_m | number | m | 挡水高 Height
-- deploy_min | number | min | 关闭需时 Minutes to deploy
-- switch | number | barrier | 开关所示 Switch said
-- quality | number | quality | 质量 Quality
-- age_s | number | s | 开关数据龄 Switch's age
with barrier as (
    select *, coalesce(array_position({{barrier_words}}, b.barrier) - 1, {{barrier_unknown}}) as state
    from grafana.barrier_at(to_timestamp($__unixEpochTo() - 3600), to_timestamp($__unixEpochTo())) b
    where b.height_m is not null and {{chosen:b}}
)
select b.name as space, b.entrance, b.state,
    extract(epoch from to_timestamp($__unixEpochTo()) - b.judged_at)::float8 as judged_age_s, b.height_m, b.deploy_min,
    o.value::int as switch, o.quality::int as quality,
    extract(epoch from to_timestamp($__unixEpochTo()) - o.observed_at)::float8 as age_s
from barrier b
left join grafana.sensor_place n on n.place_id = b.space_id and n.entrance_id = b.entrance_id and n.quantity = 'barrier_state'
    and n.since <= to_timestamp($__unixEpochTo()) and n.until > to_timestamp($__unixEpochTo())
left join lateral (
    select o.observed_at, o.value, o.quality from grafana.observation o
    where o.sensor_id = n.sensor_id and o.observed_at >= n.since and o.observed_at > to_timestamp($__unixEpochTo() - 86400) and o.observed_at <= to_timestamp($__unixEpochTo())
    order by o.observed_at desc limit 1
) o on true
order by (b.state = {{barrier_deployed}}), b.space_id, b.entrance_id, n.sensor_id;
