-- The roster.

-- name: roster_forget
-- A shift gives way for the time that a given one of its step and standing takes, and stays before and after it.
with given as (
    select step, standing, range_agg(tstzrange(starts_at, ends_at)) as taken
    from unnest(%(starts_at)s::timestamptz[], %(ends_at)s::timestamptz[], %(step)s::smallint[], %(standing)s::text[])
        as entry (starts_at, ends_at, step, standing)
    group by step, standing
), gone as (
    delete from roster_shift s using given g
    where s.step = g.step and s.standing = g.standing and tstzrange(s.starts_at, s.ends_at) && g.taken
    returning s.*, g.taken
)
insert into roster_shift (starts_at, ends_at, step, standing, person_id, name, phone, reach)
select lower(left_over), upper(left_over), step, standing, person_id, name, phone, reach
from gone, unnest(tstzmultirange(tstzrange(starts_at, ends_at)) - taken) as left_over;

-- name: roster_insert
insert into roster_shift (starts_at, ends_at, step, standing, person_id, name, phone, reach)
select * from unnest(
    %(starts_at)s::timestamptz[], %(ends_at)s::timestamptz[], %(step)s::smallint[], %(standing)s::text[],
    %(person_id)s::text[], %(name)s::text[], %(phone)s::text[], %(reach)s::jsonb[]);

-- name: roster_absent
insert into roster_absence (person_id, starts_at, ends_at, author)
values (%(person_id)s, %(starts_at)s, %(ends_at)s, %(author)s)
on conflict (person_id, starts_at) do update set
    ends_at = excluded.ends_at, author = excluded.author, taken_back_at = null, taken_back_by = null;

-- name: roster_absences_of
select starts_at, ends_at from roster_absence
where person_id = %(person_id)s and ends_at > %(at)s and taken_back_at is null order by starts_at for update;

-- name: roster_take_back
update roster_absence set taken_back_at = %(at)s, taken_back_by = %(author)s
where person_id = %(person_id)s and starts_at = %(starts_at)s;

-- name: roster_people
select distinct person_id from roster_shift;

-- name: roster_handover
select at, author, body ->> 'to' as "to", body ->> 'text' as text from duty_log
where kind = 'handover' order by entry_no desc limit 1;

-- name: handover_quiet
select subject, severity, shelved_until, suppressed_by from alarm
where active and (shelved_until is not null or suppressed_by is not null) order by severity desc, subject;

-- name: out_of_service_now
-- Of the devices of one place, or of all.
select subject, split_part(subject, '/', 2) as device_id, body ->> 'reason' as reason,
    acted_at + (body ->> 'minutes')::float8 * interval '1 minute' as until
from (
    select distinct on (subject) kind, subject, acted_at, body from act
    where kind in ('out_of_service', 'in_service')
        and (%(place)s::text is null or subject in (select 'device/' || device_id from device where place_id = %(place)s))
    order by subject, commit_seq desc
) newest
where kind = 'out_of_service' and acted_at + (body ->> 'minutes')::float8 * interval '1 minute' > %(at)s order by subject;

-- name: handover_warnings
select subject, body ->> 'colour' as colour from (
    select distinct on (subject) subject, body from act where kind = 'rain_warning' order by subject, commit_seq desc
) newest where coalesce(body ->> 'state', 'in_force') <> 'ended' order by subject;

-- name: roster_gap
-- When a step has nobody of its own first, in a stretch of time; absences and deputies counted. As `duty.roster` has it: needed
-- are 0, 1 and every step of the week before and the stretch; who stands at a lower step too is no further person.
with needed as (
    select generate_series(0, 1) as step
    union select step from roster_shift
    where ends_at > %(starts_at)s::timestamptz - interval '7 days' and starts_at < %(ends_at)s
), edge as (
    select %(starts_at)s::timestamptz as at
    union select unnest(array[starts_at, ends_at]) from roster_shift
    union select unnest(array[starts_at, ends_at]) from roster_absence
), held as (
    select distinct on (e.at, s.step) e.at, s.step, s.person_id
    from edge e join roster_shift s on s.starts_at <= e.at and s.ends_at > e.at
    where e.at >= %(starts_at)s and e.at < %(ends_at)s and not exists (
        select from roster_absence a where a.person_id = s.person_id and a.starts_at <= e.at and a.ends_at > e.at
            and a.taken_back_at is null)
    order by e.at, s.step, s.standing desc, s.starts_at, s.person_id
)
select e.at as gap_at, n.step from edge e cross join needed n
where e.at >= %(starts_at)s and e.at < %(ends_at)s and not exists (
    select from held h where h.at = e.at and h.step = n.step and not exists (
        select from held lower_one
        where lower_one.at = h.at and lower_one.step < h.step and lower_one.person_id = h.person_id))
order by 1, 2 limit 1;

-- name: roster_channels
select s.person_id, array_agg(distinct r.reach ->> 'channel') as channels
from roster_shift s cross join jsonb_array_elements(s.reach) as r (reach)
where s.ends_at > %(starts_at)s and s.starts_at < %(ends_at)s group by s.person_id;
