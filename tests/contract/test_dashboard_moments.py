"""What panels say of a moment: as it stood then, whatever came later; each expected value is counted by hand."""

from __future__ import annotations

from datetime import datetime, timedelta

from dashboards.dashboard import ANNOTATIONS
from dashboards.macros import fill
from duty.orders.orders import CONFIRMED_FOR, TRANSITIONS
from tests.contract import silence
from tests.contract.flavours import slow_on_timescale
from tests.contract.moments import END, HOUR, MINUTE, asked, each_alone, one
from undercroft.store.conditions import Condition, set_condition
from undercroft.store.connection import Connection


def alarm(db: Connection, occurrence: int, raised_at: datetime, cleared_at: datetime | None = None) -> None:
    db.execute(
        "insert into alarm (subject, occurrence, subject_kind, severity, peak_severity, active, acknowledged,"
        " raised_at, cleared_at, reasons, last_tick_seq)"
        " values ('space/p', %s, 'space', 4, 4, %s, true, %s, %s, '[]', 1)",
        (occurrence, cleared_at is None, raised_at, cleared_at),
    )


def event(db: Connection, number: int, at: datetime, kind: str, severity: int, occurrence: int = 1) -> None:
    db.execute(
        "insert into alarm_event (subject, occurrence, event_no, tick_seq, tick_at, kind, severity, reasons)"
        " values ('space/p', %s, %s, 1, %s, %s, %s, '[]')",
        (occurrence, number, at, kind, severity),
    )


def act(db: Connection, number: int, kind: str, subject: str, at: datetime, body: str) -> None:
    db.execute(
        "insert into act (act_id, commit_seq, kind, subject, author, acted_at, body)"
        " values (gen_random_uuid(), %s, %s, %s, 'li', %s, %s)",
        (number, kind, subject, at, body),
    )


def an_alarm_is_as_it_was_then(moments: Connection) -> None:
    """Raised orange, acknowledged after 30 min, red (and so not acknowledged) after 40, cleared after 2 h."""
    alarm(moments, 1, END, END + 2 * HOUR)
    for number, (minutes, kind, severity) in enumerate(
        [(0, "raised", 3), (30, "acknowledged", 3), (35, "refused", 3), (40, "severity_up", 4), (120, "cleared", 4)], 1
    ):
        event(moments, number, END + minutes * MINUTE, kind, severity)
    then = {
        minutes: [(row["level"], row["acknowledged"]) for row in asked(moments, "alarms_open", END - HOUR, at)]
        for minutes in (-1, 10, 36, 50, 121)
        for at in [END + minutes * MINUTE]
    }
    assert then == {-1: [], 10: [(3, 0)], 36: [(3, 1)], 50: [(4, 0)], 121: []}
    assert [one(moments, "alarm_figures", END + m * MINUTE)["unacknowledged"] for m in (10, 36, 50, 121)] == [
        1,
        0,
        1,
        0,
    ]
    assert one(moments, "alarm_figures", END + 10 * MINUTE, street=["south"])["open"] == 0
    # Red since before the range, and nothing in it: the timeline begins with what held.
    (held,) = asked(moments, "alarm_timeline", END + 60 * MINUTE, END + 90 * MINUTE)
    assert (held["time"], held["value"]) == (END + 60 * MINUTE, 4.0)
    seen = [row["value"] for row in asked(moments, "alarm_timeline", END, END + 121 * MINUTE)]
    assert seen == [3.0, 3.0, 4.0, 0.0]  # the refusal is no change


def a_burst_is_not_lost_in_long_steps(moments: Connection) -> None:
    """Twenty alarms within 200 s: 18 in one ten minutes of the clock, two in the one before."""
    for number in range(20):
        alarm(moments, number, END - timedelta(days=3, minutes=20, seconds=200 - 20) + timedelta(seconds=10 * number))
    for later in range(0, 50, 10):
        until = END + later * MINUTE
        values = [row["value"] for row in asked(moments, "alarm_load", until - timedelta(days=30), until)]
        figures = asked(moments, "alarm_figures", until - timedelta(days=30), until)[0]
        assert max(values) == figures["worst_10_min"] == 18, later
        assert figures["raised"] == 20


