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
