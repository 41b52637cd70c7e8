-- Who serves an MQTT session of ingest, by number: a worker that was frozen while another took the session over finds
-- another number than its own, and leaves messages without times of their own to whom the broker delivers them again.

create table ingest_session (
    session text primary key,
    taken bigint not null
);
comment on table ingest_session is 'MQTT sessions of ingest: how often each was taken up by a connection.';
comment on column ingest_session.taken is 'Number of the connection that serves it; one more for each.';
