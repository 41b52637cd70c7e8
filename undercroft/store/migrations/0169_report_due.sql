-- When each report of an incident is due, as the notifier reckons it by the limits of its duty file, and how often the
-- roster was told that it is late. What was handed in stands in `report`.
create table report_due (
    incident_id text not null,
    kind text not null check (kind in ('phone', 'first', 'follow_up', 'final')),
    serial integer not null,
    due_at timestamptz not null,
    reminders integer not null default 0,
    reminded_step smallint not null default -1,
    reminded_at timestamptz,
    primary key (incident_id, kind, serial)
);
comment on table report_due is 'The clock of every report that an incident needs; the notifier keeps it.';
