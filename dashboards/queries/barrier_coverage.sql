-- How many needed barriers are there, and closed, at the end of the range, by the engine's word: fresh switches, reports, confirmed orders.
-- needed | number | count | 应设 Needed
-- installed | number | count | 已设 Installed
-- deployed | number | count | 已关闭 Deployed
-- unknown | number | count | 不明 Unknown | blind
-- coverage | number | share | 设置率 Coverage | covered
-- oldest_age_s | number | s | 最旧研判龄 Oldest judgement
select count(*) as needed, count(e.barrier_height_m) as installed,
    count(*) filter (where e.barrier_height_m is not null and b.state = {{barrier_deployed}}) as deployed,
    count(*) filter (where e.barrier_height_m is not null and coalesce(b.state, {{barrier_unknown}}) = {{barrier_unknown}}) as unknown,
    count(e.barrier_height_m)::float8 / nullif(count(*), 0) as coverage,
    extract(epoch from to_timestamp($__unixEpochTo()) - min(a.tick_at))::float8 as oldest_age_s
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
where e.barrier_needed and {{chosen:s}};
