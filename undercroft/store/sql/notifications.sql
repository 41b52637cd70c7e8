-- What was sent to whom and what became of it, newest first.

-- name: notifications_list
select notification_id, key, cause, incident_id, reason, step, severity, person_id, also_for, channel, address, title, subjects, state,
    merged_into, attempts, failures, decided_at, queued_at, first_attempt_at, next_try_at, settled_at, receipt, error
from notification
where (%(incident_id)s::text is null or incident_id = %(incident_id)s)
    and (%(alarm)s::text is null or subjects @> array[%(alarm)s::text])
    and (%(person_id)s::text is null or person_id = %(person_id)s or %(person_id)s = any(also_for))
    and (%(channel)s::text is null or channel = %(channel)s)
    and (%(states)s::text[] is null or state = any(%(states)s::text[]))
    and (%(before)s::bigint is null or notification_id < %(before)s)
order by notification_id desc limit %(limit)s;

-- name: notifications_one
select notification_id, key, cause, incident_id, reason, step, severity, person_id, also_for, channel, address, title, body, subjects,
    state, merged_into, attempts, failures, doubtful, decided_at, queued_at, first_attempt_at, next_try_at, settled_at, receipt,
    error, (select coalesce(array_agg(m.notification_id order by m.notification_id), '{}') from notification m
        where m.merged_into = n.notification_id) as carries
from notification n where notification_id = %(notification_id)s;
