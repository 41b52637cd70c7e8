-- What the HTTP interface reads. Keyset pagination throughout: no OFFSET.

-- name: read_deployment
select deployment_id::text as deployment_id, mode from deployment;

-- name: read_site
select
    v.commit_seq as site_commit_seq, v.sha256, v.imported_at, v.document -> 'district' as district,
    (select count(*) from space s join place p on p.place_id = s.space_id where p.retired_at is null) as spaces,
    (select coalesce(array_agg(distinct p.street order by p.street), '{}')
     from space s join place p on p.place_id = s.space_id where p.retired_at is null) as streets
from site_version v order by v.commit_seq desc limit 1;

-- name: read_newest_tick
select tick_seq, tick_at, up_to_commit_seq, run_seq, committed_at from tick order by tick_seq desc limit 1;

-- name: read_newest_batch
select batch_id, commit_seq, run_now, observed_to, committed_at from batch order by commit_seq desc limit 1;

-- name: read_spaces_ranked
-- The order is that of one tick, so that pages of one listing agree. The keys are ranked first, the rows fetched after.
with ranked as (
    select s.space_id, coalesce(a.level, 0) as level, coalesce(a.score, 0) as score, a.tick_seq
    from space s
    join place p on p.place_id = s.space_id
    left join lateral (
        select tick_seq, level, score from assessment
        where assessment.space_id = s.space_id and tick_seq <= %(as_of)s
        order by tick_seq desc limit 1
    ) a on true
    where p.retired_at is null
      and (%(kind)s::text is null or s.kind = %(kind)s)
      and (%(street)s::text is null or p.street = %(street)s)
      and (%(level)s::smallint is null or coalesce(a.level, 0) = %(level)s)
      and (%(level_min)s::smallint is null or coalesce(a.level, 0) >= %(level_min)s)
      and (%(after_space)s::text is null
           or (-coalesce(a.level, 0), -coalesce(a.score, 0), s.space_id)
               > (-%(after_level)s::int, -%(after_score)s::double precision, %(after_space)s))
    order by level desc, score desc, s.space_id
    limit %(limit)s
)
select
    r.space_id, s.kind, p.name_zh, p.name_en, p.street, p.basin_id, p.lat, p.lon,
    a.tick_seq, a.tick_at, r.level, r.score, a.blind, a.reasons, a.evidence,
    coalesce(d.interval_dry_s, 600) as interval_dry_s, coalesce(d.interval_wet_s, 60) as interval_wet_s
from ranked r
join space s on s.space_id = r.space_id
join place p on p.place_id = r.space_id
left join assessment a on a.space_id = r.space_id and a.tick_seq = r.tick_seq
left join lateral (
    select max(interval_dry_s) as interval_dry_s, max(interval_wet_s) as interval_wet_s
    from device where device.place_id = r.space_id and retired_at is null
) d on true
order by r.level desc, r.score desc, r.space_id;

-- name: read_space
select
    s.space_id, s.kind, s.floor_level_m, s.ceiling_height_m, s.detail,
    p.name_zh, p.name_en, p.street, p.basin_id, p.lat, p.lon, p.retired_at
from space s join place p on p.place_id = s.space_id
where s.space_id = %(space_id)s;

-- name: read_space_assessment
select tick_seq, tick_at, level, score, blind, reasons, contributions, evidence
from assessment where space_id = %(space_id)s order by tick_seq desc limit 1;

-- name: read_space_entrances
select
    entrance_id, name_zh, name_en, width_m, crest_level_m, roadway_level_m, barrier_needed,
    barrier_height_m, barrier_leakage_grade, barrier_deploy_min
from entrance where space_id = %(space_id)s and retired_at is null order by entrance_id;

-- name: read_space_requirements
select entrance_id, item, quantity from requirement where space_id = %(space_id)s order by entrance_id, item;

-- name: read_place_sensors
-- What lies beyond `latest` was stamped by a clock that was ahead. States of devices (`online`) stand in order of delivery, wherever.
-- What a sensor said before an import moved it here was said of another place; without its batch (see retention_class) its receipt tells.
select
    n.sensor_id, n.device_id, n.at, n.quantity, n.unit, n.entrance_id, n.zero_level_m,
    o.observed_at, o.value, o.quality, coalesce(o.quality_tests, 0) as quality_tests,
    o.quality_at_arrival, o.flagged_by, o.flag_reason
from sensor n
left join lateral (
    select f.* from observation_flagged f
    where f.sensor_id = n.sensor_id
        and (%(latest)s::timestamptz is null or n.quantity = 'online' or f.observed_at <= %(latest)s)
    order by f.observed_at desc limit 1
) o on n.placed_seq = 0 or coalesce(
    (select b.commit_seq >= n.placed_seq from batch b where b.batch_id = o.batch_id),
    o.received_at >= (select v.imported_at from site_version v where v.commit_seq = n.placed_seq))
where n.place_id = %(place_id)s and n.retired_at is null
order by n.quantity, n.device_id, n.at;

