-- What the notifier reads and writes.

-- name: duty_try_lock
select pg_try_advisory_lock(hashtext('undercroft'), hashtext('duty')) as locked;

-- name: duty_progress
select p.tick_seq, p.decided_at, d.deployment_id::text as deployment_id
from duty_progress p cross join deployment d;

-- name: duty_ticks_after
select tick_seq, tick_at from tick where tick_seq > %(tick_seq)s order by tick_seq limit %(most)s;

-- name: duty_newest_tick
select coalesce(max(tick_seq), 0) as tick_seq from tick;

-- name: duty_events
select e.subject, e.occurrence, e.event_no, e.kind, e.severity, e.tick_at, e.tick_seq, e.reasons,
    coalesce(p.basin_id, q.basin_id, 'district') as basin_id
from alarm_event e
left join place p on e.subject = 'space/' || p.place_id
left join device d on e.subject = 'device/' || d.device_id
left join place q on q.place_id = d.place_id
where e.tick_seq > %(after)s and e.tick_seq <= %(up_to)s
order by e.tick_seq, e.subject, e.event_no;

-- name: duty_events_of
select e.subject, e.occurrence, e.event_no, e.kind, e.severity, e.tick_at, e.tick_seq, e.reasons, '' as basin_id
from unnest(%(subjects)s::text[], %(occurrences)s::int[]) as a (subject, occurrence)
join alarm_event e using (subject, occurrence)
where e.tick_seq <= %(up_to)s and e.kind in ('cleared', 'stood_down', 'acknowledged') and not exists (
    select from alarm_event n
    where n.subject = e.subject and n.occurrence = e.occurrence and n.event_no > e.event_no and n.tick_seq <= %(up_to)s
        and n.kind in ('raised', 'severity_up', 'reason_added'))
order by e.tick_seq, e.subject, e.event_no;

-- name: duty_gone
select 'space/' || place_id as subject from place
where 'space/' || place_id = any(%(subjects)s::text[]) and retired_at is not null;

-- name: duty_basins_of
select distinct basin_id from place where 'space/' || place_id = any(%(subjects)s::text[]) and retired_at is null;

-- name: duty_open_incidents
select incident_id, basin_id, opened_at, worst, state from incident where closed_at is null order by incident_id;

-- name: duty_save_incidents
insert into incident (incident_id, basin_id, opened_at, closed_at, worst, state)
select * from unnest(
    %(incident_id)s::text[], %(basin_id)s::text[], %(opened_at)s::timestamptz[], %(closed_at)s::timestamptz[],
    %(worst)s::smallint[], %(state)s::jsonb[])
on conflict (incident_id) do update set
    closed_at = excluded.closed_at, worst = excluded.worst, state = excluded.state;

-- name: duty_queue
insert into notification (key, cause, incident_id, reason, step, severity, person_id, channel, address, title, body,
    decided_at, state, error, subjects, also_for, queued_at)
select key, cause, incident_id, reason, step, severity, person_id, channel, address, title, body, decided_at, state, error,
    string_to_array(subjects, ' '), string_to_array(also_for, E'\n'), %(queued_at)s
from unnest(
    %(key)s::text[], %(cause)s::text[], %(incident_id)s::text[], %(reason)s::text[], %(step)s::smallint[],
    %(severity)s::smallint[], %(person_id)s::text[], %(channel)s::text[], %(address)s::text[], %(title)s::text[],
    %(body)s::text[], %(decided_at)s::timestamptz[], %(state)s::text[], %(error)s::text[], %(subjects)s::text[],
    %(also_for)s::text[])
    as m (key, cause, incident_id, reason, step, severity, person_id, channel, address, title, body, decided_at, state,
        error, subjects, also_for)
on conflict (key) do nothing;

-- name: duty_save_progress
update duty_progress set tick_seq = %(tick_seq)s, decided_at = %(decided_at)s, beat_at = %(beat_at)s;

-- name: duty_beat
update duty_progress set beat_at = %(beat_at)s;

-- name: duty_refusing
select refusing from duty_progress;

-- name: duty_remember_refusing
update duty_progress set refusing = %(refusing)s::jsonb;

-- name: duty_open_messages
-- At most so many of those that failed, and so many of the others: neither hides the other.
select notification_id, key, reason, severity, address, title, body, attempts, failures, doubtful, next_try_at, carries,
    address_failures
from (
    select n.*, exists (select from notification m where m.merged_into = n.notification_id and not m.gave_way) as carries,
        max(failures) over (partition by address) as address_failures,
        row_number() over (partition by failures > 0
            order by reason = any(%(again)s::text[]), severity desc, next_try_at, notification_id) as place
    from notification n where channel = %(channel)s and state in ('queued', 'sending')
) waiting
where place <= %(most)s
order by reason = any(%(again)s::text[]), severity desc, failures > 0, next_try_at, notification_id;

