-- How a message fares is kept with it, so that a notifier that starts again neither hammers nor forgets; and what it is about.

alter table notification
    add column failures integer not null default 0,
    add column doubtful integer not null default 0,
    add column next_try_at timestamptz,
    add column subjects text[] not null default '{}';
comment on column notification.failures is 'Attempts that failed since it was queued; what the next wait follows from.';
comment on column notification.doubtful is 'Answers in a row that nobody knows, or faults of the sender; an outage is none.';
comment on column notification.queued_at is 'By the notifier''s time, which never goes back.';
comment on column notification.subjects is 'The alarms that it tells of, or the subject of a late order.';

drop index notification_failed;
create index notification_unreached on notification (queued_at) where state in ('failed', 'queued', 'sending');
create index notification_settled on notification (settled_at) where settled_at is not null;
create index notification_subjects on notification using gin (subjects);
