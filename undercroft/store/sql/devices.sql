-- name: device_sequences
-- Serial numbers in the order of the device's time. From the smallest to the largest of a run each was promised; what comes
-- late fills its gap; the same number at another time is a repeat. A step over 10,000 begins a run anew (a restart), and a step
-- back does, unless it is a small disorder: an event goes another way than routine readings, and may be numbered after a reading
-- that was measured after it. So a restart is also behind what was measured 60 s before it and more (5 s, where nothing is known so
-- long), and came before it. Readings without a clock stand at their time of receipt, those of one sensor in one message some microseconds on.
with message as (
    select s.device_id, min(o.observed_at) as observed_at, min(o.received_at) as received_at, o.seq
    from observation o join sensor s using (sensor_id)
    where o.observed_at > %(now)s::timestamptz - interval '1 day' and o.observed_at <= %(now)s::timestamptz + interval '10 minutes'
        and o.seq is not null
    group by s.device_id, date_trunc('milliseconds', o.observed_at), o.seq
), beside as (
    select device_id, observed_at, received_at, seq,
        lag(seq) over in_order as before, lag(observed_at) over in_order as before_at,
        lag(received_at) over in_order as before_received_at, last_value(seq) over minute_ago as settled, last_value(received_at) over minute_ago as settled_received_at
    from message
    window in_order as (partition by device_id order by observed_at, seq),
        minute_ago as (
            partition by device_id order by observed_at range between unbounded preceding and interval '60 seconds' preceding
        )
), step as (
    select device_id, observed_at, seq,
        coalesce(
            seq - before > 10000
            or seq < before and case
                when settled is null then observed_at - before_at > interval '5 seconds' and before_received_at < received_at
                else seq < settled and settled <= before and settled_received_at <= received_at
            end,
            false
        ) as is_restart
    from beside
), run as (
    select *, count(*) filter (where is_restart) over (partition by device_id order by observed_at, seq) as run from step
), promised as (
    select *, max(seq) over (
        partition by device_id, run order by observed_at, seq rows between unbounded preceding and 1 preceding
    ) + 1 as next_seq
    from run
), spans as (
    select '1h' as span, %(now)s::timestamptz - interval '1 hour' as since
    union all select '24h', %(now)s::timestamptz - interval '1 day'
), of_run as (
    select device_id, span, max(seq) - min(least(seq, next_seq)) + 1 as expected, count(distinct seq) as received,
        count(*) - count(distinct seq) as repeats, count(*) filter (where is_restart) as restarts
    from spans join promised on observed_at > since
    group by device_id, span, run
), counted as (
    select device_id, span, sum(expected)::bigint as expected, sum(received)::bigint as received,
        sum(restarts)::bigint as restarts, sum(repeats)::bigint as repeats
    from of_run
    group by device_id, span
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
