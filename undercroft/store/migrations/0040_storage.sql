-- What a table must look like to become a hypertable, and how long each class of data is kept.

-- The time column belongs to every key of a hypertable, and a hypertable cannot refer to another one: `tick` becomes
-- one, so nothing refers to it by foreign key. The engine writes a tick and its output in one transaction.
do $$
declare
    found record;
begin
    for found in
        select conrelid::regclass as child, conname from pg_constraint where contype = 'f' and confrelid = 'tick'::regclass
    loop
        execute format('alter table %s drop constraint %I', found.child, found.conname);
    end loop;
end
$$;
alter table tick drop constraint tick_pkey, add primary key (tick_seq, tick_at);
alter table assessment drop constraint assessment_pkey, add primary key (space_id, tick_seq, tick_at);
create index tick_time on tick (tick_at desc);
create index assessment_time on assessment (tick_at desc);

create table retention_class (
    relation text primary key,
    time_column text not null,
    data_class text not null check (data_class in ('raw', 'rollup', 'engine', 'message')),
    keep interval,
    step interval not null check (step > interval '0')
);
comment on table retention_class is 'How long each relation is kept; null: for ever. Rows go in whole steps (days).';
comment on column retention_class.step is 'Length of a chunk where the relation is a hypertable; aligned to 1970-01-01 UTC.';

insert into retention_class (relation, time_column, data_class, keep, step) values
    ('observation', 'observed_at', 'raw', interval '400 days', interval '1 day'),
    ('rollup_1m', 'bucket', 'rollup', interval '400 days', interval '10 days'),
    ('rollup_10m', 'bucket', 'rollup', interval '3 years', interval '10 days'),
    ('rollup_1h', 'bucket', 'rollup', null, interval '10 days'),
    ('rollup_1d', 'bucket', 'rollup', null, interval '10 days'),
    ('tick', 'tick_at', 'engine', interval '3 years', interval '7 days'),
    ('assessment', 'tick_at', 'engine', interval '3 years', interval '7 days'),
    ('dead_letter', 'last_received_at', 'message', interval '90 days', interval '1 day');

create table incident_hold (
    hold_id bigint generated always as identity primary key,
    held_from timestamptz not null,
    held_to timestamptz,
    reason text not null check (reason <> ''),
    author text not null check (author <> ''),
    placed_at timestamptz not null,
    released_at timestamptz,
    released_by text,
    check (held_to > held_from),
    check ((released_at is null) = (released_by is null))
);
comment on table incident_hold is 'Data of this time is kept, whatever its class says, until the hold is released.';

create table store_object (
    name text primary key,
    sha256 text not null,
    applied_at timestamptz not null default now()
);
comment on table store_object is 'Which text of rollups and Grafana views is in force; they are made again when it changes.';
