-- How telling people goes: taken, refused and merged in the range, and what waited at its end.
-- taken | number | count | 已收下 Taken
-- refused | number | count | 被拒 Refused | amiss
-- merged | number | count | 合并 Merged
-- waiting | number | count | 待发 Waiting
-- channels_refusing | number | count | 故障通道 Channels at fault | grave
-- oldest_waiting_age_s | number | s | 最久待发 Longest wait
select count(*) filter (where state in ('accepted', 'handed_over')) as taken,
    count(*) filter (where state = 'failed') as refused,
    count(*) filter (where merged_into is not null) as merged,
    count(*) filter (where state in ('queued', 'sending')) as waiting,
    (
        select count(*) from grafana.condition_at(to_timestamp($__unixEpochTo())) where is_active and starts_with(name, 'channel-')) as channels_refusing,
    extract(epoch from to_timestamp($__unixEpochTo())
        - min(queued_at) filter (where state in ('queued', 'sending')))::float8 as oldest_waiting_age_s
from grafana.notification_at(to_timestamp($__unixEpochFrom()), to_timestamp($__unixEpochTo()));
