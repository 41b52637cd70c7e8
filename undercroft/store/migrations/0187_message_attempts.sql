-- What a channel's limit has to know after a restart, and whom a message reaches beside the person that it names.

alter table notification
    add column attempt_times timestamptz[] not null default '{}',
    add column holds_channel boolean not null default false,
    add column also_for text[] not null default '{}';
comment on column notification.attempt_times is 'When it was sent last, at most six times; of what another message carried, none.';
comment on column notification.holds_channel is 'The service asked for a wait of the whole channel, until next_try_at.';
comment on column notification.also_for is 'People of lower steps of the roster who are reached at the same address, and are told by it.';
