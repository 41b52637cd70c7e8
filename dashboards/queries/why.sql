-- Why a dashboard may be empty, as a code; its words are in `dashboards.house`. A live database keeps its counts of messages some weeks: where the range
-- ends before them the engine's own word has to do.
-- state | number | why | 数据状态 State of the data
with told as (
    select exists (select from grafana.tick where tick_at > to_timestamp($__unixEpochTo() - 300) and tick_at <= to_timestamp($__unixEpochTo())) as is_judged,
        (select mode from grafana.deployment) as mode, (select min(at) from grafana.batch) as counted_from
)
select case
    when not exists (select from grafana.space) then 5
    when counted_from is null then 4
    when to_timestamp($__unixEpochTo()) < counted_from and mode = 'live' then case
        when is_judged then 6
        when exists (
            select from grafana.known_sensor n cross join lateral (
                select from grafana.observation o
                where o.sensor_id = n.sensor_id and o.observed_at > to_timestamp($__unixEpochTo() - 900) and o.observed_at <= to_timestamp($__unixEpochTo())
                limit 1
            ) o
        ) then 2
        else 3 end
    when not exists (select from grafana.batch where at > to_timestamp($__unixEpochTo() - 900) and at <= to_timestamp($__unixEpochTo())) then 3
    when not is_judged then 2
    when mode = 'exercise' then 1
    else 0
end as state
from told;
