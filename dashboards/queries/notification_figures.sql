-- How telling people goes: taken, refused and merged in the range, of how many incidents the roster was told that a red was taken and
-- nothing ordered, or that orders are not carried out, and what waited at its end.
-- taken | number | count | 已收下 Taken
-- refused | number | count | 被拒 Refused | amiss
-- merged | number | count | 合并 Merged
-- waiting | number | count | 待发 Waiting
-- channels_refusing | number | count | 故障通道 Channels at fault | grave
-- no_order | number | count | 未下令事件 Taken, nothing ordered | amiss
-- order_undone | number | count | 指令未落实事件 Orders not carried out | amiss
-- oldest_waiting_age_s | number | s | 最久待发 Longest wait | amiss
select count(*) filter (where state in ('accepted', 'handed_over')) as taken,
    count(*) filter (where state = 'failed') as refused,
    count(*) filter (where merged_into is not null) as merged,
    count(*) filter (where state in ('queued', 'sending')) as waiting,
    (
        select count(*) from grafana.condition_at(to_timestamp($__unixEpochTo())) where is_active and starts_with(name, 'channel-')) as channels_refusing,
    count(distinct incident_id) filter (where reason = 'no_order') as no_order,
    count(distinct incident_id) filter (where reason = 'order_undone') as order_undone,
    extract(epoch from to_timestamp($__unixEpochTo())
        - min(queued_at) filter (where state in ('queued', 'sending')))::float8 as oldest_waiting_age_s
from grafana.notification_at(to_timestamp($__unixEpochFrom()), to_timestamp($__unixEpochTo()));
