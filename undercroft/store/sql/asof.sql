-- What staff could see at a tick: assessments, alarms and observations as they stood then.

-- name: asof_tick
select tick_seq, tick_at, up_to_commit_seq, run_seq, nowcast_id, flood_library, committed_at from tick
where tick_at <= %(at)s order by tick_seq desc limit 1;

-- name: asof_newest_tick
select tick_seq, tick_at, up_to_commit_seq, run_seq, nowcast_id, flood_library, committed_at from tick order by tick_seq desc limit 1;

-- name: asof_assessments
-- Of the spaces of the site in force then.
with site as materialized (
    select document from site_version
    where commit_seq <= (select up_to_commit_seq from tick where tick_seq <= %(tick_seq)s order by tick_seq desc limit 1)
    order by commit_seq desc limit 1
)
select s.space_id, a.tick_seq, a.tick_at, a.level, a.score, a.blind, a.reasons, a.contributions, a.evidence
from (select of_site ->> 'id' as space_id from site, jsonb_array_elements(site.document -> 'space') of_site) s
cross join lateral (
    select * from assessment where assessment.space_id = s.space_id and assessment.tick_seq <= %(tick_seq)s
    order by assessment.tick_seq desc limit 1
) a
where %(space)s::text is null or s.space_id = %(space)s
order by a.level desc, a.score desc, s.space_id;

-- name: asof_alarm_events
select e.subject, e.event_no, e.occurrence, e.tick_seq, e.tick_at, e.kind, e.severity, e.reasons, e.detail
from alarm_event e
where e.tick_seq <= %(tick_seq)s and (%(space)s::text is null or e.subject = 'space/' || %(space)s)
order by e.subject, e.event_no;

-- name: asof_observations
-- The newest reading of every sensor of the site in force then, at its place of then, that was committed then; of two for one instant the one that came first. A reading
-- whose batch is no longer kept (see retention_class) counts from its receipt. What lies over ten minutes ahead of the tick was stamped
-- by a clock that was ahead, and was set back. `site_seq` is the version of the site in force then, `said_seq` that when the reading came.
with site as materialized (
    select commit_seq, document from site_version where commit_seq <= %(up_to)s order by commit_seq desc limit 1
), placed as (
    select distinct place ->> 'id' as place_id, device ->> 'id' as device_id, coalesce(probe ->> 'at', '') as at,
        probe ->> 'quantity' as quantity
    from site cross join unnest(array['space', 'gauge']) kind
    cross join jsonb_array_elements(site.document -> kind) place
    cross join jsonb_array_elements(place -> 'devices') device
    cross join jsonb_array_elements(device -> 'sensors' || '[{"quantity": "online"}]') probe
)
select n.sensor_id, n.device_id, n.at, n.quantity, n.unit, p.place_id, o.observed_at, o.value, o.quality,
    (select commit_seq from site) as site_seq,
    (
        select max(s.commit_seq) from site_version s
        where case when o.commit_seq is null then s.imported_at <= o.received_at else s.commit_seq <= o.commit_seq end
    ) as said_seq
from placed p
join sensor n on n.device_id = p.device_id and n.at = p.at and n.quantity = p.quantity
cross join lateral (
    select v.observed_at, v.value, v.quality, v.received_at, b.commit_seq from observation v left join batch b on b.batch_id = v.batch_id
    where v.sensor_id = n.sensor_id
        and (v.observed_at <= %(latest)s or n.quantity = 'online')
        and case when b.batch_id is null then v.received_at <= %(tick_at)s else b.commit_seq <= %(up_to)s end
    order by v.observed_at desc limit 1
) o
where %(space)s::text is null or p.place_id = %(space)s
order by n.device_id, n.at, n.quantity;

-- name: asof_batches_gone
-- Whether retention took batches that came after this point of the commit order: readings are there, their batches not.
select coalesce(oldest.commit_seq > %(after)s, true) and exists (
    select from observation o where coalesce(o.batch_id < oldest.batch_id, true)
) as gone
from (select min(commit_seq) as commit_seq, min(batch_id) as batch_id from batch) oldest;

-- name: asof_assessments_between
select space_id, tick_seq, level, score, reasons from assessment
where tick_seq > %(after)s and tick_seq <= %(tick_seq)s order by tick_seq, space_id;
