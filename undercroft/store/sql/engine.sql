-- What the engine reads in commit order, and what a tick writes.

-- name: engine_try_lock
select pg_try_advisory_lock(hashtext('undercroft'), hashtext('engine')) as locked;

-- name: engine_committed
-- The counter row is locked until its transaction ends, so what is seen here is complete up to this number.
select commit_seq from commit_counter;

-- name: engine_last_tick
select tick_seq, tick_at, up_to_commit_seq from tick order by tick_seq desc limit 1;

-- name: engine_ticks_after
select t.tick_seq, t.tick_at, t.up_to_commit_seq, t.run_seq, t.nowcast_id, t.nowcast_error,
    exists (select from tick later where later.nowcast_id = t.tick_seq) as asked
from tick t where t.tick_seq > %(tick_seq)s order by t.tick_seq limit %(most)s;

-- name: engine_before_first_site
select min(commit_seq) - 1 as commit_seq from site_version;

-- name: engine_boundaries
select run_now as tick_at, run_seq, commit_seq as up_to_commit_seq
from batch where run_now is not null and commit_seq > %(after)s order by commit_seq limit %(most)s;

-- name: engine_tick_before
-- The last tick before which the log lies wholly before a time.
select tick_seq, tick_at, up_to_commit_seq from tick where tick_at < %(at)s order by tick_seq desc limit 1;

-- name: engine_site_at
select max(commit_seq) as commit_seq from site_version where commit_seq <= %(up_to)s;

-- name: engine_logged_alarms
-- The last alarm of every subject, the newest number of its log, and of an open one all that was said of it.
select e.subject, e.events, a.occurrence, a.severity, a.peak_severity, a.active, a.acknowledged, a.latched, a.raised_at,
    a.shelved_until, a.suppressed_by, a.reasons, case when a.active then coalesce((
        select jsonb_agg(distinct jsonb_build_array(reason ->> 'rule', coalesce(reason ->> 'sensor', '')))
        from alarm_event said cross join jsonb_array_elements(said.reasons) reason
        where said.subject = a.subject and said.occurrence = a.occurrence), '[]') else '[]' end as said
from (select subject, max(event_no) as events from alarm_event group by subject) e
left join lateral (
    select * from alarm where alarm.subject = e.subject order by alarm.occurrence desc limit 1
) a on true
order by e.subject;

-- name: engine_taken_over
-- The newest tick at which a version of the engine went on with what another one had written.
select tick_seq, taken_over_from from engine_snapshot
where taken_over_from is not null order by tick_seq desc limit 1;

-- name: engine_snapshots
select tick_seq, engine_version, state from engine_snapshot where tick_seq <= %(tick_seq)s order by tick_seq desc;

-- name: engine_observations
select b.commit_seq, o.sensor_id, (extract(epoch from o.observed_at) * 1000000)::bigint as observed_us, o.value, o.quality,
    o.quality_tests & 2048 <> 0 as buffered
from batch b join observation o on o.batch_id = b.batch_id
where b.commit_seq > %(after)s and b.commit_seq <= %(up_to)s
union all
select b.commit_seq, c.sensor_id, (extract(epoch from c.observed_at) * 1000000)::bigint, c.value, c.quality,
    c.quality_tests & 2048 <> 0
from batch b join observation_conflict c on c.batch_id = b.batch_id
where b.commit_seq > %(after)s and b.commit_seq <= %(up_to)s;

-- name: engine_acts
select commit_seq, kind, subject, author, acted_at, body
from act where commit_seq > %(after)s and commit_seq <= %(up_to)s order by commit_seq;

-- name: engine_site_versions
select commit_seq from site_version where commit_seq > %(after)s and commit_seq <= %(up_to)s order by commit_seq;

-- name: engine_sensor_keys
select sensor_id, device_id, at, quantity from sensor;

-- name: engine_insert_ticks
insert into tick (tick_seq, tick_at, up_to_commit_seq, run_seq, nowcast_id, flood_library, nowcast_error)
select * from unnest(%(tick_seq)s::bigint[], %(tick_at)s::timestamptz[], %(up_to)s::bigint[], %(run_seq)s::bigint[],
    %(nowcast_id)s::bigint[], %(flood_library)s::integer[], %(nowcast_error)s::text[]);

