-- Which entries of the alarm log belong to an incident: those of its alarms of spaces, wherever a site import put the place since.

create view incident_event as
select i.incident_id, e.subject, e.occurrence, e.event_no, e.kind, e.severity, e.tick_at, e.reasons, e.detail
from incident i
cross join lateral jsonb_to_recordset(i.state -> 'alarms') as a (subject text, occurrence integer)
join alarm_event e on e.subject = a.subject and e.occurrence <= a.occurrence
    and e.tick_at >= i.opened_at and e.tick_at <= coalesce(i.closed_at, 'infinity')
where a.subject like 'space/%' and (e.occurrence = a.occurrence or not exists (
    select from incident o
    cross join lateral jsonb_to_recordset(o.state -> 'alarms') as b (subject text, occurrence integer)
    where o.incident_id <> i.incident_id and o.opened_at <= e.tick_at and coalesce(o.closed_at, 'infinity') >= e.tick_at
        and b.subject = e.subject and b.occurrence = e.occurrence));
comment on view incident_event is 'An incident keeps the newest alarm of each subject: earlier ones of the same storm belong to it unless another incident has them.';
