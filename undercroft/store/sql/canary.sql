-- The canary's readings on their way through the chain.

-- name: canary_newest_judged
-- Its newest reading that is committed and that a tick has covered: when it was sent, stored and judged.
select o.observed_at as sent_at, b.committed_at as stored_at, t.committed_at as judged_at
from sensor n
cross join lateral (
    select observed_at, batch_id from observation o
    where o.sensor_id = n.sensor_id and o.observed_at > %(since)s order by o.observed_at desc limit 20
) o
join batch b on b.batch_id = o.batch_id
cross join lateral (
    select committed_at from tick where up_to_commit_seq >= b.commit_seq and tick_at >= o.observed_at - interval '1 minute'
    order by tick_seq limit 1
) t
where n.device_id like 'canary%%' and n.quantity <> 'online'
order by o.observed_at desc limit 1;
