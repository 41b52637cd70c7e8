-- Reports and exports of an incident.

-- name: reports_incidents
select i.incident_id, i.basin_id, coalesce(b.name_zh, '系统与设备') as name_zh,
    coalesce(b.name_en, 'system and devices') as name_en, i.opened_at,
    i.closed_at, i.worst
from incident i left join basin b using (basin_id) order by i.opened_at desc limit 100;

-- name: reports_incident
select i.incident_id, i.basin_id, coalesce(b.name_zh, i.basin_id) as name_zh, coalesce(b.name_en, i.basin_id) as name_en,
    i.opened_at, i.closed_at, i.worst, i.state, d.mode
from incident i left join basin b using (basin_id) cross join deployment d where i.incident_id = %(incident_id)s;

-- name: reports_events
select subject, occurrence, event_no, kind, severity, tick_at, reasons, detail from incident_event
where incident_id = %(incident_id)s order by tick_at, subject, event_no;

-- name: reports_refused
-- Red messages that the next step got since the one before refused them.
select notification_id, decided_at, person_id, title from notification
where incident_id = %(incident_id)s and reason = 'refused' order by notification_id;

-- name: reports_log
-- What was said of the incident, its basin, the spaces and devices there, its alarms and orders, and the warnings that
-- name the basin, one of its streets, or neither: the whole district.
select entry_no, at, kind, author, subject, body, corrects from duty_log
where at >= %(starts_at)s and at <= coalesce(%(ends_at)s::timestamptz, 'infinity')
    and (subject in ('-', 'incident/' || %(incident_id)s, 'basin/' || %(basin_id)s) or subject in (
        select 'space/' || place_id from place where basin_id = %(basin_id)s
        union select 'device/' || d.device_id from place p join device d using (place_id) where p.basin_id = %(basin_id)s
        union select 'order/' || o.order_id from duty_order o where o.incident_id = %(incident_id)s
        union select w.subject from duty_log w
        left join lateral jsonb_array_elements_text(w.body -> 'basins') as b (basin_id) on true
        left join lateral jsonb_array_elements_text(w.body -> 'streets') as t (street) on true
        where w.kind = 'rain_warning' group by w.subject
        having bool_or(b.basin_id = %(basin_id)s) or count(b.basin_id) + count(t.street) = 0
            or bool_or(t.street in (select street from place where basin_id = %(basin_id)s))
        union select a.subject from incident i
        cross join lateral jsonb_to_recordset(i.state -> 'alarms') as a (subject text)
        where i.incident_id = %(incident_id)s))
order by entry_no;

-- name: reports_of
select serial, kind, drafted_at, due_at, covers_from, submitted_at, submitted_by, text from report
where incident_id = %(incident_id)s order by serial;

-- name: reports_save
insert into report (incident_id, serial, kind, drafted_at, due_at, covers_from, text, author)
values (%(incident_id)s, %(serial)s, %(kind)s, %(drafted_at)s, %(due_at)s, %(covers_from)s, %(text)s, %(author)s)
on conflict (incident_id, serial) do update set
    drafted_at = excluded.drafted_at, text = excluded.text, author = excluded.author
    where report.submitted_at is null;

-- name: reports_submit
update report set submitted_at = %(at)s, submitted_by = %(author)s
where incident_id = %(incident_id)s and serial = %(serial)s and submitted_at is null;

-- name: reports_by_phone
insert into report (incident_id, serial, kind, drafted_at, covers_from, text, author, submitted_at, submitted_by)
select incident_id, 0, 'phone', %(at)s, opened_at, '', %(author)s, %(at)s, %(author)s from incident
where incident_id = %(incident_id)s on conflict (incident_id, serial) do nothing;

-- name: reports_areas
select distinct p.name_zh, p.name_en, p.lat, p.lon, 'space/' || p.place_id as subject from place p
where 'space/' || p.place_id = any(%(subjects)s::text[]) order by 5;

-- name: reports_due
-- What has to be handed in, by the notifier's clocks: what is missing first. One handed in lets those before it rest.
select d.incident_id, i.basin_id, coalesce(b.name_zh, '系统与设备') as name_zh,
    coalesce(b.name_en, 'system and devices') as name_en, d.kind, d.serial, d.due_at, d.reminders, d.reminded_step,
    d.reminded_at, r.drafted_at, r.author, d.due_at < %(now)s as is_missing
from report_due d
join incident i using (incident_id)
left join basin b using (basin_id)
left join report r on r.incident_id = d.incident_id and r.serial = d.serial
where not exists (
    select from report h where h.incident_id = d.incident_id and h.submitted_at is not null
        and (h.serial >= d.serial or h.kind = 'final'))
order by d.due_at, d.incident_id, d.serial limit 300;

-- name: reports_tally
-- Missing: its time is over, and it was not handed in, nor a later one by then; of those that a later one lets rest,
-- what was due since a time. Late and on time: handed in since that time.
select
    count(*) filter (where due_at < %(now)s and submitted_at is null
        and (closed_at is null or (closed_at > due_at and due_at >= %(since)s)))::int as missing,
    count(*) filter (where closed_at is null and due_at >= %(now)s)::int as to_come,
    count(*) filter (where submitted_at >= %(since)s and submitted_at <= due_at)::int as on_time,
    count(*) filter (where submitted_at >= %(since)s and submitted_at > due_at)::int as late,
    coalesce(sum(reminders) filter (where closed_at is null), 0)::int as reminders
from (
    select d.due_at, d.reminders, r.submitted_at, (
        select min(h.submitted_at) from report h where h.incident_id = d.incident_id
            and (h.serial >= d.serial or h.kind = 'final')) as closed_at
    from report_due d left join report r on r.incident_id = d.incident_id and r.serial = d.serial
) c;
