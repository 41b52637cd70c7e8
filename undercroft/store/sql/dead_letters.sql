-- name: list_dead_letters
with wanted as materialized (
    select dead_letter_id, last_received_at from dead_letter
    where (%(reason)s::text is null or reason = %(reason)s)
        and (%(device_id)s::text is null or device_id = %(device_id)s
            or %(device_id)s = any(named_devices) or position('/' || %(device_id)s || '/' in topic) > 0)
        and (%(since)s::timestamptz is null or last_received_at >= %(since)s)
        and (%(until)s::timestamptz is null or first_received_at < %(until)s)
        and (%(state)s::text is null or state = %(state)s)
), newest as (
    select dead_letter_id from wanted order by last_received_at desc, dead_letter_id desc limit %(most)s
)
select
    dead_letter_id, topic, reason, detail, device_id, named_devices, payload_bytes, times_seen, said_us, batch_id, place, state,
    settled_at, settled_by, first_received_at, last_received_at, (select count(*) from wanted) as in_all
from newest join dead_letter using (dead_letter_id)
order by last_received_at desc, dead_letter_id desc;

-- name: fetch_dead_letter
select * from dead_letter where dead_letter_id = %(dead_letter_id)s;

-- name: lock_dead_letter
select * from dead_letter where dead_letter_id = %(dead_letter_id)s for update;

-- name: settle_dead_letter
update dead_letter
set state = %(state)s, settled_at = clock_timestamp(), settled_by = %(settled_by)s
where dead_letter_id = %(dead_letter_id)s and state = 'open';
