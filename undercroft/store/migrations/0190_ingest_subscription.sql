-- What ingest has subscribed to. A broker goes on filling a session that nobody serves any more: who changes between one
-- worker and several drains those of before, and a filter that the site no longer names is given up.

create table ingest_subscription (
    client_id text primary key,
    lane text not null,
    share text not null,
    filters text[] not null
);
comment on column ingest_subscription.share is 'Name of the share; empty where one worker serves all.';
comment on column ingest_subscription.filters is 'Every filter the session was ever subscribed to.';
