-- A reading from the past under a time that is stored already: a device sent it again, or its clock stands still. It leaves
-- no row of its own, so when it came is kept here; what a clock that stands says for a while is known by it.

create table past_repeat (
    sensor_id integer not null,
    received_at timestamptz not null,
    oldest_us bigint not null,
    newest_us bigint not null,
    is_same boolean not null,
    batch_id bigint not null,
    primary key (sensor_id, received_at)
);
create index past_repeat_batch on past_repeat (batch_id);
comment on table past_repeat is 'Moments at which readings came under a past time that was stored before; the broker did not mark them.';
comment on column past_repeat.oldest_us is 'Oldest time that they gave, microseconds since 1970.';
comment on column past_repeat.newest_us is 'Newest time that they gave, microseconds since 1970.';
comment on column past_repeat.is_same is 'Each said the value of before, too.';

insert into retention_class (relation, time_column, data_class, keep, step)
values ('past_repeat', 'received_at', 'message', interval '7 days', interval '1 day');