def an_order_and_a_stock_are_as_they_were_then(moments: Connection) -> None:
    moments.execute(
        "insert into incident (incident_id, basin_id, opened_at, closed_at, worst, state)"
        " values ('i', 'b', %s, %s, 3, '{}')",
        (END, END + 5 * HOUR),
    )
    moments.execute(
        "insert into duty_order (order_id, incident_id, subject, proof, state, owner, author, changed_at, due_at,"
        " within_s, text_zh, text_en, note, severity) values ('o', 'i', 'space/p', 'barrier_deployed', 'confirmed',"
        " 'team', 'li', %s, %s, 900, '', '', '', 3)",
        (END + 60 * MINUTE, END + 15 * MINUTE),
    )
    steps = [(0, "issue"), (5, "take"), (60, "confirm")]
    for number, (minutes, step) in enumerate(steps, 1):
        moments.execute(
            "insert into duty_log (entry_no, at, kind, author, subject, body, previous, sha256)"
            " values (%s, %s, 'order', 'li', 'space/p', jsonb_build_object('order', 'o', 'step', %s::text, 'proof',"
            " 'barrier_deployed', 'owner', 'team'), '', '')",
            (number, END + minutes * MINUTE, step),
        )
    then = {}
    for minutes in (-1, 2, 10, 20, 70, 280, 310):
        rows = asked(moments, "orders_now", END - HOUR, END + minutes * MINUTE)
        then[minutes] = [(row["state"], row["late_s"], row["expired_s"]) for row in rows]
    # Due after 15 min; confirmed after 60, which counts for 180: expired from 240, until the incident closed at 300.
    assert then == {
        -1: [], 2: [("issued", None, None)], 10: [("taken", None, None)], 20: [("taken", 300.0, None)],
        70: [("confirmed", None, None)], 280: [("confirmed", None, 2400.0)], 310: [("confirmed", None, None)],
    }  # fmt: skip
    figures = one(moments, "order_figures", END + 70 * MINUTE)
    assert (figures["waiting"], figures["confirmed_late"], figures["confirmed_in_time"]) == (0, 1, 0)
    assert one(moments, "order_figures", END + 20 * MINUTE)["late"] == 1
    assert one(moments, "order_figures", END + 20 * MINUTE, kind=["mall"])["late"] == 0
    an_order_taken_back_waits_again(moments)
    words = next(each.query.sql for each in ANNOTATIONS if each.query.name == "annotation_orders")
    for space, count in (("p", 4), ("q", 0)):
        text = fill(words, END - HOUR, END + 6 * HOUR, variables={"space": [space]})
        assert len(moments.execute(text.encode()).fetchall()) == count, space

    moments.execute("insert into stock (place_id, item, quantity) values ('p', 'pump', 4), ('q', 'pump', 1)")
    act(moments, 1, "stock_movement", "space/p", END, '{"item": "pump", "quantity": -3, "left": 7}')
    act(moments, 2, "stock_movement", "space/p", END + HOUR, '{"item": "pump", "counted": 4, "left": 4}')
    held = {
        minutes: [
            (row["quantity"], row["age_s"]) for row in asked(moments, "stock_now", END - HOUR, END + minutes * MINUTE)
        ]
        for minutes in (-1, 30, 90)
    }
    assert held == {-1: [(10.0, None), (1.0, None)], 30: [(7.0, 1800.0), (1.0, None)], 90: [(4.0, 1800.0), (1.0, None)]}


def an_order_taken_back_waits_again(moments: Connection) -> None:
    """Of the order above: confirmed at 60 min, taken back at 65, as an error; it was due after 15."""
    moments.execute(
        "insert into duty_log (entry_no, at, kind, author, subject, body, previous, sha256)"
        " values (4, %s, 'order', 'li', 'space/p', %s, '', '')",
        (END + 65 * MINUTE, '{"order": "o", "step": "undo", "proof": "barrier_deployed", "owner": "team"}'),
    )
    (row,) = asked(moments, "orders_now", END - HOUR, END + 70 * MINUTE)
    assert (row["state"], row["late_s"]) == ("issued", 3300.0)
    assert one(moments, "order_figures", END + 70 * MINUTE)["confirmed_late"] == 0


def the_steps_of_orders_lead_where_the_duty_says(moments: Connection) -> None:
    for number, step in enumerate({step for _, step in TRANSITIONS}, 1):
        moments.execute(
            "insert into duty_log (entry_no, at, kind, author, subject, body, previous, sha256)"
            " values (%s, %s, 'order', 'li', 'space/p', jsonb_build_object('order', 'o', 'step', %s::text), '', '')",
            (number, END, step),
        )
    rows = moments.execute("select step, state from grafana.order_step").fetchall()
    assert {(row["step"], row["state"]) for row in rows} == {
        (step, str(after)) for (_, step), after in TRANSITIONS.items()
    }
    row = moments.execute(
        "select prosrc like %s as same from pg_proc where proname = 'order_at'",
        (f"%interval '{CONFIRMED_FOR // HOUR} hours'%",),
    ).fetchone()
    assert row == {"same": True}


