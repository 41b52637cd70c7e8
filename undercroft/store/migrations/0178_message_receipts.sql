-- Readings that say no time (SenML relative to now) stand at the receipt of their message. What makes a second delivery of
-- it the same one is what makes a device's state known: the session, the packet identifier, and the mark (DUP).

create table message_receipt (
    session text not null,
    mid integer not null,
    digest bytea not null,
    received_us bigint not null,
    read_us bigint not null,
    primary key (session, mid)
);
create index message_receipt_read on message_receipt (session, read_us);
comment on table message_receipt is
    'The last message without times of its own under each packet identifier of a session; at most 65,536 rows for each session.';
comment on column message_receipt.digest is 'Of topic and payload.';
comment on column message_receipt.received_us is 'When it was delivered first, microseconds since 1970.';
comment on column message_receipt.read_us is 'What its relative times refer to: the receipt, or the next free microsecond.';
