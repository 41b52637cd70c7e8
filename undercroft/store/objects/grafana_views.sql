-- The contract of the dashboards: views and functions in schema `grafana`, all that its role may read. Columns are added, never
-- renamed or dropped, while a dashboard uses them. Payloads, people's settings and secrets are not here. What belongs to a
-- place has `street`, `kind` and `space_id` of it, null where it is none or no space: the dashboards' variables ask for them.
-- A function says what stood at a moment, from the logs: what came later is not in it.

create schema grafana;
comment on schema grafana is 'Views for Grafana; the stable face of the database. Made again by `undercroft db migrate`.';

create view grafana.deployment as
select d.mode, site.document -> 'district' ->> 'id' as district_id,
    site.document -> 'district' ->> 'name_zh' as name_zh, site.document -> 'district' ->> 'name_en' as name_en,
    site.document -> 'district' ->> 'datum' as datum, site.commit_seq as site_commit_seq, site.imported_at
from public.deployment d
left join lateral (select * from public.site_version order by commit_seq desc limit 1) site on true;

create view grafana.known_space as
select s.space_id, s.kind, p.name_zh, p.name_en, p.name_zh || ' ' || p.name_en as name, p.street, p.basin_id,
    b.name_zh as basin_zh, b.name_en as basin_en, p.lat, p.lon, s.floor_level_m, s.ceiling_height_m,
    (select district_id from grafana.deployment) as district_id, p.retired_at
from public.space s
join public.place p on p.place_id = s.space_id
left join public.basin b on b.basin_id = p.basin_id;

create view grafana.space as select * from grafana.known_space where retired_at is null;

create view grafana.entrance as
select e.space_id, e.entrance_id, e.name_zh, e.name_en, e.name_zh || ' ' || e.name_en as name, e.crest_level_m,
    e.roadway_level_m, e.width_m, e.barrier_needed, e.barrier_height_m, e.barrier_leakage_grade, e.barrier_deploy_min
from public.entrance e
join grafana.space s on s.space_id = e.space_id
where e.retired_at is null;

create view grafana.known_sensor as
select n.sensor_id, n.device_id || case when n.at = '' then '' else '/' || n.at end || ':' || n.quantity as sensor_key,
    n.device_id, n.at, n.quantity, n.unit, n.place_id, p.place_kind, p.name_zh, p.name_en,
    p.name_zh || ' ' || p.name_en as place_name, p.street, p.basin_id, s.kind, n.entrance_id, n.zero_level_m,
    e.crest_level_m, e.name_zh || ' ' || e.name_en as entrance_name, d.interval_dry_s, d.interval_wet_s, s.space_id,
    least(n.retired_at, p.retired_at) as retired_at
from public.sensor n
join public.place p on p.place_id = n.place_id
join public.device d on d.device_id = n.device_id
left join public.space s on s.space_id = n.place_id
left join public.entrance e on e.space_id = n.place_id and e.entrance_id = n.entrance_id;

create view grafana.sensor as select * from grafana.known_sensor where retired_at is null;

create view grafana.conflict as
select sensor_id, observed_at, value, quality, received_at from public.observation_conflict;

create view grafana.site_version as
select commit_seq, author, imported_at from public.site_version;

create view grafana.site_space as
select v.commit_seq, s.entry ->> 'id' as space_id
from public.site_version v cross join lateral jsonb_array_elements(v.document -> 'space') as s (entry);

create view grafana.threshold as
select t.commit_seq, t.threshold_set_id, t.rule, t.kind, t.space_id, t.severity, t.value, t.unit, t.source, v.author, v.valid_from
from public.threshold t
join public.threshold_set v using (threshold_set_id, commit_seq);
comment on view grafana.threshold is 'Of every site version; `grafana.threshold_at` has those in force.';

create view grafana.tick as
select tick_seq, tick_at, up_to_commit_seq, committed_at from public.tick;

create view grafana.assessment as
select space_id, tick_seq, tick_at, level, score, blind, reasons, contributions, evidence from public.assessment;

