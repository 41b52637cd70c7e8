"""A small storm in a database: the sample district, three hours of readings, what an engine could have said of them.

Everything is inserted by SQL from the site in the database, so that both kinds of database hold the same rows.
"""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path

from undercroft.site.load import read_site_file
from undercroft.store.connection import connect
from undercroft.store.site import import_site

START = datetime(2023, 9, 7, 14, 0, tzinfo=UTC)
END = START + timedelta(hours=3)

_READINGS = """
insert into observation (sensor_id, observed_at, value, quality, quality_tests, received_at, batch_id)
select n.sensor_id, t.at, case n.quantity
        when 'barrier_state' then (n.sensor_id %% 4)
        when 'rain_total_mm' then m * 0.8
        when 'rain_intensity_mm_h' then m %% 90
        when 'water_level_m' then 3 + m / 100.0
        when 'water_depth_m' then round(((m * (n.sensor_id %% 7)) / 400.0)::numeric, 3)
        when 'battery_v' then 3.6
        else 1 end,
    case when (n.sensor_id + m) %% 41 = 0 then 3 when (n.sensor_id + m) %% 97 = 0 then 4 else 1 end,
    0, case when m = 100 then t.at + interval '2 hours' else t.at + interval '2 seconds' end, m / 5 + 1
from sensor n
cross join generate_series(0, 179, 5) as m
cross join lateral (
    select %(start)s::timestamptz + m * interval '1 minute' + (n.sensor_id %% 50) * interval '1 second' as at
) t
where n.sensor_id %% 11 <> 0 or m < 60;

insert into batch (batch_id, commit_seq, lane, run_now, run_seq, observed_from, observed_to, messages, redelivered,
    readings, stored, duplicates, conflicts, dead_letters, committed_at)
select b, 1000 + b, 'routine', %(start)s::timestamptz + b * interval '5 minutes', b,
    %(start)s::timestamptz + (b - 1) * interval '5 minutes',
    %(start)s::timestamptz + b * interval '5 minutes' - interval '3 s',
    50, 1, 60, 58, 2, 0, 1, %(start)s::timestamptz + b * interval '5 minutes'
from generate_series(1, 36) as b;

insert into observation_conflict (sensor_id, observed_at, value, quality, received_at, batch_id)
select sensor_id, observed_at, value + 1, 3, received_at, batch_id from observation
where batch_id = 3 and sensor_id < 5;

insert into dead_letter (topic, payload_sha256, reason, detail, device_id, payload, payload_bytes, qos, retain,
    first_received_at, last_received_at, batch_id)
values ('exercise/v1/futian/x/y/observation', '\\x00', 'unknown_key', 'colour', 'y', '{}', 2, 1, false,
    %(start)s::timestamptz + interval '1 hour', %(start)s::timestamptz + interval '2 hours', 5);

insert into system_condition (name, is_active, value, threshold, unit, detail, changed_at)
values ('dead_letters', true, 1000, 1000, 'rows', 'of one device', %(start)s::timestamptz + interval '1 hour');
insert into act (act_id, commit_seq, kind, subject, author, acted_at, body)
select '00000000-0000-0000-0000-000000000003', 902, 'system_condition', subject || '/' || name, 'ingest', changed_at,
    jsonb_build_object('is_active', is_active, 'value', value, 'threshold', threshold, 'unit', unit, 'detail', detail)
from system_condition;

insert into tick (tick_seq, tick_at, up_to_commit_seq, run_seq, committed_at)
select b, %(start)s::timestamptz + b * interval '5 minutes', 1000 + b, b,
    %(start)s::timestamptz + b * interval '5 minutes 1 s'
from generate_series(1, 36) as b;

insert into assessment (space_id, tick_seq, tick_at, level, score, blind, reasons, contributions, evidence)
select s.space_id, t.tick_seq, t.tick_at, least(4, (t.tick_seq * (s.n %% 6)) / 30), (s.n * 7 + t.tick_seq) %% 100,
    s.n %% 13 = 0, jsonb_build_array(jsonb_build_object('rule', 'depth', 'text_zh', '水深', 'text_en', 'depth')), '{}',
    jsonb_build_object('entrances', (
            select coalesce(jsonb_agg(jsonb_build_object('entrance', e.entrance_id, 'freeboard_m', 0.3, 'barrier',
                (array['open', 'deploying', 'deployed', 'unknown'])[1 + s.n %% 4])), '[]')
            from entrance e where e.space_id = s.space_id),
        'rain_mm', jsonb_build_object('5', 3.1, '10', 6.2, '60', 40.5),
        'people', jsonb_build_array(jsonb_build_object('text_zh', '楼梯', 'text_en', 'Stairs', 'value', 0.116,
            'unit', 'm2', 'depth_m', 0.3, 'sensor', 'd:water_depth_m', 'observed_at', to_jsonb(t.tick_at))),
        'time_to_orange_min', 12.5, 'time_to_red_min', null,
        'ahead', jsonb_build_object('made_at', to_jsonb(t.tick_at), 'last_order_min', 4.5, 'order', 'by',
            'last_order_red_min', 9.5, 'order_red', 'by',
            'orange', jsonb_build_object('earliest_min', 6.0, 'likely_min', 12.5, 'latest_min', null)))
from (select space_id, row_number() over (order by space_id)::int as n from space) s
cross join tick t;

insert into alarm (subject, occurrence, subject_kind, severity, peak_severity, active, raised_at, cleared_at,
    reasons, last_tick_seq)
select 'space/' || s.space_id, 1, 'space', 2 + s.n %% 3, 2 + s.n %% 3, s.n %% 2 = 0,
    %(start)s::timestamptz + s.n * interval '3 minutes',
    case when s.n %% 2 = 1 then %(start)s::timestamptz + interval '150 minutes' end,
    jsonb_build_array(jsonb_build_object('text_zh', '水深', 'text_en', 'depth')), 30
from (select space_id, row_number() over (order by space_id)::int as n from space) s where s.n <= 20;

insert into alarm_event (subject, event_no, occurrence, tick_seq, tick_at, kind, severity, reasons)
select a.subject, k.no, 1, 1, a.raised_at + k.no * interval '4 minutes' - interval '4 minutes', k.kind,
    a.severity, a.reasons
from alarm a cross join (values (1, 'raised'), (2, 'acknowledged')) as k (no, kind);

insert into alarm_event (subject, event_no, occurrence, tick_seq, tick_at, kind, severity, reasons)
select subject, 3, 1, 30, cleared_at, 'cleared', 0, '[]' from alarm where cleared_at is not null;

insert into act (act_id, commit_seq, kind, subject, author, acted_at, body)
values ('00000000-0000-0000-0000-000000000001', 900, 'rain_warning', 'warning/1', 'officer',
    %(start)s::timestamptz + interval '1 hour', '{"colour": "red", "state": "in_force"}');

insert into act (act_id, commit_seq, kind, subject, author, acted_at, body)
select '00000000-0000-0000-0000-000000000002', 901, 'stock_movement', p.place_kind || '/' || k.place_id, 'officer',
    %(start)s::timestamptz + interval '2 hours',
    jsonb_build_object('item', k.item, 'quantity', -1, 'left', k.quantity - 1, 'reason', 'sent out')
from stock k join place p using (place_id) where k.quantity >= 1 order by k.place_id, k.item limit 1;

insert into roster_shift (starts_at, ends_at, step, standing, person_id, name, phone, reach)
values (%(start)s::timestamptz - interval '1 hour', %(start)s::timestamptz + interval '7 hours', 0, 'holder',
    'li', 'Li', '', '[]');

insert into duty_order (order_id, incident_id, subject, proof, state, owner, author, changed_at, due_at, within_s,
    text_zh, text_en, note, severity, leader)
select 'o-' || s.n, 'i', 'space/' || s.space_id, 'checked', case when s.n = 1 then 'confirmed' else 'issued' end,
    'street', 'li', %(start)s::timestamptz + s.n * interval '10 minutes', %(start)s::timestamptz + interval '1 hour',
    1800, '', '', '', 3, 'head'
from (select space_id, row_number() over (order by space_id)::int as n from space) s where s.n <= 3;

insert into incident (incident_id, basin_id, opened_at, worst, state)
select 'i', basin_id, %(start)s::timestamptz, 3, '{}' from basin order by basin_id limit 1;

insert into report_due (incident_id, kind, serial, due_at, reminders)
values ('i', 'phone', 0, %(start)s::timestamptz + interval '30 minutes', 0),
    ('i', 'first', 1, %(start)s::timestamptz + interval '2 hours', 2);

insert into report (incident_id, serial, kind, drafted_at, covers_from, text, author, submitted_at, submitted_by)
values ('i', 0, 'phone', %(start)s::timestamptz + interval '40 minutes', %(start)s, '', 'li',
    %(start)s::timestamptz + interval '40 minutes', 'li');

insert into notification (key, cause, incident_id, reason, step, severity, person_id, channel, address, title, body,
    decided_at, queued_at, state, error, attempts, next_try_at, settled_at)
select 'k' || n, 'i#' || n, 'i', 'first', 0, 4, 'li', 'hook', 'li', 't', 'b',
    %(start)s::timestamptz + n * interval '5 minutes',
    %(start)s::timestamptz + n * interval '5 minutes', state, 'HTTP 401', n, %(start)s::timestamptz + interval '1 hour',
    case when state <> 'queued' then %(start)s::timestamptz + n * interval '5 minutes' end
from (values (1, 'accepted'), (2, 'failed'), (3, 'queued')) as m (n, state);

insert into duty_log (entry_no, at, kind, author, subject, body, previous, sha256)
select row_number() over (order by at, order_id, step desc), at, 'order', 'li', subject,
    jsonb_build_object('order', order_id, 'step', step, 'proof', proof, 'owner', owner, 'note', ''), '', ''
from (
    select order_id, subject, proof, owner, changed_at - interval '5 minutes' as at, 'issue' as step from duty_order
    union all
    select order_id, subject, proof, owner, changed_at, 'confirm' from duty_order where state = 'confirmed'
) steps;
"""


def fill_storm(url: str) -> None:
    """Put the storm into a fresh migrated database."""
    sample = Path(str(files("undercroft.site") / "sample" / "futian.toml"))
    with closing(connect(url, application_name="tests", autocommit=True)) as connection:
        import_site(connection, read_site_file(sample).site, "tests", START)
        for statement in _READINGS.strip().split(";\n"):
            connection.execute(statement.encode(), {"start": START})
        connection.execute("analyze")