def a_barrier_is_what_the_engine_holds_it_for(moments: Connection) -> None:
    """A switch's word of 23 h ago that failed its tests closes nothing; what the engine took from a report does."""
    moments.execute(
        "insert into observation (sensor_id, observed_at, value, quality, received_at, batch_id)"
        " select sensor_id, %s, 3, 4, %s, 1 from sensor where quantity = 'barrier_state'",
        (END - 23 * HOUR, END - 23 * HOUR),
    )
    assert (one(moments, "barrier_coverage", END)["deployed"], one(moments, "barrier_coverage", END)["unknown"]) == (
        0,
        2,
    )
    for seq, (at, word) in enumerate([(END, "deployed"), (END + 30 * MINUTE, "unknown")], 1):
        moments.execute(
            "insert into tick (tick_seq, tick_at, up_to_commit_seq, committed_at) values (%s, %s, 0, %s)", (seq, at, at)
        )
        moments.execute(
            "insert into assessment (space_id, tick_seq, tick_at, level, score, blind, reasons, contributions,"
            " evidence) values ('p', %s, %s, 0, 0, false, '[]', '{}', jsonb_build_object('entrances',"
            " jsonb_build_array(jsonb_build_object('entrance', 'e', 'barrier', %s::text))))",
            (seq, at, word),
        )
    for minutes, expected in ((10, (1, 1)), (40, (0, 2))):
        row = one(moments, "barrier_coverage", END + minutes * MINUTE)
        assert (row["deployed"], row["unknown"]) == expected, minutes
    rows = asked(moments, "barriers_now", END - HOUR, END + 10 * MINUTE, space=["p"])
    assert [(row["state"], row["switch"], row["quality"]) for row in rows] == [(3, 3, 4)]


def a_warning_in_force_is_there_however_old(moments: Connection) -> None:
    act(
        moments,
        1,
        "rain_warning",
        "warning/a",
        END - 8 * HOUR,
        '{"colour": "red", "state": "in_force", "streets": ["north"]}',
    )
    act(moments, 2, "rain_warning", "warning/b", END - 9 * HOUR, '{"colour": "orange", "state": "in_force"}')
    act(moments, 3, "rain_warning", "warning/b", END - HOUR, '{"state": "ended"}')

    def seen(until: datetime, **chosen: list[str]) -> list[tuple[str, int | None, int]]:
        rows = asked(moments, "warnings", until - 6 * HOUR, until, **chosen)
        return [(row["warning"], row["colour"], row["in_force"]) for row in rows]

    assert seen(END) == [("warning/a", 4, 1), ("warning/b", None, 0)]
    assert seen(END - 90 * MINUTE) == [("warning/a", 4, 1), ("warning/b", 3, 1)]
    assert seen(END, street=["south"]) == [("warning/b", None, 0)]


def gauges_are_summed_and_counted_over_what_was_asked(moments: Connection) -> None:
    """A perfect gauge: a reading each 600 s for two days, a millimetre each time."""
    moments.execute(
        "insert into observation (sensor_id, observed_at, value, quality, received_at, batch_id)"
        " select sensor_id, %s::timestamptz - n * interval '10 minutes', 1000 - n, 1, %s, 1"
        " from sensor, generate_series(0, 287) n where quantity = 'rain_total_mm'",
        (END, END),
    )
    for window in (15 * MINUTE, 25 * MINUTE, HOUR, 6 * HOUR, 24 * HOUR):
        for ago in (0, 25):
            until = END - ago * MINUTE
            (row,) = asked(moments, "gaps", until - window, until)
            assert (row["share"], row["age_s"]) == (1.0, 300.0 if ago else 0.0), (window, ago)
    (row,) = asked(moments, "gaps", END, END + HOUR)  # it falls silent: one of six
    assert (row["expected"], row["received"]) == (6, 1)
    for window, whole in ((15 * MINUTE, 2.0), (30 * MINUTE, 3.0), (2 * HOUR, 12.0)):
        (row,) = asked(moments, "rain_sums", END - window, END)
        assert (row["rain_10_mm"], row["rain_60_mm"], row["rain_range_mm"]) == (1.0, 6.0, whole), window


def idle_ticks_do_not_age_a_batch(moments: Connection) -> None:
    """Two batches a second apart judged 0.1 s after the second; then ticks every 5 s that read nothing."""
    began = END - 10 * MINUTE
    for number in (1, 2):
        moments.execute(
            "insert into batch (batch_id, commit_seq, lane, messages, readings, stored, duplicates, conflicts,"
            " dead_letters, committed_at) values (%s, %s, 'routine', 1, 1, 1, 0, 0, 0, %s)",
            (number, number, began + timedelta(seconds=number - 2)),
        )
    moments.execute(
        "insert into tick (tick_seq, tick_at, up_to_commit_seq, committed_at)"
        " select n, at, case when n < 0 then 0 else 2 end, at from generate_series(-1, 119) n"
        " cross join lateral (select %s::timestamptz + n * interval '5 seconds' + interval '100 ms' as at) t",
        (began,),
    )
    assert [row["value"] for row in asked(moments, "judging", END - HOUR, END)] == [1.1]


