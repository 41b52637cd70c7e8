-- Slots of a shared subscription. The database's clock tells who is silent.

-- name: claim_own_slot
insert into ingest_slot (share, slot, holder, beat_at) values (%(share)s, %(slot)s, %(holder)s, clock_timestamp())
on conflict (share, slot) do update set holder = excluded.holder, beat_at = excluded.beat_at, wanted_by = null
where ingest_slot.holder is null or ingest_slot.holder = excluded.holder
    or ingest_slot.beat_at < clock_timestamp() - make_interval(secs => %(silent_s)s)
returning slot;

-- name: want_slot
update ingest_slot set wanted_by = %(holder)s where share = %(share)s and slot = %(slot)s;

-- name: beat_slots
update ingest_slot set beat_at = clock_timestamp()
where share = %(share)s and holder = %(holder)s
returning slot, wanted_by is not null and wanted_by <> holder as is_wanted;

-- name: claim_silent_slot
update ingest_slot set holder = %(holder)s, beat_at = clock_timestamp(), wanted_by = null
where share = %(share)s and slot = (
    select slot from ingest_slot
    where share = %(share)s and beat_at < clock_timestamp() - make_interval(secs => %(silent_s)s)
    order by slot
    limit 1
    for update skip locked
)
returning slot;

-- name: release_slot
update ingest_slot set holder = null, beat_at = clock_timestamp()
where share = %(share)s and slot = %(slot)s and holder = %(holder)s;