-- name: duty_give_way
-- The stem of a cause (what stands before its number) is the matter: an incident, an order, a report. The newer text tells all
-- of it as it stands now, so the older one is not sent; it fares as the newer one does.
with waiting as (
    select notification_id, state = 'queued' and reason = any(%(again)s::text[]) as may_give_way,
        max(notification_id) over (partition by address, split_part(cause, '#', 1)) as newest
    from notification where channel = %(channel)s and state in ('queued', 'sending')
), past as (
    select notification_id, newest from waiting w where may_give_way and notification_id < newest
        and not exists (select from notification m where m.merged_into = w.notification_id and not m.gave_way)
)
update notification n set state = 'merged', merged_into = p.newest, gave_way = true
from past p
where n.notification_id = p.notification_id or (n.merged_into = p.notification_id and n.gave_way);

-- name: duty_merge
update notification set state = 'merged', merged_into = %(carrier)s
where (notification_id = any(%(others)s::bigint[]) and state = 'queued') or merged_into = any(%(others)s::bigint[]);

-- name: duty_merged_bodies
select notification_id, reason, body from notification where merged_into = %(carrier)s and not gave_way
order by severity desc, notification_id;

-- name: duty_told_before
-- The first message that an address takes of an incident is in full, so any later one may be cut; but for people who share the
-- address and were not among those it was for. What gave way was never sent. Asked again, it answers the same: an attempt
-- that is repeated is the same text.
select n.notification_id from notification n
where n.notification_id = any(%(ids)s::bigint[]) and n.reason = 'repeat' and exists (
    select from notification m
    where m.incident_id = n.incident_id and m.channel = n.channel and m.address = n.address
        and m.notification_id < n.notification_id and not m.gave_way and m.state in ('accepted', 'handed_over')
        and m.reason in ('first', 'worse', 'repeat', 'escalated', 'refused')
        and m.settled_at <= coalesce(n.first_attempt_at, 'infinity')
        and (array[m.person_id] || m.also_for) @> (array[n.person_id] || n.also_for));

-- name: duty_begin_attempt
update notification set attempts = attempts + 1, first_attempt_at = coalesce(first_attempt_at, %(at)s),
    state = case when notification_id = %(id)s then 'sending' else state end,
    attempt_times = case when notification_id = %(id)s then attempt_times[greatest(cardinality(attempt_times) - 4, 1):] || %(at)s
        else attempt_times end
where notification_id = %(id)s or merged_into = %(id)s;

-- name: duty_sent_since
select t.at from notification n cross join unnest(n.attempt_times) as t (at)
where n.channel = %(channel)s and n.attempt_times <> '{}' and t.at > %(since)s and t.at <= %(now)s order by 1;

-- name: duty_held_until
select max(next_try_at) as held_until from notification
where channel = %(channel)s and state in ('queued', 'sending') and holds_channel;

-- name: duty_settle
update notification set state = %(state)s, receipt = %(receipt)s, error = %(error)s, settled_at = %(at)s
where notification_id = %(id)s or merged_into = %(id)s;

-- name: duty_postpone
-- What it carries fares as it does, and stays merged.
update notification set state = case when notification_id = %(id)s then 'queued' else state end, error = %(error)s,
    failures = %(failures)s, doubtful = %(doubtful)s, next_try_at = %(next_try_at)s, holds_channel = %(holds_channel)s
where notification_id = %(id)s or merged_into = %(id)s;

-- name: duty_unreached
-- Causes that reached nobody, and whose rescue was not tried yet: every message was refused, or none was taken within the
-- interval of its severity, counted from its queueing. Told to the fallback alone: once is enough. What was queued before
-- `since` is history: an incident that is still open has told of itself again since.
select cause, incident_id, max(severity)::int as severity, max(step)::int as step, min(title) as title, min(body) as body,
    min(array_to_string(subjects, ' ')) as subjects, bool_and(is_refused) as is_refused,
    bool_and(reason = 'repeat') as is_repeat
from (
    select *, state = 'failed' or (state in ('queued', 'sending', 'merged') and doubtful >= %(most)s) as is_refused
    from notification
) n
where cause not like '%%!' and reason not in ('all_clear', 'ended', 'probe') and cause in (
    select cause from notification where state in ('failed', 'queued', 'sending') and queued_at > %(since)s
    union select m.cause from notification c join notification m on m.merged_into = c.notification_id
    where c.state in ('queued', 'sending') and c.queued_at > %(since)s)
