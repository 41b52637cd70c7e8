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
select s.name as space, e.name as entrance, coalesce(b.state, {{barrier_unknown}})::int as state,
    extract(epoch from to_timestamp($__unixEpochTo()) - a.tick_at)::float8 as judged_age_s, e.barrier_height_m as height_m,
    e.barrier_deploy_min as deploy_min, o.value::int as switch, o.quality::int as quality,
    extract(epoch from to_timestamp($__unixEpochTo()) - o.observed_at)::float8 as age_s
from grafana.entrance e
join grafana.space s on s.space_id = e.space_id
left join lateral (
    select a.evidence, a.tick_at from grafana.assessment a
    where a.space_id = s.space_id and a.tick_at > to_timestamp($__unixEpochTo() - 3600) and a.tick_at <= to_timestamp($__unixEpochTo())
    order by a.tick_seq desc limit 1
) a on true
left join lateral (
    select array_position({{barrier_words}}, j ->> 'barrier') - 1 as state
    from jsonb_array_elements(a.evidence -> 'entrances') j where j ->> 'entrance' = e.entrance_id limit 1
) b on true
left join grafana.sensor n on n.place_id = e.space_id and n.entrance_id = e.entrance_id and n.quantity = 'barrier_state'
left join lateral (
    select o.observed_at, o.value, o.quality from grafana.observation o
    where o.sensor_id = n.sensor_id and o.observed_at > to_timestamp($__unixEpochTo() - 86400) and o.observed_at <= to_timestamp($__unixEpochTo())
    order by o.observed_at desc limit 1
) o on true
where e.barrier_needed and e.barrier_height_m is not null and {{chosen:s}}
order by (coalesce(b.state, {{barrier_unknown}}) = {{barrier_deployed}}), s.space_id, e.entrance_id, n.sensor_id;
