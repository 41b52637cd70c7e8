-- The contract of the dashboards: views in schema `grafana`, all that its role may read. Columns are added, never
-- renamed or dropped, while a dashboard uses them. Payloads, people's settings and secrets are not here.

create schema grafana;
comment on schema grafana is 'Views for Grafana; the stable face of the database. Made again by `undercroft db migrate`.';

create view grafana.deployment as
select d.mode, site.document -> 'district' ->> 'id' as district_id,
    site.document -> 'district' ->> 'name_zh' as name_zh, site.document -> 'district' ->> 'name_en' as name_en,
    site.document -> 'district' ->> 'datum' as datum, site.commit_seq as site_commit_seq, site.imported_at
from public.deployment d
left join lateral (select * from public.site_version order by commit_seq desc limit 1) site on true;

create view grafana.space as
select s.space_id, s.kind, p.name_zh, p.name_en, p.name_zh || ' ' || p.name_en as name, p.street, p.basin_id,
    b.name_zh as basin_zh, b.name_en as basin_en, p.lat, p.lon, s.floor_level_m, s.ceiling_height_m,
    (select district_id from grafana.deployment) as district_id
from public.space s
join public.place p on p.place_id = s.space_id
left join public.basin b on b.basin_id = p.basin_id
where p.retired_at is null;

create view grafana.entrance as
select e.space_id, e.entrance_id, e.name_zh, e.name_en, e.name_zh || ' ' || e.name_en as name, e.crest_level_m,
    e.roadway_level_m, e.width_m, e.barrier_needed, e.barrier_height_m, e.barrier_leakage_grade, e.barrier_deploy_min
from public.entrance e
join grafana.space s on s.space_id = e.space_id
where e.retired_at is null;

create view grafana.sensor as
select n.sensor_id, n.device_id || case when n.at = '' then '' else '/' || n.at end || ':' || n.quantity as sensor_key,
    n.device_id, n.at, n.quantity, n.unit, n.place_id, p.place_kind, p.name_zh, p.name_en,
    p.name_zh || ' ' || p.name_en as place_name, p.street, p.basin_id, s.kind, n.entrance_id, n.zero_level_m,
    e.crest_level_m, e.name_zh || ' ' || e.name_en as entrance_name, d.interval_dry_s, d.interval_wet_s
from public.sensor n
join public.place p on p.place_id = n.place_id
join public.device d on d.device_id = n.device_id
left join public.space s on s.space_id = n.place_id
left join public.entrance e on e.space_id = n.place_id and e.entrance_id = n.entrance_id
where n.retired_at is null and p.retired_at is null;

create view grafana.observation as
select sensor_id, observed_at, value, quality, received_at, batch_id from public.observation;

create view grafana.conflict as
select sensor_id, observed_at, value, quality, received_at from public.observation_conflict;

create view grafana.rollup_1m as
select sensor_id, bucket, min_value, max_value, total / nullif(usable, 0) as mean_value, last_value, usable, readings,
    worst_quality, good, usable - good - suspect as not_evaluated, suspect, failed, readings - usable - failed as missing
from public.rollup_1m;

create view grafana.rollup_10m as
select sensor_id, bucket, min_value, max_value, total / nullif(usable, 0) as mean_value, last_value, usable, readings,
    worst_quality, good, usable - good - suspect as not_evaluated, suspect, failed, readings - usable - failed as missing
from public.rollup_10m;

create view grafana.rollup_1h as
select sensor_id, bucket, min_value, max_value, total / nullif(usable, 0) as mean_value, last_value, usable, readings,
    worst_quality, good, usable - good - suspect as not_evaluated, suspect, failed, readings - usable - failed as missing
from public.rollup_1h;

create view grafana.rollup_1d as
select sensor_id, bucket, min_value, max_value, total / nullif(usable, 0) as mean_value, last_value, usable, readings,
    worst_quality, good, usable - good - suspect as not_evaluated, suspect, failed, readings - usable - failed as missing
from public.rollup_1d;

create view grafana.threshold as
select t.threshold_set_id, t.rule, t.kind, t.space_id, t.severity, t.value, t.unit, t.source, v.author, v.valid_from
from public.threshold t
join public.threshold_set v using (threshold_set_id, commit_seq)
where not exists (
    select from public.threshold_set newer
    where newer.threshold_set_id = v.threshold_set_id and newer.commit_seq > v.commit_seq);

