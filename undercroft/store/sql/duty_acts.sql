-- What people do: acts for the engine, orders, reports, the duty log, the audit.

-- name: acts_operator
select operator_id, name, role, disabled_at from operator where token_sha256 = %(token_sha256)s;

-- name: acts_add_operator
insert into operator (operator_id, name, role, token_sha256, created_at)
values (%(operator_id)s, %(name)s, %(role)s, %(token_sha256)s, %(created_at)s)
on conflict (operator_id) do update set
    name = excluded.name, role = excluded.role, token_sha256 = excluded.token_sha256, disabled_at = null;

-- name: acts_disable_operator
update operator set disabled_at = %(at)s where operator_id = %(operator_id)s and disabled_at is null;

-- name: acts_admin_makes_operator
select admin_makes_operator(%(token)s, %(operator_id)s, %(name)s, %(role)s, %(token_sha256)s, %(created_at)s);

-- name: acts_admin_disables_operator
select admin_disables_operator(%(token)s, %(operator_id)s, %(at)s) as disabled;

-- name: acts_operators
select operator_id, name, role, disabled_at from operator order by operator_id;

-- name: acts_subject
-- A subject that exists, with its newest alarm: severity 0 where none is open. A storm is what risk.lifecycle says it is.
-- `decided_*` is the newest act that the engine has not read yet and that decides what may follow; it stands in one statement
-- with what the engine wrote, so that no tick comes between them.
select s.subject, coalesce(case when a.active then a.severity end, 0)::int as severity,
    coalesce(a.acknowledged, false) as acknowledged, coalesce(a.latched, false) as latched, a.shelved_until,
    k.taken_by, k.taken_at, d.decided_kind, d.decided_by, d.decided_at,
    exists (select from alarm where active and subject_kind = 'space' and severity >= 3)
        or exists (
            select from (
                select distinct on (subject) body from act where kind = 'rain_warning' order by subject, commit_seq desc
            ) w where coalesce(w.body ->> 'state', 'in_force') <> 'ended') as storm
from (
    select 'space/' || s.space_id as subject from space s join place p on p.place_id = s.space_id where p.retired_at is null
    union all select 'device/' || d.device_id from device d left join place p on p.place_id = d.place_id where p.retired_at is null
    union all select distinct subject from alarm where subject_kind = 'system'
) s
left join lateral (select * from alarm where alarm.subject = s.subject order by occurrence desc limit 1) a on true
left join lateral (
    select e.detail ->> 'author' as taken_by, e.tick_at as taken_at from alarm_event e
    where e.subject = a.subject and e.occurrence = a.occurrence and e.kind = 'acknowledged' order by e.event_no desc limit 1
) k on a.acknowledged
left join lateral (
    select c.kind as decided_kind, c.author as decided_by, c.acted_at as decided_at from act c
    where c.subject = s.subject and c.kind in ('acknowledge', 'stand_down')
        and c.commit_seq > coalesce((select up_to_commit_seq from tick order by tick_seq desc limit 1), 0)
    order by c.commit_seq desc limit 1
) d on true
where s.subject = %(subject)s;

-- name: acts_alarm_lock
select pg_advisory_xact_lock(hashtext('undercroft'), hashtext('alarm_acts'));

-- name: acts_orders_lock
select pg_advisory_xact_lock(hashtext('undercroft-orders'), hashtext(%(subject)s));

-- name: acts_open_orders
select order_id, entrance, owner, state, due_at from duty_order
where incident_id = %(incident_id)s and subject = %(subject)s and proof = %(proof)s and state not in ('confirmed', 'cancelled')
order by due_at, order_id;

-- name: acts_untold
-- Of alarms those of which the log has news that the notifier has not read: nobody was told.
select distinct e.subject from alarm_event e cross join duty_progress p
where e.subject = any(%(subjects)s::text[]) and e.tick_seq > p.tick_seq and e.kind = any(%(news)s::text[])
order by e.subject;