def a_report_is_due_as_it_was_then(moments: Connection) -> None:
    """Due half an hour after the incident opened, handed in after an hour."""
    moments.execute(
        "insert into incident (incident_id, basin_id, opened_at, worst, state) values ('r', 'b', %s, 3, '{}')", (END,)
    )
    moments.execute("insert into report_due values ('r', 'first', 1, %s)", (END + 30 * MINUTE,))
    moments.execute(
        "insert into report (incident_id, serial, kind, drafted_at, covers_from, text, author, submitted_at)"
        " values ('r', 1, 'first', %s, %s, '', 'li', %s)",
        (END, END, END + HOUR),
    )
    then = {}
    for minutes in (-1, 10, 40, 90):
        row = one(moments, "report_figures", END + minutes * MINUTE)
        rows = asked(moments, "reports_due", END - HOUR, END + minutes * MINUTE)
        then[minutes] = (row["missing"], row["to_come"], row["late"], [(r["missing_age_s"], r["late_s"]) for r in rows])
    assert then == {
        -1: (0, 0, 0, []), 10: (0, 1, 0, [(None, None)]), 40: (1, 0, 0, [(600.0, None)]),
        90: (0, 0, 1, [(None, 1800.0)]),
    }  # fmt: skip
    moments.execute("insert into report_due values ('r', 'phone', 0, %s)", (END + 20 * MINUTE,))
    left_out = one(moments, "report_figures", END + 90 * MINUTE)
    assert (left_out["missing"], left_out["late"]) == (1, 1), (
        "nobody phoned by then: the later report stands for it late"
    )


def a_message_a_condition_and_a_letter_are_as_they_were_then(moments: Connection) -> None:
    """A message queued at 0 min, refused at 20; a condition that holds from 0 to 30; a letter of 0 and 40."""
    moments.execute(
        "insert into notification (key, cause, incident_id, reason, step, severity, person_id, channel, address, title,"
        " body, decided_at, queued_at, state, settled_at, attempts, error) values ('k', 'c', 'i', 'no_order', 0, 4,"
        " 'li', 'hook', 'a', '', '', %s, %s, 'failed', %s, 3, 'HTTP 401')",
        (END, END, END + 20 * MINUTE),
    )
    for number, (minutes, active) in enumerate(((0, True), (30, False)), 1):
        condition = Condition("channel-hook", active, 1, 1, "messages", "refused")
        assert set_condition(moments, condition, "duty", END + minutes * MINUTE), number
    moments.execute(
        "insert into dead_letter (topic, payload_sha256, reason, detail, payload, payload_bytes, qos, retain,"
        " times_seen, first_received_at, last_received_at, batch_id)"
        " values ('t', '\\x00', 'unknown_key', '', '{}', 2, 1, false, 2, %s, %s, 1)",
        (END, END + 40 * MINUTE),
    )
    then = {}
    for minutes in (-1, 10, 25, 35, 45):
        until = END + minutes * MINUTE
        figures = one(moments, "notification_figures", until)
        messages = [(r["state"], r["attempts"], r["error"]) for r in asked(moments, "notifications_now", END, until)]
        conditions = [row["is_active"] for row in asked(moments, "conditions", END, until)]
        letters = [row["times"] for row in asked(moments, "dead_letters", END - HOUR, until)]
        then[minutes] = (messages, figures["refused"], figures["waiting"], conditions, letters)
        assert figures["channels_refusing"] == sum(conditions)
        assert (figures["no_order"], figures["order_undone"]) == (len(messages), 0)
    queued, refused = [("queued", None, None)], [("failed", 3, "HTTP 401")]
    assert then == {
        -1: ([], 0, 0, [], []), 10: (queued, 0, 1, [True], [None]), 25: (refused, 1, 0, [True], [None]),
        35: (refused, 1, 0, [False], [None]), 45: (refused, 1, 0, [False], [2]),
    }  # fmt: skip


CHECKS = (
    a_message_a_condition_and_a_letter_are_as_they_were_then,
    a_report_is_due_as_it_was_then,
    an_alarm_is_as_it_was_then,
    a_burst_is_not_lost_in_long_steps,
    an_order_and_a_stock_are_as_they_were_then,
    the_steps_of_orders_lead_where_the_duty_says,
    a_barrier_is_what_the_engine_holds_it_for,
    a_warning_in_force_is_there_however_old,
    gauges_are_summed_and_counted_over_what_was_asked,
    *silence.CHECKS,
    idle_ticks_do_not_age_a_batch,
)


@slow_on_timescale
def test_what_stood_at_a_moment(any_db: str) -> None:
    each_alone(any_db, CHECKS)