-- name: read_corrected
-- Of these readings those that a person corrected, as the newest correction has it that nobody took back.
select asked.sensor, asked.observed_at, f.quality, f.author as flagged_by, f.reason as flag_reason
from unnest(%(sensors)s::text[], %(observed_at)s::timestamptz[]) as asked (sensor, observed_at)
join sensor n on n.device_id || case when n.at = '' then '' else '/' || n.at end || ':' || n.quantity = asked.sensor
cross join lateral (
    select quality, author, reason from quality_flag
    where sensor_id = n.sensor_id and act_id is not null and undone_by is null
        and observed_from <= asked.observed_at and observed_to >= asked.observed_at
    order by quality_flag_id desc limit 1
) f
order by asked.sensor, asked.observed_at;

-- name: read_place_sensor
-- A sensor that stands here or stood here once, as it stood here last.
select n.sensor_id, n.device_id, n.at, n.quantity, n.unit, y.entrance_id, y.zero_level_m
from sensor n
join sensor_stay y on y.sensor_id = n.sensor_id
where y.place_id = %(place_id)s and n.device_id = %(device_id)s and n.at = %(at)s and n.quantity = %(quantity)s
order by y.until desc limit 1;

-- name: read_observations
-- Of the times at which it stood here, each for itself.
select o.observed_at, o.value, o.quality, o.quality_tests, o.received_at, o.quality_at_arrival, o.flagged_by, o.flag_reason
from sensor_stay y
cross join lateral (
    select * from observation_flagged f
    where f.sensor_id = %(sensor_id)s and f.observed_at >= %(since)s and f.observed_at <= %(until)s
      and f.observed_at >= y.since and f.observed_at < y.until
      and (%(before)s::timestamptz is null or f.observed_at < %(before)s)
    order by f.observed_at desc limit %(limit)s
) o
where y.sensor_id = %(sensor_id)s and y.place_id = %(place_id)s
order by o.observed_at desc
limit %(limit)s;

-- name: read_alarms
select
    a.subject, a.occurrence, a.subject_kind, a.severity, a.peak_severity, a.active, a.acknowledged, a.latched,
    a.shelved_until, a.suppressed_by, a.raised_at, a.cleared_at, a.reasons, a.last_tick_seq, p.place_id, p.name_zh, p.name_en, p.street,
    k.acknowledged_by, k.acknowledged_at, v.severity_since, coalesce(v.severity_reasons, '[]') as severity_reasons
from alarm a
left join lateral (
    select e.detail ->> 'author' as acknowledged_by, e.tick_at as acknowledged_at from alarm_event e
    where e.subject = a.subject and e.occurrence = a.occurrence and e.kind = 'acknowledged' order by e.event_no desc limit 1
) k on a.acknowledged
left join lateral (
    select e.tick_at as severity_since, e.reasons as severity_reasons from alarm_event e
    where e.subject = a.subject and e.occurrence = a.occurrence and e.kind in ('raised', 'severity_up', 'severity_down')
    order by e.event_no desc limit 1
) v on true
left join device d on a.subject_kind = 'device' and d.device_id = split_part(a.subject, '/', 2)
left join place p on p.place_id = coalesce(d.place_id, split_part(a.subject, '/', 2)) and a.subject_kind <> 'system'
where (%(open)s::boolean is null or a.active = %(open)s)
  and (%(subject)s::text is null or a.subject = %(subject)s)
  and (%(severity_min)s::smallint is null or a.severity >= %(severity_min)s)
  and (%(after_subject)s::text is null
       or (-a.severity, -extract(epoch from a.raised_at), a.subject, a.occurrence)
           > (-%(after_severity)s::int, -extract(epoch from %(after_raised_at)s::timestamptz), %(after_subject)s,
              %(after_occurrence)s::int))
order by a.severity desc, a.raised_at desc, a.subject, a.occurrence
limit %(limit)s;

-- name: read_alarm_events
select subject, event_no, occurrence, tick_seq, tick_at, kind, severity, reasons, detail
from alarm_event
where (%(subject)s::text is null or subject = %(subject)s)
  and (%(occurrence)s::int is null or occurrence = %(occurrence)s)
  and (%(before_tick_seq)s::bigint is null
       or (-tick_seq, subject, -event_no) > (-%(before_tick_seq)s::bigint, %(before_subject)s, -%(before_event_no)s::bigint))
order by tick_seq desc, subject, event_no desc
limit %(limit)s;

-- name: read_ticks_after
select tick_seq, tick_at, up_to_commit_seq, run_seq, committed_at
from tick where tick_seq > %(after)s and tick_seq <= %(up_to)s order by tick_seq limit %(limit)s;

-- name: read_assessments_between
select
    a.tick_seq, a.tick_at, a.space_id, a.level, a.score, a.blind, a.reasons, a.evidence,
    s.kind, p.name_zh, p.name_en, p.street, p.basin_id, p.lat, p.lon,
    coalesce(d.interval_dry_s, 600) as interval_dry_s, coalesce(d.interval_wet_s, 60) as interval_wet_s