-- name: acts_warning
select body from (
    select body from act where kind = 'rain_warning' and subject = %(subject)s order by commit_seq desc limit 1
) newest where coalesce(body ->> 'state', 'in_force') <> 'ended';

-- name: acts_area
select coalesce((select array_agg(basin_id order by basin_id) from basin), '{}') as basin,
    coalesce((select array_agg(distinct street) from place where place_kind = 'space' and retired_at is null), '{}') as street;

-- name: acts_entrances
select coalesce(array_agg(e.entrance_id order by e.entrance_id) filter (where e.entrance_id is not null), '{}') as entrances
from space s join place p on p.place_id = s.space_id left join entrance e using (space_id)
where s.space_id = %(space_id)s and p.retired_at is null group by s.space_id;

-- name: acts_stock_lock
select pg_advisory_xact_lock(hashtext('undercroft-stock'), hashtext(%(subject)s));

-- name: acts_stock_place
-- A depot or space that is in the site; no row where there is no such place.
select p.place_id from place p
where p.place_kind || '/' || p.place_id = %(subject)s and p.place_kind in ('depot', 'space') and p.retired_at is null;

-- name: acts_move_stock
insert into stock (place_id, item, quantity) values (%(place_id)s, %(item)s, %(quantity)s)
on conflict (place_id, item) do update set quantity = excluded.quantity;

-- name: acts_now
-- A run has its own time: that of its newest tick.
select d.mode, max(t.tick_at) as run_at from deployment d left join tick t on d.mode = 'exercise' group by d.mode;

-- name: acts_order_time
-- The notifier's time goes on where the clock was when it is set back; it holds an order's clock against that. More than a
-- day ahead nobody has set a clock back: then one was a day ahead.
select case when d.mode = 'live' and p.decided_at < %(at)s::timestamptz + interval '1 day'
    then greatest(%(at)s::timestamptz, p.decided_at) else %(at)s::timestamptz end as at
from deployment d cross join duty_progress p;

-- name: acts_insert
insert into act (act_id, commit_seq, kind, subject, author, acted_at, body)
values (%(act_id)s, %(commit_seq)s, %(kind)s, %(subject)s, %(author)s, %(acted_at)s, %(body)s::jsonb);

-- name: acts_audit
insert into audit (at, operator_id, origin, action, subject, outcome, detail)
values (%(at)s, %(operator_id)s, %(origin)s, %(action)s, %(subject)s, %(outcome)s, %(detail)s::jsonb);

-- name: acts_audit_unknown
insert into audit (at, operator_id, origin, action, subject, outcome, detail)
select %(at)s, %(operator_id)s, %(origin)s, 'authorise', '-', 'refused', %(detail)s::jsonb
where (select count(*) from audit where action = 'authorise' and at > %(at)s::timestamptz - interval '1 minute') < %(most)s;

-- name: acts_key_take
insert into act_key (operator_id, key, sha256, at) values (%(operator_id)s, %(key)s, %(sha256)s, %(at)s)
on conflict (operator_id, key) do nothing;

-- name: acts_key_answer
update act_key set act_id = %(act_id)s, answer = %(answer)s::jsonb where operator_id = %(operator_id)s and key = %(key)s;

-- name: acts_key
select k.sha256, k.answer, a.commit_seq from act_key k left join act a using (act_id)
where k.operator_id = %(operator_id)s and k.key = %(key)s;

-- name: acts_log_has
select entry_no from duty_log where entry_no = %(entry_no)s;

-- name: acts_log_lock
select pg_advisory_xact_lock(hashtext('undercroft'), hashtext('duty_log'));

-- name: acts_log_last
select entry_no, sha256 from duty_log order by entry_no desc limit 1;

-- name: acts_log_as_stored
select %(body)s::jsonb as body;

-- name: acts_log_insert
insert into duty_log (entry_no, at, kind, author, subject, body, corrects, previous, sha256)
values (%(entry_no)s, %(at)s, %(kind)s, %(author)s, %(subject)s, %(body)s::jsonb, %(corrects)s, %(previous)s, %(sha256)s);