-- name: engine_insert_assessments
-- Rows with JSON in them come as one JSON document: as arrays of text every quote would be escaped one by one.
insert into assessment (space_id, tick_seq, tick_at, level, score, blind, reasons, contributions, evidence)
select space_id, tick_seq, tick_at, level, score, blind, reasons, contributions, evidence
from jsonb_to_recordset(%(rows)s::jsonb) as r (
    space_id text, tick_seq bigint, tick_at timestamptz, level smallint, score double precision, blind boolean,
    reasons jsonb, contributions jsonb, evidence jsonb);

-- name: engine_upsert_alarms
-- Raised while the clock was ahead, and that was set back: no alarm ends before it began.
insert into alarm as known (subject, occurrence, subject_kind, severity, peak_severity, active, raised_at, cleared_at,
    reasons, last_tick_seq, acknowledged, latched, shelved_until, suppressed_by)
select subject, occurrence, subject_kind, severity, peak_severity, active, raised_at, cleared_at, reasons, last_tick_seq,
    acknowledged, latched, shelved_until, suppressed_by
from jsonb_to_recordset(%(rows)s::jsonb) as r (
    subject text, occurrence integer, subject_kind text, severity smallint, peak_severity smallint, active boolean,
    raised_at timestamptz, cleared_at timestamptz, reasons jsonb, last_tick_seq bigint,
    acknowledged boolean, latched boolean, shelved_until timestamptz, suppressed_by text)
on conflict (subject, occurrence) do update set
    severity = case when excluded.active or excluded.cleared_at is not null then excluded.severity else known.severity end,
    reasons = case when excluded.reasons = '[]' then known.reasons else excluded.reasons end,
    peak_severity = excluded.peak_severity,
    raised_at = least(known.raised_at, excluded.raised_at),
    active = excluded.active,
    cleared_at = case when excluded.active then null else coalesce(excluded.cleared_at, known.cleared_at) end,
    acknowledged = excluded.acknowledged,
    latched = excluded.latched,
    shelved_until = excluded.shelved_until,
    suppressed_by = excluded.suppressed_by,
    last_tick_seq = excluded.last_tick_seq;

-- name: engine_insert_alarm_events
insert into alarm_event (subject, event_no, occurrence, tick_seq, tick_at, kind, severity, reasons, detail)
select subject, event_no, occurrence, tick_seq, tick_at, kind, severity, reasons, detail
from jsonb_to_recordset(%(rows)s::jsonb) as r (
    subject text, event_no bigint, occurrence integer, tick_seq bigint, tick_at timestamptz, kind text,
    severity smallint, reasons jsonb, detail jsonb);

-- name: engine_insert_snapshot
insert into engine_snapshot (tick_seq, engine_version, state, taken_over_from)
values (%(tick_seq)s, %(engine_version)s, %(state)s, %(taken_over_from)s);

-- name: engine_drop_snapshot
delete from engine_snapshot where tick_seq = %(tick_seq)s;

-- name: engine_prune_snapshots
-- The newest takeover stays: no later tick can be worked out again without it, since the log before is another version's.
delete from engine_snapshot where tick_seq < (
    select min(tick_seq) from (select tick_seq from engine_snapshot order by tick_seq desc limit %(kept)s) newest)
    and tick_seq is distinct from (select max(tick_seq) from engine_snapshot where taken_over_from is not null);

-- name: engine_notify_tick
select pg_notify(%(channel)s, %(tick_seq)s::text);

-- name: alarm_events_canonical
select tick_at, subject, event_no, occurrence, kind, severity, reasons, detail
from alarm_event order by tick_at, subject, event_no;

-- name: alarms_list
select a.subject, a.occurrence, a.severity, a.peak_severity, a.active, a.acknowledged, a.raised_at, a.cleared_at, a.reasons,
    p.name_zh, p.name_en, v.severity_since, coalesce(v.severity_reasons, '[]') as severity_reasons
from alarm a
left join lateral (
    select e.tick_at as severity_since, e.reasons as severity_reasons from alarm_event e
    where e.subject = a.subject and e.occurrence = a.occurrence and e.kind in ('raised', 'severity_up', 'severity_down')
    order by e.event_no desc limit 1
) v on true
left join device d on a.subject_kind = 'device' and d.device_id = split_part(a.subject, '/', 2)
left join place p on p.place_id = coalesce(d.place_id, split_part(a.subject, '/', 2)) and a.subject_kind <> 'system'
where a.active or not %(open_only)s order by a.active desc, a.severity desc, a.raised_at, a.subject;
