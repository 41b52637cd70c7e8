-- The canary's readings on their way through the chain.

-- name: canary_newest_judged
-- Its newest reading up to now that is committed and that a tick has covered: when it was sent, stored and judged.
select o.observed_at as sent_at, b.committed_at as stored_at, t.committed_at as judged_at
from sensor n
cross join lateral (
    select observed_at, batch_id from observation o
    where o.sensor_id = n.sensor_id and o.observed_at <= %(now)s::timestamptz + interval '1 minute' order by o.observed_at desc limit 20
) o
join batch b on b.batch_id = o.batch_id
cross join lateral (
    -- By time and within an hour: in the order of its number the planner may walk through every tick there ever was.
    select committed_at from tick
    where up_to_commit_seq >= b.commit_seq
        and tick_at between o.observed_at - interval '1 minute' and o.observed_at + interval '1 hour'
    order by tick_at limit 1
) t
where starts_with(n.device_id, 'canary') and n.quantity <> 'online'
order by o.observed_at desc limit 1;
