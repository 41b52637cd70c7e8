-- What was reported since a confirmation is told by the commit order: in a run, acts of one tick share one time. A
-- confirmation that expired is confirmed again; whether it came in time is told by the first.
alter table duty_order
    add column confirmed_after bigint,
    add column confirmed_until timestamptz,
    add column answered_at timestamptz;
comment on column duty_order.confirmed_after is 'Newest number of the commit order when it was confirmed.';
comment on column duty_order.answered_at is 'When it was first confirmed since its clock was started.';
comment on column duty_order.confirmed_until is 'Until when the confirmation counts.';
update duty_order o set answered_at = o.changed_at, confirmed_until = o.changed_at + interval '3 hours', confirmed_after = coalesce((
    select max(a.commit_seq) from act a
    where a.kind = 'field_report' and a.subject = o.subject and a.acted_at <= o.changed_at), 0)
where o.state = 'confirmed';
drop index act_field_report;
create index act_field_report on act (subject, commit_seq) where kind = 'field_report';
