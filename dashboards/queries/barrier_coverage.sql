-- How many needed barriers are there, and closed, at the end of the range, by the engine's word: fresh switches, reports, confirmed orders.
-- needed | number | count | 应设 Needed
-- installed | number | count | 已设 Installed
-- deployed | number | count | 已关闭 Deployed
-- unknown | number | count | 不明 Unknown | blind
-- coverage | number | share | 设置率 Coverage | covered
-- oldest_age_s | number | s | 最旧研判龄 Oldest judgement
with barrier as (
    select b.height_m, b.judged_at, coalesce(array_position({{barrier_words}}, b.barrier) - 1, {{barrier_unknown}}) as state
    from grafana.barrier_at(to_timestamp($__unixEpochTo() - 3600), to_timestamp($__unixEpochTo())) b
    where {{chosen:b}}
)
select count(*) as needed, count(height_m) as installed,
    count(*) filter (where height_m is not null and state = {{barrier_deployed}}) as deployed,
    count(*) filter (where height_m is not null and state = {{barrier_unknown}}) as unknown,
    count(height_m)::float8 / nullif(count(*), 0) as coverage,
    extract(epoch from to_timestamp($__unixEpochTo()) - min(judged_at))::float8 as oldest_age_s
from barrier;