create view grafana.tick as
select tick_seq, tick_at, up_to_commit_seq, committed_at from public.tick;

create view grafana.assessment as
select space_id, tick_seq, tick_at, level, score, blind, reasons, contributions, evidence from public.assessment;

create view grafana.alarm as
select a.subject, a.occurrence, a.subject_kind, a.severity, a.peak_severity, a.active, a.acknowledged, a.latched,
    a.suppressed_by, a.raised_at, a.cleared_at, a.reasons -> 0 ->> 'text_zh' as reason_zh, a.reasons -> 0 ->> 'text_en' as reason_en,
    coalesce(p.name_zh || ' ' || p.name_en, a.subject) as name, p.place_id, p.street, s.kind
from public.alarm a
left join public.device d on a.subject_kind = 'device' and d.device_id = split_part(a.subject, '/', 2)
left join public.place p
    on p.place_id = coalesce(d.place_id, split_part(a.subject, '/', 2)) and a.subject_kind <> 'system'
left join public.space s on s.space_id = p.place_id;

create view grafana.alarm_event as
select e.subject, e.occurrence, e.event_no, e.tick_at, e.kind, e.severity,
    e.reasons -> 0 ->> 'text_zh' as reason_zh, e.reasons -> 0 ->> 'text_en' as reason_en
from public.alarm_event e;

create view grafana.shift as
select starts_at, ends_at, step, standing, name from public.roster_shift;

create view grafana.act as
select kind, subject, author, acted_at, body from public.act;

create view grafana.duty_order as
select o.order_id, o.incident_id, o.subject, split_part(o.subject, '/', 2) as place_id,
    coalesce(p.name_zh || ' ' || p.name_en, o.subject) as name, p.street, o.entrance, o.proof, o.state, o.severity, o.owner,
    o.author, o.changed_at, o.due_at, o.leader, o.team, o.plan, o.single_voice, o.reminders, o.reminded_at,
    o.answered_at, o.confirmed_until,
    exists (select from public.incident i where i.incident_id = o.incident_id and i.closed_at is null) as goes_on
from public.duty_order o
left join public.place p on 'space/' || p.place_id = o.subject;

create view grafana.report_due as
select d.incident_id, coalesce(b.name_zh || ' ' || b.name_en, i.basin_id) as name, d.kind, d.serial, d.due_at, d.reminders,
    d.reminded_at, r.author, r.drafted_at, r.submitted_at, r.submitted_by, not exists (
        select from public.report h where h.incident_id = d.incident_id and h.submitted_at is not null
            and (h.serial >= d.serial or h.kind = 'final')) as is_open
from public.report_due d
join public.incident i using (incident_id)
left join public.basin b using (basin_id)
left join public.report r on r.incident_id = d.incident_id and r.serial = d.serial;

create view grafana.notification as
select notification_id, incident_id, reason, step, severity, person_id, channel, state, merged_into, attempts, failures,
    queued_at, next_try_at, settled_at, error
from public.notification;

create view grafana.stock as
select k.place_id, k.item, k.quantity, p.place_kind, p.name_zh || ' ' || p.name_en as name, p.street
from public.stock k
join public.place p using (place_id)
where p.retired_at is null;

create view grafana.stock_movement as
select m.commit_seq, m.acted_at, m.place_id, p.name_zh || ' ' || p.name_en as place, p.street, m.item, m.quantity,
    m.counted, m.quantity_left, m.reason, m.author
from public.stock_movement m
left join public.place p using (place_id);

create view grafana.requirement as
select space_id, nullif(entrance_id, '') as entrance_id, item, quantity from public.requirement;

create view grafana.batch as
select batch_id, commit_seq, lane, observed_from, observed_to, messages, redelivered, readings, stored, duplicates,
    conflicts, dead_letters, coalesce(run_now, committed_at) as at, committed_at, run_now is not null as is_run
from public.batch;

create view grafana.dead_letter as
select dead_letter_id, topic, reason, detail, device_id, payload_bytes, times_seen, first_received_at, last_received_at
from public.dead_letter;

create view grafana.system_condition as
select subject, name, is_active, value, threshold, unit, detail, changed_at from public.system_condition;
