-- Where a sensor stood before an import moved it or took it away, so that what it said there is drawn there. By the time of observation: an import
-- counts from its time on, in an exercise from the first batch that came after it.

create table sensor_past_place (
    sensor_id integer not null references sensor,
    until_seq bigint not null,
    since_seq bigint,
    place_id text not null references place,
    entrance_id text,
    zero_level_m double precision,
    primary key (sensor_id, until_seq)
);
create index sensor_past_place_place on sensor_past_place (place_id);
comment on table sensor_past_place is 'Places that sensors stood at until an import moved them or took them away.';
comment on column sensor_past_place.until_seq is 'Commit number of that import; -1 until it has its number.';
comment on column sensor_past_place.since_seq is 'Of the import before which it stood elsewhere; null: none.';

-- What the versions of the site say of the past, each against the next.
with version as (
    select commit_seq, lead(commit_seq) over (order by commit_seq) as next_seq, document from site_version
), stood as materialized (
    select v.commit_seq, v.next_seq, n.sensor_id, place ->> 'id' as place_id, probe ->> 'entrance' as entrance_id,
        coalesce((probe ->> 'zero_level_m')::float8, case when probe ->> 'quantity' = 'water_depth_m' then coalesce(
            (select (e ->> 'roadway_level_m')::float8 from jsonb_array_elements(place -> 'entrances') e where e ->> 'id' = probe ->> 'entrance'),
            (place ->> 'floor_level_m')::float8) end) as zero_level_m
    from version v
    cross join unnest(array['space', 'gauge']) kind
    cross join jsonb_array_elements(v.document -> kind) place
    cross join jsonb_array_elements(place -> 'devices') device
    cross join jsonb_array_elements(device -> 'sensors' || '[{"quantity": "online"}]') probe
    join sensor n on n.device_id = device ->> 'id' and n.at = coalesce(probe ->> 'at', '') and n.quantity = probe ->> 'quantity'
)
insert into sensor_past_place (sensor_id, until_seq, since_seq, place_id, entrance_id, zero_level_m)
select s.sensor_id, s.next_seq, lag(s.next_seq) over (partition by s.sensor_id order by s.next_seq), s.place_id, s.entrance_id, s.zero_level_m
from stood s
where s.next_seq is not null and not exists (
    select from stood t
    where t.commit_seq = s.next_seq and t.sensor_id = s.sensor_id and t.place_id = s.place_id and t.entrance_id is not distinct from s.entrance_id);

create view site_since as
select v.commit_seq, least(v.imported_at, (
    select coalesce(b.run_now, b.committed_at) from batch b where b.commit_seq > v.commit_seq order by b.commit_seq limit 1)) as since
from site_version v;
comment on view site_since is 'From when on a version of the site counts.';

create view sensor_stay as
select p.sensor_id, p.place_id, p.entrance_id, p.zero_level_m, coalesce(b.since, '-infinity') as since, u.since as until
from sensor_past_place p
join site_since u on u.commit_seq = p.until_seq
left join site_since b on b.commit_seq = p.since_seq
union all
select n.sensor_id, n.place_id, n.entrance_id, n.zero_level_m, coalesce(b.since, '-infinity'), coalesce(n.retired_at, 'infinity')
from sensor n
left join (select sensor_id, max(until_seq) as seq from sensor_past_place group by sensor_id) m on m.sensor_id = n.sensor_id
left join site_since b on b.commit_seq = m.seq
where n.retired_at is null or m.seq is null;
comment on view sensor_stay is 'Where each sensor stood, from `since` until before `until`.';