from assessment a
join space s on s.space_id = a.space_id
join place p on p.place_id = a.space_id
left join lateral (
    select max(interval_dry_s) as interval_dry_s, max(interval_wet_s) as interval_wet_s
    from device where device.place_id = a.space_id and retired_at is null
) d on true
where a.tick_seq > %(after)s and a.tick_seq <= %(up_to)s
order by a.tick_seq, a.level desc, a.score desc, a.space_id;

-- name: read_alarm_events_between
select subject, event_no, occurrence, tick_seq, tick_at, kind, severity, reasons, detail
from alarm_event where tick_seq > %(after)s and tick_seq <= %(up_to)s
order by tick_seq, subject, event_no;

-- name: read_alarms_between
-- The state now of every alarm that these ticks touched.
select
    a.subject, a.occurrence, a.subject_kind, a.severity, a.peak_severity, a.active, a.acknowledged, a.latched,
    a.shelved_until, a.suppressed_by, a.raised_at, a.cleared_at, a.reasons, a.last_tick_seq, p.place_id, p.name_zh, p.name_en, p.street,
    k.acknowledged_by, k.acknowledged_at, v.severity_since, coalesce(v.severity_reasons, '[]') as severity_reasons
from alarm a
left join lateral (
    select e.detail ->> 'author' as acknowledged_by, e.tick_at as acknowledged_at from alarm_event e
    where e.subject = a.subject and e.occurrence = a.occurrence and e.kind = 'acknowledged' order by e.event_no desc limit 1
) k on a.acknowledged
left join lateral (
    select e.tick_at as severity_since, e.reasons as severity_reasons from alarm_event e
    where e.subject = a.subject and e.occurrence = a.occurrence and e.kind in ('raised', 'severity_up', 'severity_down')
    order by e.event_no desc limit 1
) v on true
left join device d on a.subject_kind = 'device' and d.device_id = split_part(a.subject, '/', 2)
left join place p on p.place_id = coalesce(d.place_id, split_part(a.subject, '/', 2)) and a.subject_kind <> 'system'
where (a.last_tick_seq > %(after)s and a.last_tick_seq <= %(up_to)s)
   or (a.subject, a.occurrence) in (
        select subject, occurrence from alarm_event where tick_seq > %(after)s and tick_seq <= %(up_to)s)
order by a.subject, a.occurrence;

-- name: read_freshness
-- The newest reading of each space, whatever its quantity; none beyond `latest`, which was stamped by a clock that was ahead.
select n.place_id as space_id, max(o.observed_at) as observed_at
from sensor n
join space s on s.space_id = n.place_id
cross join lateral (
    select observed_at from observation
    where observation.sensor_id = n.sensor_id and observed_at <= coalesce(%(latest)s::timestamptz, 'infinity')
    order by observed_at desc limit 1
) o
where n.retired_at is null and n.quantity <> 'online'
group by n.place_id;

-- name: read_freshness_between
-- The same, of the readings committed in this stretch of the commit order.
select n.place_id as space_id, max(o.observed_at) as observed_at
from batch b
join observation o on o.batch_id = b.batch_id
join sensor n on n.sensor_id = o.sensor_id
join space s on s.space_id = n.place_id
where b.commit_seq > %(after)s and b.commit_seq <= %(up_to)s and n.quantity <> 'online'
    and o.observed_at <= coalesce(%(latest)s::timestamptz, 'infinity')
group by n.place_id;

-- name: read_site_commit_seq
select commit_seq from site_version order by commit_seq desc limit 1;

-- name: read_tick_before
select up_to_commit_seq from tick where tick_seq <= %(after)s order by tick_seq desc limit 1;

-- name: read_incidents
select i.incident_id, i.basin_id, b.name_zh, b.name_en, i.opened_at, i.closed_at, i.worst,
    i.state ->> 'first_subject' as first_out, i.state as state
from incident i left join basin b using (basin_id)
where (%(open)s::boolean is null or (i.closed_at is null) = %(open)s)
  and (%(before_opened_at)s::timestamptz is null
       or (i.opened_at, i.incident_id) < (%(before_opened_at)s, %(before_incident_id)s))
order by i.opened_at desc, i.incident_id desc limit %(limit)s;

-- name: read_alarm_load_events
-- With when the alarms that stand, or ended since, were raised, however long ago, so that what stands for long is seen.
select subject, occurrence, event_no, kind, severity, tick_at, reasons from (
    select * from alarm_event where tick_at >= %(since)s and tick_at < %(until)s
    union all
    select e.* from (
        select subject, occurrence from alarm where active
        union select subject, occurrence from alarm_event where tick_at >= %(since)s and kind in ('cleared', 'stood_down')
    ) stood join alarm_event e using (subject, occurrence) where e.kind = 'raised' and e.tick_at < %(since)s
) told order by tick_seq, subject, event_no;

-- name: read_shifts
select starts_at, ends_at, step, person_id, name from roster_shift
where standing = 'holder' and starts_at < %(until)s and ends_at > %(since)s order by starts_at, step;

-- name: read_told
-- One row for each cause that was told, however many people and channels it went to.
select min(decided_at) as decided_at from notification
where decided_at >= %(since)s and decided_at < %(until)s group by cause;
