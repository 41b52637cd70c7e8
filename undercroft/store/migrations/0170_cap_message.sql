-- Every CAP message that was made, as it was made: no two share an identifier, and the next one can name those before it.
create table cap_message (
    identifier text primary key,
    incident_id text not null,
    sender text not null,
    sent_at timestamptz not null,
    kind text not null check (kind in ('Alert', 'Update', 'Cancel')),
    reference text not null,
    author text not null,
    made_at timestamptz not null,
    xml text not null
);
create index cap_message_incident on cap_message (incident_id, sent_at);
create index cap_message_sent on cap_message (sent_at);
comment on column cap_message.reference is 'How a later message names this one: sender,identifier,sent.';
