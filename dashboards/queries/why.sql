-- Why a dashboard may be empty, in words.
-- state | text |  | 数据状态 State of the data
select case
    when not exists (select from grafana.space) then '未导入站点 · No site imported: undercroft site import'
    when not exists (select from grafana.batch) then '从未收到消息 · No message was ever received: is ingest running?'
    when not exists (select from grafana.batch where at > to_timestamp($__unixEpochTo() - 900) and at <= to_timestamp($__unixEpochTo()))
        then '所示时段末 15 分钟无消息 · No message in the last 15 min of the range: ingest, broker or network'
    when not exists (select from grafana.tick where tick_at > to_timestamp($__unixEpochTo() - 300) and tick_at <= to_timestamp($__unixEpochTo()))
        then '引擎 5 分钟无输出 · The engine said nothing in the last 5 min of the range'
    when (select mode from grafana.deployment) = 'exercise' then '演练数据 · Exercise data, not live'
    else '正常 · Data arrive and are judged'
end as state;