group by cause, incident_id
having (bool_and(is_refused) or (
        bool_and(state in ('failed', 'queued', 'sending', 'merged')) and bool_or(person_id <> %(fallback)s)
        and min(queued_at) <= %(now)s::timestamptz
            - case max(severity) when 4 then %(red)s::interval when 3 then %(orange)s::interval else %(yellow)s::interval end))
    and not exists (select from notification r where r.cause = n.cause || '!');

-- name: duty_refused_steps
-- Steps of the roster of which everybody, on every channel, refused what a cause told them.
select cause, step::int as step, array_agg(distinct person_id) as people from notification
where cause = any(%(causes)s::text[])
group by cause, step
having bool_and(state = 'failed' or (state in ('queued', 'sending', 'merged') and doubtful >= %(most)s));

-- name: duty_told
-- Whom an incident told since its end was told last, and how: each address once.
select distinct on (channel, address) person_id, channel, address, step::int as step, reason from notification
where incident_id = %(incident_id)s and reason = any(%(reasons)s::text[])
    and notification_id > coalesce((
        select max(notification_id) from notification where incident_id = %(incident_id)s and reason in ('all_clear', 'ended')), 0)
order by channel, address, step, notification_id;

-- name: duty_channel_faults
-- Of each channel: how many addresses refused what they were sent last, and since when messages wait that nobody took, while
-- the channel took nothing else. A refusal stands for as long as roster or fallback use the address; for another one it counts
-- since a time, and that of an end, which goes to whoever was told, does not. `to_probe` are the addresses in use whose refusal is
-- older than a time and for which nothing waits. `people` are whose the refusing addresses are, one a line.
with used as (
    select channel, address, string_agg(distinct person_id, E'\n') as people from (
        select r.reach ->> 'channel' as channel, r.reach ->> 'address' as address, s.person_id
        from roster_shift s cross join jsonb_array_elements(s.reach) as r (reach)
        where s.ends_at > %(now)s::timestamptz and s.starts_at < %(now)s::timestamptz + interval '8 days'
        union all select channel, address, 'fallback' from unnest(%(channels)s::text[], %(addresses)s::text[]) as f (channel, address)
    ) of_whom group by channel, address
), settled as (
    select u.channel, u.address, u.people, n.is_refused, n.error, case when n.at < %(probe_before)s and not exists (
            select from notification w where w.state in ('queued', 'sending') and w.channel = u.channel and w.address = u.address)
        then u.address end as to_probe
    from used u cross join lateral (
        select state = 'failed' as is_refused, error, coalesce(settled_at, queued_at) as at from notification
        where channel = u.channel and address = u.address and state in ('accepted', 'handed_over', 'failed')
        order by coalesce(settled_at, queued_at) desc, notification_id desc limit 1
    ) n
    union all
    select channel, address, person_id, is_refused, error, null from (
        select distinct on (channel, address) channel, address, person_id, state = 'failed' as is_refused, error
        from notification
        where state in ('accepted', 'handed_over', 'failed') and reason not in ('all_clear', 'ended')
            and (settled_at > %(since)s or settled_at is null and state = 'failed' and queued_at > %(since)s)
            and (channel, address) not in (select channel, address from used)
        order by channel, address, coalesce(settled_at, queued_at) desc, notification_id desc
    ) others
), doubted as (
    select distinct on (channel, address) channel, address, person_id as people, true as is_refused, error, null as to_probe
    from notification where state in ('queued', 'sending') and doubtful >= %(most)s order by channel, address, notification_id desc
), refused as (
    select channel, count(distinct address)::int as refused, max(error) as error, array_remove(array_agg(to_probe), null) as to_probe,
        string_agg(people, E'\n') as people, array_agg(distinct address) as addresses
    from (select * from settled union all select * from doubted) every where is_refused group by channel
), waits as (
    select w.channel, min(w.first_attempt_at) as waits_since, max(w.error) as error
    from notification w
    where w.state in ('queued', 'sending') and w.failures > 0 and not exists (
        select from notification a
        where a.channel = w.channel and a.state in ('accepted', 'handed_over') and a.settled_at > w.first_attempt_at)
    group by w.channel
)
select coalesce(r.channel, w.channel) as channel, coalesce(r.refused, 0) as refused, w.waits_since,
    coalesce(r.error, w.error, '') as error, coalesce(r.to_probe, '{}') as to_probe, coalesce(r.people, '') as people,
    coalesce(r.addresses, '{}') as addresses
from refused r full join waits w on w.channel = r.channel order by 1;

-- name: duty_shifts
select starts_at, ends_at, step, standing, person_id, name, phone, reach from roster_shift
where ends_at > %(starts_at)s and starts_at < %(ends_at)s order by starts_at, step, standing;

-- name: duty_absences
select person_id, starts_at, ends_at from roster_absence
where ends_at > %(starts_at)s and starts_at < %(ends_at)s and taken_back_at is null
order by starts_at, person_id;

