-- An order says who leads it (四个一) and how grave its place was; whom its lateness was told is kept with it.
alter table duty_order
    add column severity smallint not null default 2,
    add column leader text not null default '',
    add column team text not null default '',
    add column plan text not null default '',
    add column single_voice text not null default '',
    add column reminders integer not null default 0,
    add column reminded_step smallint not null default -1,
    add column reminded_at timestamptz;
comment on column duty_order.reminders is 'How often the roster was told that it is late, up to reminded_step.';
create index duty_order_going on duty_order (due_at) where state in ('issued', 'taken');
