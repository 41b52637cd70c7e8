-- A device's state (`.../status`) has neither a time nor a number of its own. What makes a second delivery of it the same
-- one is MQTT's own word: the session, the packet identifier that the broker gives again, and that it says so (DUP).

create table device_state_delivery (
    session text not null,
    mid integer not null,
    sensor_id integer not null,
    value double precision not null,
    received_us bigint not null,
    state_us bigint not null,
    primary key (session, mid)
);
create index device_state_delivery_sensor on device_state_delivery (session, sensor_id, state_us desc);
comment on table device_state_delivery is
    'The last device state that came under each packet identifier of a session; at most 65,535 rows for each session.';
comment on column device_state_delivery.received_us is 'When it was delivered, microseconds since 1970.';
comment on column device_state_delivery.state_us is 'The time that it stands at, whether it changed anything or not.';
