-- A message without a time of its own is as often a letter as it was sent: two device states that are the same byte for byte,
-- with another between them, are two changes. What the broker delivers again is known by its receipt.
alter table dead_letter add column said_us bigint not null default 0;
comment on column dead_letter.said_us is
    'When a message was delivered first that says no time of its own and that a retry may store, microseconds since 1970; 0: any other.';
alter table dead_letter drop constraint dead_letter_topic_payload_sha256_reason_key;
alter table dead_letter add unique (topic, payload_sha256, reason, said_us);
