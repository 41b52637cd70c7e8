-- Orders as they stand, for whoever looks: the command line and the HTTP interface.

-- name: read_orders
-- Open ones first, then by their newest step. `seen` is the newest good reading of each sensor that can tell, with when that
-- was, how often its device speaks, and until when it is out of service. Of the open ones are also those confirmed in an
-- incident that goes on: whether a sensor or somebody on the spot contradicts them is for `seen` and `said` to say. `said`
-- are the field reports of the place since the confirmation, its own among them.
with found as (
    select o.*, o.state in ('confirmed', 'cancelled') as ended from duty_order o
    where (%(open)s::boolean is null or (o.state not in ('confirmed', 'cancelled')) = %(open)s
           or %(open)s and o.state = 'confirmed'
              and exists (select from incident i where i.incident_id = o.incident_id and i.closed_at is null))
      and (%(subject)s::text is null or o.subject = %(subject)s)
      and (%(incident_id)s::text is null or o.incident_id = %(incident_id)s)
      and (%(order_id)s::text is null or o.order_id = %(order_id)s)
      and (%(after_order_id)s::text is null
           or ((o.state in ('confirmed', 'cancelled'))::int, -extract(epoch from o.changed_at), o.order_id)
               > (%(after_ended)s::boolean::int, -extract(epoch from %(after_changed_at)s::timestamptz), %(after_order_id)s))
    order by ended, changed_at desc, order_id
    limit %(limit)s
)
select f.order_id, f.incident_id, f.subject, p.name_zh, p.name_en, f.entrance, f.proof, f.state, f.owner, f.author,
    f.changed_at, f.due_at, f.within_s, f.text_zh, f.text_en, f.note, f.severity, f.leader,
    f.team, f.plan, f.single_voice, f.reminders, f.reminded_step, f.reminded_at, coalesce(r.seen, '[]') as seen,
    coalesce(w.said, '[]') as said,
    exists (select from incident i where i.incident_id = f.incident_id and i.closed_at is null) as goes_on
from found f
left join place p on 'space/' || p.place_id = f.subject
left join lateral (
    select jsonb_agg(jsonb_build_object('value', v.value, 'observed_s', extract(epoch from v.observed_at),
        'interval_s', d.interval_dry_s, 'out_until_s', extract(epoch from x.until)) order by s.sensor_id) as seen
    from sensor s
    join device d on d.device_id = s.device_id
    join lateral (
        select value, observed_at from observation where sensor_id = s.sensor_id and quality = 1
        order by observed_at desc limit 1
    ) v on true
    left join lateral (
        select kind, acted_at + (body ->> 'minutes')::float8 * interval '1 minute' as until from act
        where subject = 'device/' || d.device_id and kind in ('out_of_service', 'in_service')
        order by commit_seq desc limit 1
    ) x on x.kind = 'out_of_service'
    where s.place_id = p.place_id and s.retired_at is null
      and s.quantity = case f.proof when 'barrier_deployed' then 'barrier_state' when 'pump_running' then 'pump_running'
          when 'entrance_closed' then 'door_open' end
      and (f.proof = 'pump_running' or s.entrance_id is not null and f.entrance in ('', s.entrance_id))
) r on true
left join lateral (
    select jsonb_agg(jsonb_build_object('body', a.body, 'author', a.author,
        'acted_at', to_char(a.acted_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"+00:00"')) order by a.commit_seq) as said
    from act a where a.kind = 'field_report' and a.subject = f.subject and a.commit_seq > f.confirmed_after
) w on f.state = 'confirmed'
order by f.ended, f.changed_at desc, f.order_id;

-- name: read_order_tally
-- How orders go: those whose newest step lies in the stretch, and those that wait now. A confirmation is late by its clock,
-- and expired when it no longer counts while its incident goes on.
select count(*) filter (where state in ('issued', 'taken', 'refused'))::int as waiting,
    count(*) filter (where state in ('issued', 'taken') and due_at < %(now)s)::int as late,
    count(*) filter (where state = 'confirmed' and answered_at <= due_at)::int as confirmed_in_time,
    count(*) filter (where state = 'confirmed' and answered_at > due_at)::int as confirmed_late,
    count(*) filter (where state = 'confirmed' and confirmed_until <= %(now)s
        and exists (select from incident i where i.incident_id = o.incident_id and i.closed_at is null))::int as expired,
    count(*) filter (where state = 'refused')::int as refused,
    coalesce(sum(reminders), 0)::int as reminders
from duty_order o where changed_at >= %(since)s or state not in ('confirmed', 'cancelled');

-- name: read_order_history
select entry_no, at, author, body ->> 'step' as step, body ->> 'note' as note, body ->> 'disagreement' as disagreement
from duty_log where kind = 'order' and body ->> 'order' = %(order_id)s order by entry_no;
