-- Holds: what retention must keep, whatever its class says. The margin of an incident stands in undercroft_margin().

-- name: place_hold
insert into incident_hold (held_from, held_to, reason, author, placed_at, incident_id)
values (%(held_from)s, %(held_to)s, %(reason)s, %(author)s, %(placed_at)s, %(incident_id)s) returning hold_id;

-- name: held_incident
select opened_at - undercroft_margin() as held_from from incident where incident_id = %(incident_id)s;

-- name: release_holds
update incident_hold set released_at = %(at)s, released_by = %(author)s
where released_at is null and (hold_id = %(hold_id)s or incident_id = %(incident_id)s) returning hold_id;

-- name: list_holds
select h.hold_id, h.incident_id, h.held_from, coalesce(h.held_to, i.closed_at + undercroft_margin()) as held_to,
    h.reason, h.author, h.placed_at, h.released_at, h.released_by
from incident_hold h left join incident i using (incident_id)
where h.released_at is null or %(all)s
union all
select null, incident_id, held_from, held_until, 'open', '', held_from + undercroft_margin(), null, null
from undercroft_open_holds() where held_until > %(now)s
order by held_from, hold_id nulls first;

-- name: hold_database
update deployment set held_at = %(now)s;

-- name: held_since
select held_at from deployment;

-- name: release_database
update deployment set held_at = null;

-- name: count_waiting_messages
select count(*) as waiting from notification where state in ('queued', 'sending');

-- name: forget_waiting_messages
update notification set state = 'held', settled_at = %(now)s, error = 'of before the backup: forgotten when it was released'
where state in ('queued', 'sending');
