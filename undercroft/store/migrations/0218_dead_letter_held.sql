-- How much the open dead letters hold, counted as they come and go: a cap by bytes cannot look at each of them. Changes are
-- added, never updated, so that no writer waits for another; who finds many of them folds them into one.

create table dead_letter_held (
    change_id bigint generated always as identity primary key,
    letters bigint not null,
    bytes bigint not null
);
comment on table dead_letter_held is 'Open dead letters and their bytes: the sum of all rows.';
comment on column dead_letter_held.bytes is 'Of payload, topic, detail and names, as they were received; compression and indexes are not counted.';

create function undercroft_letter_bytes(payload bytea, topic text, detail text, named_devices text[]) returns bigint
    language sql immutable parallel safe
    return octet_length(payload) + octet_length(topic) + octet_length(detail)
        + (select coalesce(sum(octet_length(name)), 0) from unnest(named_devices) name)::bigint;

create function undercroft_hold_letters() returns trigger
    language plpgsql security definer set search_path = public, pg_temp as $$
begin
    if tg_op = 'TRUNCATE' then
        delete from dead_letter_held;
    elsif tg_op = 'INSERT' then
        insert into dead_letter_held (letters, bytes)
        select count(*), sum(undercroft_letter_bytes(payload, topic, detail, named_devices))
        from come where state = 'open' having count(*) > 0;
    elsif tg_op = 'DELETE' then
        insert into dead_letter_held (letters, bytes)
        select -count(*), -sum(undercroft_letter_bytes(payload, topic, detail, named_devices))
        from gone where state = 'open' having count(*) > 0;
    else
        insert into dead_letter_held (letters, bytes)
        select sum(way), sum(way * undercroft_letter_bytes(payload, topic, detail, named_devices))
        from (
            select 1 as way, payload, topic, detail, named_devices from come where state = 'open'
            union all
            select -1, payload, topic, detail, named_devices from gone where state = 'open'
        ) changed
        having sum(way) <> 0;
    end if;
    return null;
end
$$;
create trigger held_inserted after insert on dead_letter referencing new table as come
    for each statement execute function undercroft_hold_letters();
create trigger held_updated after update on dead_letter referencing old table as gone new table as come
    for each statement execute function undercroft_hold_letters();
create trigger held_deleted after delete on dead_letter referencing old table as gone
    for each statement execute function undercroft_hold_letters();
create trigger held_truncated after truncate on dead_letter for each statement execute function undercroft_hold_letters();

insert into dead_letter_held (letters, bytes)
select count(*), sum(undercroft_letter_bytes(payload, topic, detail, named_devices))
from dead_letter where state = 'open' having count(*) > 0;
