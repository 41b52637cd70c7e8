-- Every barrier at the end of the range; what is not known to be deployed counts as open.
-- space | text |  | 地下空间 Space
-- entrance | text |  | 出入口 Entrance
-- state | number | barrier | 状态 State
-- height_m | number | m | 挡水高 Height
-- deploy_min | number | min | 关闭需时 Minutes to deploy
-- quality | number | quality | 质量 Quality
-- age_s | number | s | 数据龄 Age
select s.name as space, e.name as entrance, coalesce(o.value, 6)::int as state, e.barrier_height_m as height_m,
    e.barrier_deploy_min as deploy_min, o.quality::int as quality, extract(epoch from to_timestamp($__unixEpochTo()) - o.observed_at)::float8 as age_s
from grafana.entrance e
join grafana.space s on s.space_id = e.space_id
left join grafana.sensor n on n.place_id = e.space_id and n.entrance_id = e.entrance_id and n.quantity = 'barrier_state'
left join lateral (
    select o.observed_at, o.value, o.quality from grafana.observation o
    where o.sensor_id = n.sensor_id and o.observed_at > to_timestamp($__unixEpochTo() - 86400) and o.observed_at <= to_timestamp($__unixEpochTo())
    order by o.observed_at desc limit 1
) o on true
where e.barrier_needed and e.barrier_height_m is not null and {{in:district:s.district_id}} and {{in:street:s.street}} and {{in:kind:s.kind}} and {{in:space:s.space_id}}
order by (coalesce(o.value, 6) = 3), s.space_id, e.entrance_id;