-- name: duty_late_orders
-- Orders whose clock runs and is over at a time, with how far the telling of it has come; not at a space that left the site.
select order_id, incident_id, subject, entrance, proof, state, owner, author, changed_at, due_at, within_s, text_zh, text_en,
    note, severity, leader, team, plan, single_voice, reminders, reminded_step, reminded_at
from duty_order where state in ('issued', 'taken') and due_at < %(at)s and not exists (
    select from place p where 'space/' || p.place_id = duty_order.subject and p.retired_at is not null)
order by due_at, order_id;

-- name: duty_remind_orders
-- Only of the clock that was found late: one that was started anew meanwhile is not late.
update duty_order o set reminders = r.reminders, reminded_step = r.reminded_step, reminded_at = r.reminded_at
from unnest(%(order_id)s::text[], %(due_at)s::timestamptz[], %(reminders)s::int[], %(reminded_step)s::smallint[],
    %(reminded_at)s::timestamptz[]) as r (order_id, due_at, reminders, reminded_step, reminded_at)
where o.order_id = r.order_id and o.due_at = r.due_at;

-- name: duty_serious_incidents
-- Incidents of which a space was as grave as has to be reported, with since when; those reported to the end are left out.
select i.incident_id, i.basin_id, i.state, s.serious_at
from incident i
cross join lateral (
    select min(e.tick_at) as serious_at from incident_event e
    where e.incident_id = i.incident_id and e.severity >= %(least)s
) s
where i.worst >= %(least)s and s.serious_at is not null
    and not exists (select from report r where r.incident_id = i.incident_id and r.kind = 'final' and r.submitted_at is not null)
    and (i.closed_at is null or i.closed_at > (select max(opened_at) from incident) - interval '60 days');

-- name: duty_reports
select incident_id, kind, serial, author, submitted_at from report where incident_id = any(%(incident_ids)s::text[])
order by drafted_at, serial;

-- name: duty_report_clocks
select incident_id, kind, serial, due_at, reminders, reminded_step, reminded_at from report_due
where incident_id = any(%(incident_ids)s::text[]) order by incident_id, due_at, serial;

-- name: duty_forget_report_clocks
delete from report_due where incident_id = any(%(incident_ids)s::text[]);

-- name: duty_save_report_clocks
insert into report_due (incident_id, kind, serial, due_at, reminders, reminded_step, reminded_at)
select * from unnest(%(incident_id)s::text[], %(kind)s::text[], %(serial)s::int[], %(due_at)s::timestamptz[],
    %(reminders)s::int[], %(reminded_step)s::smallint[], %(reminded_at)s::timestamptz[]);

-- name: duty_names
select 'space/' || p.place_id as subject, p.name_zh, p.name_en, s.kind, p.street, exists (
    select from entrance e
    where e.space_id = s.space_id and e.barrier_height_m is not null and e.retired_at is null) as has_barrier
from place p join space s on s.space_id = p.place_id
union all
select 'device/' || d.device_id, p.name_zh || ' 设备 ' || d.device_id, p.name_en || ', device ' || d.device_id, null, p.street, false
from device d join place p on p.place_id = d.place_id
union all
select distinct subject, '系统 ' || split_part(subject, '/', 2), 'system: ' || split_part(subject, '/', 2), null, '', false
from alarm where subject_kind = 'system'
union all
select 'basin/' || basin_id, name_zh, name_en, null, '', false from basin;

-- name: duty_site_seq
select coalesce(max(commit_seq), 0) as commit_seq from site_version;

-- name: duty_signs
-- What changes whenever a part has done something; nobody's clock is compared with it.
select
    (select mode from deployment) as mode,
    (select max(tick_seq) from tick)::text as engine,
    (select beat_at from duty_progress)::text as duty,
    (select commit_seq from batch order by commit_seq desc limit 1)::text as ingest;

-- name: duty_set_back
-- What a clock that was ahead wrote: orders whose clock began in what is the future now, when lateness was told last, and
-- the times of messages, so that none counts as just sent, or as refused, for as long as the clock was ahead.
with orders as (
    update duty_order set reminded_at = reminded_at - %(by)s::interval,
        due_at = case when due_at - within_s * interval '1 second' > %(now)s then due_at - %(by)s::interval else due_at end
    where state in ('issued', 'taken')
        and (reminded_at is not null or due_at - within_s * interval '1 second' > %(now)s)
), clocks as (
    update report_due set reminded_at = reminded_at - %(by)s::interval where reminded_at is not null
)
update notification set queued_at = least(queued_at, %(now)s), first_attempt_at = least(first_attempt_at, %(now)s),
    settled_at = least(settled_at, %(now)s)
where queued_at > %(now)s or first_attempt_at > %(now)s or settled_at > %(now)s;