-- name: acts_log_all
select entry_no, at, kind, author, subject, body, corrects, previous, sha256 from duty_log
where entry_no >= %(first_no)s order by entry_no;

-- name: acts_heads
select entry_no, sha256, signed_at, occasion, key_id, signature from duty_log_head
where entry_no >= %(first_no)s order by entry_no, signed_at;

-- name: acts_log_of
-- Whose log it is. The place of a database in its server is changed by no statement, as its id and its mode can be.
select d.mode, d.deployment_id::text as deployment_id,
    (select system_identifier from pg_control_system())::text || '/' || b.oid::text as place
from deployment d cross join pg_database b where b.datname = current_database();

-- name: acts_head_insert
insert into duty_log_head (entry_no, sha256, signed_at, occasion, key_id, signature)
values (%(entry_no)s, %(sha256)s, %(signed_at)s, %(occasion)s, %(key_id)s, %(signature)s);

-- name: acts_order
select order_id, incident_id, subject, entrance, proof, state, owner, author, changed_at, due_at, within_s, text_zh, text_en,
    note, severity, leader, team, plan, single_voice from duty_order where order_id = %(order_id)s for update;

-- name: acts_save_order
-- A clock that starts anew is late anew. A confirmation that is confirmed again was answered when it was first.
insert into duty_order (order_id, incident_id, subject, entrance, proof, state, owner, author, changed_at, due_at, within_s,
    text_zh, text_en, note, severity, leader, team, plan, single_voice, confirmed_until)
values (%(order_id)s, %(incident_id)s, %(subject)s, %(entrance)s, %(proof)s, %(state)s, %(owner)s, %(author)s,
    %(changed_at)s, %(due_at)s, %(within_s)s, %(text_zh)s, %(text_en)s, %(note)s, %(severity)s, %(leader)s, %(team)s,
    %(plan)s, %(single_voice)s, %(confirmed_until)s)
on conflict (order_id) do update set
    state = excluded.state, author = excluded.author, changed_at = excluded.changed_at, due_at = excluded.due_at,
    note = excluded.note, confirmed_until = excluded.confirmed_until,
    confirmed_after = case when excluded.state = 'confirmed' then (select commit_seq from commit_counter) end,
    answered_at = case when excluded.state = 'confirmed' then coalesce(duty_order.answered_at, excluded.changed_at) end,
    reminders = case when duty_order.due_at is distinct from excluded.due_at then 0 else duty_order.reminders end,
    reminded_step = case when duty_order.due_at is distinct from excluded.due_at then -1 else duty_order.reminded_step end,
    reminded_at = case when duty_order.due_at is distinct from excluded.due_at then null else duty_order.reminded_at end;

-- name: acts_incident_of
-- A space with the open incident of its open alarm, which began there, else of its basin; how grave it is there: its open alarm, else the incident's worst.
-- `barriers` are its entrances that have one, by the height that the engine knows a barrier by.
select i.incident_id, s.kind, p.street, coalesce(case when a.active then a.severity end, i.worst, 0)::int as severity,
    coalesce((select array_agg(e.entrance_id order by e.entrance_id) from entrance e
        where e.space_id = s.space_id and e.barrier_height_m is not null and e.retired_at is null), '{}') as barriers
from place p join space s on s.space_id = p.place_id
left join lateral (
    select incident_id, worst from (
        select incident_id, worst, basin_id, state -> 'alarms' @> jsonb_build_array(
            jsonb_build_object('subject', 'space/' || p.place_id, 'active', true)) as began_there
        from incident where closed_at is null) o
    where o.began_there or o.basin_id = p.basin_id order by o.began_there desc limit 1
) i on true
left join lateral (
    select active, severity from alarm where alarm.subject = 'space/' || p.place_id order by occurrence desc limit 1
) a on true
where 'space/' || p.place_id = %(subject)s and p.retired_at is null;

-- name: acts_command_rows
select document -> 'command' as rows from site_version order by commit_seq desc limit 1;