-- Until when an order has the barriers up before a space is orange, and before it is red, as the engine last judged (docs/risk.md). `by` has a time; without a
-- nowcast the space is not wet, unless it is blind. A nowcast that starts from what was never heard knows no share of members.
create view grafana.barrier_deadline as
select a.space_id, a.tick_seq, a.tick_at, target.name as target, (a.evidence #>> '{ahead,made_at}')::timestamptz as made_at,
    case when a.evidence -> 'ahead' ->> target.word = 'by' then (a.evidence #>> '{ahead,made_at}')::timestamptz
        + (a.evidence -> 'ahead' ->> target.minutes)::float8 * interval '1 minute' end as due_at,
    case when jsonb_typeof(a.evidence -> 'ahead') is distinct from 'object' then case when a.blind then 'unknown' else 'not_wet' end
        when a.evidence -> 'ahead' ->> target.word = 'none' and a.evidence #>> array['ahead', target.name, 'members_60'] is null
            or a.evidence -> 'ahead' ->> target.word = 'not_needed' and a.blind then 'unknown'
        else coalesce(a.evidence -> 'ahead' ->> target.word, 'unknown') end as state
from public.assessment a
cross join (values ('orange', 'order', 'last_order_min'), ('red', 'order_red', 'last_order_red_min')) as target (name, word, minutes);

create view grafana.alarm as
select a.subject, a.occurrence, a.subject_kind, a.severity, a.peak_severity, a.active, a.acknowledged, a.latched,
    a.suppressed_by, a.raised_at, a.cleared_at, a.reasons -> 0 ->> 'text_zh' as reason_zh, a.reasons -> 0 ->> 'text_en' as reason_en,
    coalesce(p.name_zh || ' ' || p.name_en || case when d.device_id is null then '' else ' · ' || d.device_id end,
        case a.subject_kind when 'system' then '系统 System · ' when 'device' then '设备 Device · ' else '' end
            || substr(a.subject, strpos(a.subject, '/') + 1)) as name,
    p.place_id, p.street, s.kind, s.space_id
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
select kind, subject, author, acted_at, body, commit_seq from public.act;

create view grafana.incident as
select incident_id, basin_id, opened_at, closed_at, worst from public.incident;

create view grafana.duty_order as
select o.order_id, o.incident_id, o.subject, split_part(o.subject, '/', 2) as place_id,
    coalesce(p.name_zh || ' ' || p.name_en, o.subject) as name, p.street, o.entrance, o.proof, o.state, o.severity, o.owner,
    o.author, o.changed_at, o.due_at, o.leader, o.team, o.plan, o.single_voice, o.reminders, o.reminded_at,
    o.answered_at, o.confirmed_until,
    exists (select from public.incident i where i.incident_id = o.incident_id and i.closed_at is null) as goes_on,
    s.kind, s.space_id, o.within_s
from public.duty_order o
left join public.place p on 'space/' || p.place_id = o.subject
left join public.space s on s.space_id = p.place_id;

-- Every step of every order, as the duty log has it; `state` is where the step leads (duty.orders.orders.TRANSITIONS).
create view grafana.order_step as
select l.entry_no, l.at, l.body ->> 'order' as order_id, l.body ->> 'step' as step, l.body ->> 'proof' as proof,
    l.body ->> 'owner' as owner, l.author,
    case l.body ->> 'step' when 'issue' then 'issued' when 'take' then 'taken' when 'confirm' then 'confirmed'
        when 'refuse' then 'refused' when 'cancel' then 'cancelled' when 'undo' then 'issued' end as state,
    coalesce(p.name_zh || ' ' || p.name_en, l.subject) as name, p.street, s.kind, s.space_id
from public.duty_log l
left join public.place p on 'space/' || p.place_id = l.subject
left join public.space s on s.space_id = p.place_id
where l.kind = 'order';

create view grafana.report_due as
select d.incident_id, coalesce(b.name_zh || ' ' || b.name_en, i.basin_id) as name, d.kind, d.serial, d.due_at, d.reminders,
    d.reminded_at, r.author, r.drafted_at, r.submitted_at, r.submitted_by, handed_in.at is null as is_open, i.opened_at,
    handed_in.at as closed_at
from public.report_due d
join public.incident i using (incident_id)
left join public.basin b using (basin_id)
left join public.report r on r.incident_id = d.incident_id and r.serial = d.serial
cross join lateral (
    select min(h.submitted_at) as at from public.report h
    where h.incident_id = d.incident_id and (h.serial >= d.serial or h.kind = 'final')) handed_in;

create view grafana.stock as
select k.place_id, k.item, k.quantity, p.place_kind, p.name_zh || ' ' || p.name_en as name, p.street, s.kind, s.space_id
from public.stock k
join public.place p using (place_id)
left join public.space s on s.space_id = p.place_id
where p.retired_at is null;

create view grafana.stock_movement as
select m.commit_seq, m.acted_at, m.place_id, p.name_zh || ' ' || p.name_en as place, p.street, m.item, m.quantity,
    m.counted, m.quantity_left, m.reason, m.author, s.kind, s.space_id
from public.stock_movement m
left join public.place p using (place_id)
left join public.space s on s.space_id = p.place_id;

create view grafana.requirement as
select space_id, nullif(entrance_id, '') as entrance_id, item, quantity from public.requirement;

create view grafana.batch as
select batch_id, commit_seq, lane, observed_from, observed_to, messages, redelivered, readings, stored, duplicates,
    conflicts, dead_letters, coalesce(run_now, committed_at) as at, committed_at, run_now is not null as is_run
from public.batch;

-- The site version in force at a moment: the newest that was imported by then, or, since an exercise is played at any date,
-- whose first batch afterwards came by then. Before the first one, that one: nothing is known of its spaces, and is said so.
create function grafana.site_at(moment timestamptz) returns bigint language sql stable as $$
    select coalesce(max(v.commit_seq) filter (where v.imported_at <= moment or (
        select b.at from grafana.batch b where b.commit_seq > v.commit_seq order by b.commit_seq limit 1) <= moment),
        min(v.commit_seq))
    from grafana.site_version v
$$;

-- The spaces that the site in force at a moment names, whether they are still there or not; names and streets are today's.
-- The site of today is told by the tables alone: its document need not be read.
create function grafana.space_at(moment timestamptz) returns setof grafana.known_space language sql stable as $$
    select k.* from grafana.known_space k
    where case when (select grafana.site_at(moment)) is not distinct from (select max(v.commit_seq) from grafana.site_version v)
        then k.retired_at is null
        else k.space_id in (select s.space_id from grafana.site_space s where s.commit_seq = (select grafana.site_at(moment))) end
$$;

-- The sets of the site in force at a moment that were valid then. `place` is the order in which they apply: the later wins, as in
-- risk.thresholds.thresholds_at.
create function grafana.threshold_at(moment timestamptz) returns table (
    rule text, kind text, space_id text, severity smallint, value double precision, unit text, source text, author text,
    valid_from timestamptz, place bigint
) language sql stable as $$
    select t.rule, t.kind, t.space_id, t.severity, t.value, t.unit, t.source, t.author, t.valid_from,
        dense_rank() over (order by t.valid_from, t.threshold_set_id collate "C")
    from grafana.threshold t
    where t.valid_from <= moment and t.commit_seq = (select grafana.site_at(moment))
$$;

create view grafana.dead_letter as
select l.dead_letter_id, l.topic, l.reason, l.detail, l.device_id, l.payload_bytes, l.times_seen, l.first_received_at,
    l.last_received_at, p.street, s.kind, s.space_id
from public.dead_letter l
left join public.device d on d.device_id = l.device_id
left join public.place p on p.place_id = d.place_id
left join public.space s on s.space_id = p.place_id;

create view grafana.system_condition as
select subject, name, is_active, value, threshold, unit, detail, changed_at from public.system_condition;

create view grafana.notification as
select notification_id, incident_id, reason, step, severity, person_id, channel, state, merged_into, attempts, failures,
    queued_at, next_try_at, settled_at, error
from public.notification;

-- Conditions as they stood at a moment: each change is an act too, in the transaction that made it.
create function grafana.condition_at(moment timestamptz) returns table (
    subject text, name text, is_active boolean, value double precision, threshold double precision, unit text, detail text,
    changed_at timestamptz
) language sql stable as $$
    select c.subject, c.name, (told.body ->> 'is_active')::boolean, (told.body ->> 'value')::float8,
        (told.body ->> 'threshold')::float8, told.body ->> 'unit', told.body ->> 'detail', told.acted_at
    from grafana.system_condition c
    cross join lateral (
        select a.body, a.acted_at from grafana.act a
        where a.kind = 'system_condition' and a.subject = c.subject || '/' || c.name and a.acted_at <= moment
        order by a.commit_seq desc limit 1
    ) told
$$;

create view grafana.flood_library as
select version, built_at, built_until, author, source, sensors, floods from public.flood_library;

-- Libraries of past floods that there were at a moment, and the one in use then.
create function grafana.flood_library_at(moment timestamptz) returns table (
    version integer, built_at timestamptz, built_until timestamptz, author text, source text, sensors integer, floods integer,
    in_force boolean
) language sql stable as $$
    select l.version, l.built_at, l.built_until, l.author, l.source, l.sensors, l.floods,
        coalesce((newest.body ->> 'version')::int = l.version, false)
    from grafana.flood_library l
    left join lateral (
        select a.body from grafana.act a
        where a.kind = 'flood_library' and a.acted_at <= moment order by a.commit_seq desc limit 1
    ) newest on true
    where l.built_at <= moment
$$;

-- Messages of a stretch of time, and those that waited at its end, as they stood there. What had not settled by then is
-- told as queued; its tries and the answer to them are known only while it still waits.
create function grafana.notification_at(since timestamptz, moment timestamptz) returns table (
    notification_id bigint, incident_id text, reason text, step smallint, severity smallint, person_id text, channel text,
    state text, merged_into bigint, attempts integer, failures integer, queued_at timestamptz, next_try_at timestamptz,
    settled_at timestamptz, error text
) language sql stable as $$
    select n.notification_id, n.incident_id, n.reason, n.step, n.severity, n.person_id, n.channel,
        case when later then 'queued' else n.state end, case when not later then n.merged_into end,
        case when not later then n.attempts end, case when not later then n.failures end, n.queued_at,
        case when not later then n.next_try_at end, case when not later then n.settled_at end, case when not later then n.error end
    from grafana.notification n
    cross join lateral (select coalesce(n.settled_at > moment, false) as later) l
    where n.queued_at <= moment and (n.queued_at >= since or n.settled_at > moment or n.state in ('queued', 'sending'))
$$;

-- Alarms open at a moment, with the severity, the reason and the acknowledgement that they had then (risk.asof.open_alarms).
create function grafana.alarm_at(moment timestamptz) returns table (
    subject text, occurrence integer, name text, street text, kind text, space_id text, raised_at timestamptz,
    severity smallint, reason_zh text, reason_en text, changed_at timestamptz, acknowledged boolean
) language sql stable as $$
    select a.subject, a.occurrence, a.name, a.street, a.kind, a.space_id, a.raised_at, told.severity, told.reason_zh,
        told.reason_en, told.changed_at, coalesce(told.acknowledged_no > told.grew_no, false)
    from grafana.alarm a
    cross join lateral (
        select (array_agg(e.severity order by e.event_no desc))[1] as severity, max(e.tick_at) as changed_at,
            (array_agg(e.reason_zh order by e.event_no desc) filter (where e.reason_zh is not null))[1] as reason_zh,
            (array_agg(e.reason_en order by e.event_no desc) filter (where e.reason_en is not null))[1] as reason_en,
            max(e.event_no) filter (where e.kind = 'acknowledged') as acknowledged_no,
            max(e.event_no) filter (where e.kind in ('raised', 'severity_up', 'reason_added')) as grew_no
        from grafana.alarm_event e
        where e.subject = a.subject and e.occurrence = a.occurrence and e.tick_at <= moment and e.kind <> 'refused'
    ) told
    where a.raised_at <= moment and (a.cleared_at is null or a.cleared_at > moment)
$$;

-- Orders as they stood at a moment: those that waited, those whose incident went on, and those that moved since another
-- one. Told by their steps; reminders are null where somebody was reminded since. A confirmation counts for three hours
-- (duty.orders.orders.CONFIRMED_FOR).
create function grafana.order_at(since timestamptz, moment timestamptz) returns table (
    order_id text, name text, street text, kind text, space_id text, proof text, severity smallint, leader text, team text,
    plan text, single_voice text, owner text, state text, changed_at timestamptz, due_at timestamptz,
    answered_at timestamptz, confirmed_until timestamptz, reminders integer, goes_on boolean
) language sql stable as $$
    select o.order_id, o.name, o.street, o.kind, o.space_id, o.proof, o.severity, o.leader, o.team, o.plan, o.single_voice,
        newest.owner, newest.state, newest.at, issued.at + o.within_s * interval '1 second',
        (select min(s.at) from grafana.order_step s where s.order_id = o.order_id and s.step = 'confirm'
            and s.at <= moment and s.entry_no > (select max(u.entry_no) from grafana.order_step u
                where u.order_id = o.order_id and u.step in ('issue', 'undo') and u.at <= moment)),
        case when newest.state = 'confirmed' then newest.at + interval '3 hours' end,
        case when o.reminded_at is null or o.reminded_at <= moment then o.reminders end,
        coalesce(i.opened_at <= moment and (i.closed_at is null or i.closed_at > moment), false)
    from (
        select c.order_id from grafana.duty_order c where c.changed_at >= since
        union
        select w.order_id from grafana.duty_order w where w.state not in ('confirmed', 'cancelled')
        union
        select g.order_id from grafana.incident j join grafana.duty_order g on g.incident_id = j.incident_id
        where j.closed_at is null or j.closed_at > moment
    ) looked_at
    cross join lateral ( -- those few by their index: all orders of years are not read through
        select * from grafana.duty_order c where c.order_id = looked_at.order_id offset 0
    ) o
    cross join lateral (
        select s.entry_no, s.at, s.state, s.owner from grafana.order_step s
        where s.order_id = o.order_id and s.at <= moment order by s.entry_no desc limit 1
    ) newest
    left join lateral (
        select s.at from grafana.order_step s
        where s.order_id = o.order_id and s.step = 'issue' and s.at <= moment order by s.entry_no desc limit 1
    ) issued on true
    left join grafana.incident i on i.incident_id = o.incident_id
$$;

-- Every entrance that needs a barrier, and how its barrier was judged last in a stretch of time, in the engine's word; null
-- where the engine said nothing of it. The stretch's first tick says where the index begins: without it each look reads all
-- judgements of a space that share a page.
create function grafana.barrier_at(since timestamptz, moment timestamptz) returns table (
    space_id text, name text, street text, kind text, entrance_id text, entrance text, height_m double precision,
    deploy_min double precision, barrier text, judged_at timestamptz
) language sql stable as $$
    select s.space_id, s.name, s.street, s.kind, e.entrance_id, e.name, e.barrier_height_m, e.barrier_deploy_min,
        told.barrier, newest.tick_at
    from grafana.entrance e
    join grafana.space s on s.space_id = e.space_id
    cross join (
        select coalesce(min(t.tick_seq), 0) as tick_seq from grafana.tick t where t.tick_at > since and t.tick_at <= moment
    ) first
    left join lateral (
        select a.evidence, a.tick_at from grafana.assessment a
        where a.space_id = s.space_id and a.tick_seq >= first.tick_seq and a.tick_at > since and a.tick_at <= moment
        order by a.tick_seq desc limit 1
    ) newest on true
    left join lateral (
        select j ->> 'barrier' as barrier from jsonb_array_elements(newest.evidence -> 'entrances') j
        where j ->> 'entrance' = e.entrance_id limit 1
    ) told on true
    where e.barrier_needed
$$;

-- What every depot and space held at a moment: what the last movement before it left, else what there was before the
-- first one after it (null where that one was a count), else what the site file states.
create function grafana.stock_at(moment timestamptz) returns table (
    place_id text, place_kind text, name text, street text, kind text, space_id text, item text, quantity double precision,
    changed_at timestamptz
) language sql stable as $$
    select k.place_id, k.place_kind, k.name, k.street, k.kind, k.space_id, k.item,
        case when past.commit_seq is not null then past.quantity_left
            when later.commit_seq is not null then later.quantity_left - later.quantity else k.quantity end,
        coalesce(past.acted_at, (select d.imported_at from grafana.deployment d where d.imported_at <= moment))
    from grafana.stock k
    left join lateral (
        select m.commit_seq, m.acted_at, m.quantity_left from grafana.stock_movement m
        where m.place_id = k.place_id and m.item = k.item and m.acted_at <= moment order by m.commit_seq desc limit 1
    ) past on true
    left join lateral (
        select m.commit_seq, m.quantity_left, m.quantity from grafana.stock_movement m
        where m.place_id = k.place_id and m.item = k.item and m.acted_at > moment order by m.commit_seq limit 1
    ) later on true
$$;
