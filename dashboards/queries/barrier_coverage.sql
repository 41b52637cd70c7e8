-- How many needed barriers are there, and closed, at the end of the range.
-- needed | number | count | 应设 Needed
-- installed | number | count | 已设 Installed
-- deployed | number | count | 已关闭 Deployed
-- unknown | number | count | 不明 Unknown
-- coverage | number | share | 设置率 Coverage
-- oldest_age_s | number | s | 最旧数据龄 Oldest
select count(*) as needed, count(e.barrier_height_m) as installed, count(*) filter (where o.value = 3) as deployed,
    count(*) filter (where e.barrier_height_m is not null and coalesce(o.value, 6) = 6) as unknown,
    count(e.barrier_height_m)::float8 / nullif(count(*), 0) as coverage,
    extract(epoch from to_timestamp($__unixEpochTo()) - min(o.observed_at))::float8 as oldest_age_s
from grafana.entrance e
join grafana.space s on s.space_id = e.space_id
left join grafana.sensor n on n.place_id = e.space_id and n.entrance_id = e.entrance_id and n.quantity = 'barrier_state'
left join lateral (
    select o.observed_at, o.value, o.quality from grafana.observation o
    where o.sensor_id = n.sensor_id and o.observed_at > to_timestamp($__unixEpochTo() - 86400) and o.observed_at <= to_timestamp($__unixEpochTo())
    order by o.observed_at desc limit 1
) o on true
where e.barrier_needed and {{in:district:s.district_id}} and {{in:street:s.street}} and {{in:kind:s.kind}} and {{in:space:s.space_id}};
