-- Readings whose device lost its clock are stored at the time of receipt; this is what they are known by, so that the
-- same reading delivered again changes nothing.

create table clock_lost_reading (
    sensor_id integer not null,
    device_us bigint not null,
    value double precision not null,
    observed_at timestamptz not null,
    batch_id bigint not null,
    primary key (sensor_id, device_us, value)
);
create index clock_lost_reading_newest on clock_lost_reading (sensor_id, observed_at desc);
comment on column clock_lost_reading.device_us is 'The impossible time that the device gave, microseconds since 1970.';

create index batch_run on batch (run_seq) where run_now is not null;
