-- The roster.

-- name: roster_forget
delete from roster_shift where starts_at < %(ends_at)s and ends_at > %(starts_at)s;

-- name: roster_insert
insert into roster_shift (starts_at, ends_at, step, standing, person_id, name, phone, reach)
select * from unnest(
    %(starts_at)s::timestamptz[], %(ends_at)s::timestamptz[], %(step)s::smallint[], %(standing)s::text[],
    %(person_id)s::text[], %(name)s::text[], %(phone)s::text[], %(reach)s::jsonb[]);

-- name: roster_absent
insert into roster_absence (person_id, starts_at, ends_at, author)
values (%(person_id)s, %(starts_at)s, %(ends_at)s, %(author)s)
on conflict (person_id, starts_at) do update set ends_at = excluded.ends_at, author = excluded.author;

-- name: roster_people
select distinct person_id from roster_shift;

-- name: roster_handover
select at, author, body ->> 'to' as "to", body ->> 'text' as text from duty_log
where kind = 'handover' order by entry_no desc limit 1;

-- name: handover_quiet
select subject, severity, shelved_until, suppressed_by from alarm
where active and (shelved_until is not null or suppressed_by is not null) order by severity desc, subject;

-- name: handover_out_of_service
select subject, body ->> 'reason' as reason, acted_at + (body ->> 'minutes')::float8 * interval '1 minute' as until
from (
    select distinct on (subject) kind, subject, acted_at, body from act
    where kind in ('out_of_service', 'in_service') order by subject, commit_seq desc
) newest
where kind = 'out_of_service' and acted_at + (body ->> 'minutes')::float8 * interval '1 minute' > %(at)s order by subject;

-- name: handover_warnings
select subject, body ->> 'colour' as colour from (
    select distinct on (subject) subject, body from act where kind = 'rain_warning' order by subject, commit_seq desc
) newest where coalesce(body ->> 'state', 'in_force') <> 'ended' order by subject;
