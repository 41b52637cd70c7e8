-- name: device_sequences
-- Serial numbers in the order of the device's time. A step forward of n promises n messages; a step back, or one over
-- 10,000, is a restart; the same number at another time is a repeat. What comes late fills its gap. Readings without a clock
-- stand at their time of receipt, those of one sensor in one message some microseconds on.
with message as (
    select s.device_id, min(o.observed_at) as observed_at, o.seq
    from observation o join sensor s using (sensor_id)
    where o.observed_at > %(now)s::timestamptz - interval '1 day' and o.observed_at <= %(now)s::timestamptz + interval '10 minutes'
        and o.seq is not null
    group by s.device_id, date_trunc('milliseconds', o.observed_at), o.seq
), step as (
    select device_id, observed_at, seq,
        seq - lag(seq) over (partition by device_id order by observed_at, seq) as ahead
    from message
), spans as (
    select '1h' as span, %(now)s::timestamptz - interval '1 hour' as since
    union all select '24h', %(now)s::timestamptz - interval '1 day'
), counted as (
    select step.device_id, spans.span,
        coalesce(sum(case when ahead between 1 and 10000 then ahead when ahead = 0 then 0 else 1 end), 0)::bigint as expected,
        count(*) filter (where ahead is distinct from 0) as received,
        count(*) filter (where ahead < 0 or ahead > 10000) as restarts,
        count(*) filter (where ahead = 0) as repeats
    from spans join step on step.observed_at > spans.since
    group by step.device_id, spans.span
), heard as (
    select s.device_id, max(o.received_at) as last_received_at,
        (percentile_cont(0.5) within group (order by extract(epoch from o.received_at - o.observed_at)))::double precision
            as delay_s
    from observation o join sensor s using (sensor_id)
    where o.received_at > %(now)s::timestamptz - interval '1 day' and o.observed_at > %(now)s::timestamptz - interval '2 days'
        and s.quantity <> 'online'
    group by s.device_id
)
select d.device_id, d.place_id, heard.last_received_at,
    extract(epoch from %(now)s::timestamptz - heard.last_received_at)::double precision as silent_s, heard.delay_s,
    counted.span, counted.expected, counted.received, counted.restarts, counted.repeats
from device d
left join heard using (device_id)
left join counted using (device_id)
where d.retired_at is null and (%(device_id)s::text is null or d.device_id = %(device_id)s)
order by d.device_id, counted.span;

-- name: newest_receipt
select max(run_now) as run_now from batch;
