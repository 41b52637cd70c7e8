-- Caps on dead letters: what is over them is counted, not kept. And what ails ingest, as it began and ended.

create table dead_letter_overflow (
    hour timestamptz not null,
    device_id text not null default '',
    reason text not null,
    times bigint not null,
    primary key (hour, device_id, reason)
);
comment on table dead_letter_overflow is 'Dead letters over a cap, by hour of receipt; device_id empty: no known device.';

create index dead_letter_device on dead_letter (device_id, first_received_at);

create table system_condition (
    name text primary key,
    is_active boolean not null,
    value double precision not null,
    threshold double precision not null,
    unit text not null,
    detail text not null,
    changed_at timestamptz not null
);
comment on table system_condition is 'What ails the system now; each change is an act of kind system_condition too.';
