-- The canary device: a sensor of no place that matters, sent through the whole chain.
-- sensor | text |  | 哨兵 Canary
-- value | number |  | 值 Value
-- latency_s | number | s | 到库时延 To receipt
-- judged_s | number | s | 到研判时延 To judgement
-- age_s | number | s | 数据龄 Age
select n.sensor_key as sensor, o.value, extract(epoch from o.received_at - o.observed_at)::float8 as latency_s,
    extract(epoch from (
        select t.committed_at from grafana.tick t
        where t.up_to_commit_seq >= b.commit_seq and t.tick_at >= o.observed_at - interval '1 minute'
            and t.tick_at <= o.observed_at + interval '1 hour'
            and t.tick_at > to_timestamp($__unixEpochTo() - 86460) and t.tick_at <= to_timestamp($__unixEpochTo() + 3600)
        order by t.tick_at limit 1
    ) - o.observed_at)::float8 as judged_s,
    extract(epoch from to_timestamp($__unixEpochTo()) - o.observed_at)::float8 as age_s
from grafana.sensor n
left join lateral (
    select o.observed_at, o.value, o.received_at, o.batch_id from grafana.observation o
    where o.sensor_id = n.sensor_id and o.observed_at > to_timestamp($__unixEpochTo() - 86400) and o.observed_at <= to_timestamp($__unixEpochTo())
    order by o.observed_at desc limit 1
) o on true
left join grafana.batch b on b.batch_id = o.batch_id
where n.device_id like 'canary%' and n.quantity <> 'online'
order by n.sensor_id;
