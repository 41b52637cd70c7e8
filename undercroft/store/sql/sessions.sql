-- name: take_session
insert into ingest_session as known (session, taken) values (%(session)s, 1)
on conflict (session) do update set taken = known.taken + 1
returning taken;

-- name: hold_session
-- Nobody takes the session before the end of this transaction.
select taken from ingest_session where session = %(session)s and taken = %(taken)s for share;

-- name: forget_deliveries
-- All but those under some packet identifiers.
with states as (
    delete from device_state_delivery where session = %(session)s and mid <> all(%(but)s::integer[])
)
delete from message_receipt where session = %(session)s and mid <> all(%(but)s::integer[]);
