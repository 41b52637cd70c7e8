-- What quality control needs beyond the row: the device's serial number, flags that come afterwards, and corrections by
-- people. The row of a reading is never changed.

alter table observation add column seq bigint;
comment on column observation.seq is 'Serial number of the message, where the device sends one; gaps are lost messages.';

create index observation_late on observation (sensor_id, received_at desc) where (quality_tests & 1024) <> 0;

create table quality_flag (
    quality_flag_id bigint generated always as identity primary key,
    sensor_id integer not null,
    observed_from timestamptz not null,
    observed_to timestamptz not null,
    quality smallint not null check (quality in (1, 2, 3, 4, 9)),
    quality_tests integer not null,
    author text not null check (author <> ''),
    reason text not null check (reason <> ''),
    batch_id bigint,
    act_id uuid,
    undone_by uuid,
    check (observed_from <= observed_to),
    check ((batch_id is null) <> (act_id is null))
);
comment on table quality_flag is
    'Flags given after a reading was stored: by a test that needs the next sample (batch_id), or by a person (act_id).';
create index quality_flag_sensor on quality_flag (sensor_id, observed_from);
create unique index quality_flag_test on quality_flag (sensor_id, observed_from, quality_tests) where act_id is null;

-- A person's flag stands before every test; else the worst of the row's own flag and what a later sample showed.
create view observation_flagged as
select
    o.sensor_id, o.observed_at, o.value, o.received_at, o.batch_id, o.seq,
    coalesce(manual.quality, greatest(o.quality, later.quality)) as quality,
    o.quality_tests | coalesce(later.quality_tests, 0) | coalesce(manual.quality_tests, 0) as quality_tests,
    o.quality as quality_at_arrival, manual.author as flagged_by, manual.reason as flag_reason
from observation o
left join lateral (
    select max(f.quality) as quality, bit_or(f.quality_tests) as quality_tests
    from quality_flag f
    where f.sensor_id = o.sensor_id and f.observed_from = o.observed_at and f.act_id is null
) later on true
left join lateral (
    select f.quality, f.quality_tests, f.author, f.reason
    from quality_flag f
    where f.sensor_id = o.sensor_id and o.observed_at between f.observed_from and f.observed_to
        and f.act_id is not null and f.undone_by is null
    order by f.quality_flag_id desc
    limit 1
) manual on true;
comment on view observation_flagged is 'Readings with the flag that holds now; quality_at_arrival is the engine''s.';
