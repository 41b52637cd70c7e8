-- Why a dashboard may be empty, as a code; its words are in `dashboards.house`.
-- state | number | why | 数据状态 State of the data
select case
    when not exists (select from grafana.space) then 5
    when not exists (select from grafana.batch) then 4
    when not exists (select from grafana.batch where at > to_timestamp($__unixEpochTo() - 900) and at <= to_timestamp($__unixEpochTo())) then 3
    when not exists (select from grafana.tick where tick_at > to_timestamp($__unixEpochTo() - 300) and tick_at <= to_timestamp($__unixEpochTo())) then 2
    when (select mode from grafana.deployment) = 'exercise' then 1
    else 0
end as state;
