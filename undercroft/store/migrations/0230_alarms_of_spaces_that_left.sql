-- Before engine version 14 the alarm of a space that a site import took out stayed as it was, for ever: no later tick has
-- that space. What is left of them ends at the last tick, in the words and with the number that the engine has for it;
-- a space that left after that tick is ended by the next one. The notifier takes it in when it starts.

with newest as (
    select tick_seq, tick_at, up_to_commit_seq from tick order by tick_seq desc limit 1
), known as (
    select document from site_version, newest where commit_seq <= up_to_commit_seq order by commit_seq desc limit 1
), left_over as (
    select a.subject, a.occurrence, a.active, a.peak_severity, a.raised_at, n.tick_seq, n.tick_at,
        row_number() over (partition by a.subject order by a.occurrence) + coalesce(
            (select max(e.event_no) from alarm_event e where e.subject = a.subject), 0) as event_no
    from alarm a cross join newest n cross join known k
    where a.subject_kind = 'space' and (a.active or a.latched) and not exists (
        select from jsonb_array_elements(k.document -> 'space') s where 'space/' || (s ->> 'id') = a.subject)
), told as (
    insert into alarm_event (subject, event_no, occurrence, tick_seq, tick_at, kind, severity, reasons, detail)
    select subject, event_no, occurrence, tick_seq, tick_at,
        case when active then 'cleared' else 'acknowledged' end, 0, '[]',
        case when active then jsonb_build_object(
                'peak_severity', peak_severity, 'by', 'the space is no longer in the site',
                'lasted_s', floor(extract(epoch from tick_at - raised_at))::bigint)
            else jsonb_build_object('author', 'site import', 'comment', 'the space is no longer in the site') end
    from left_over
)
update alarm a
set active = false, latched = false, acknowledged = a.acknowledged or not l.active, shelved_until = null,
    suppressed_by = null, cleared_at = case when l.active then l.tick_at else a.cleared_at end, last_tick_seq = l.tick_seq
from left_over l where a.subject = l.subject and a.occurrence = l.occurrence;
