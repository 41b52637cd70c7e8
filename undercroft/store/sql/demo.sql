-- name: demo_newest_tick
select tick_seq, tick_at, run_seq from tick order by tick_seq desc limit 1;

-- name: demo_worst_spaces
select s.space_id, s.kind, p.name_zh, p.name_en, a.level, a.score, a.blind, a.reasons, a.evidence, a.tick_at
from space s
join place p on p.place_id = s.space_id
cross join lateral (
    select * from assessment where assessment.space_id = s.space_id order by tick_seq desc limit 1
) a
where p.retired_at is null
order by a.level desc, a.score desc, s.space_id
limit %(most)s;

-- name: demo_open_alarms
select subject, occurrence, severity, raised_at, reasons
from alarm
where active
order by severity desc, raised_at desc, subject
limit %(most)s;

-- name: demo_counts
select
    (select count(*) from alarm where active) as open_alarms,
    (select count(*) from alarm) as alarms,
    (select coalesce(sum(messages), 0) from batch) as received,
    (select coalesce(sum(stored), 0) from batch) as stored;

-- name: report_counts
select
    (select coalesce(sum(messages), 0)::bigint from batch) as received,
    (select coalesce(sum(redelivered), 0)::bigint from batch) as redelivered,
    (select coalesce(sum(duplicates), 0)::bigint from batch) as duplicates,
    (select count(*) from observation) as stored,
    (select count(*) from observation_conflict) as conflicts,
    (select coalesce(sum(times_seen), 0)::bigint from dead_letter) as dead_lettered;

-- name: report_alarms
select subject, occurrence, severity, peak_severity, raised_at, cleared_at, active, reasons
from alarm
order by raised_at, subject, occurrence;

-- name: report_alarm_events
select subject, occurrence, event_no, tick_at, kind, severity, reasons
from alarm_event
order by subject, event_no;

-- name: probe_stored
select s.device_id, o.observed_at
from batch b
join observation o on o.batch_id = b.batch_id
join sensor s on s.sensor_id = o.sensor_id
where b.commit_seq > %(after)s and b.commit_seq <= %(up_to)s;

-- name: probe_alarms
select distinct subject
from alarm_event
where tick_seq > %(after)s and tick_seq <= %(up_to)s and severity = 4;

-- name: probe_last
select
    (select commit_seq from commit_counter) as commit_seq,
    (select coalesce(max(tick_seq), 0) from tick) as tick_seq,
    (select coalesce(max(run_seq), 0) from tick) as run_seq,
    (select max(tick_at) from tick) as tick_at;

-- name: probe_busy_subjects
select subject from alarm where active and severity = 4;

-- name: demo_open_by_severity
select severity, count(*) as alarms from alarm where active group by severity;
