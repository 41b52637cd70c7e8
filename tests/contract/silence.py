"""What a panel must not make of silence: not dry, not calm, no outage where only the counts are gone."""

from __future__ import annotations

from datetime import datetime, timedelta

from dashboards.house import MARKS
from dashboards.macros import fill
from dashboards.queries import query
from tests.contract.moments import END, HOUR, MINUTE, asked, one
from undercroft.store.connection import Connection


def a_silent_gauge_is_not_dry(moments: Connection) -> None:
    """2 mm a minute for an hour, then 65 min of silence; a counter with one reading; half a millimetre each 5 min."""
    moments.execute("insert into device (device_id, place_id, interval_dry_s, interval_wet_s)"
        " values ('one', 'p', 600, 60), ('told', 'q', 300, 60)")  # fmt: skip
    moments.execute("insert into sensor (device_id, quantity, unit, place_id)"
        " values ('one', 'rain_total_mm', 'mm', 'p'), ('told', 'rain_depth_mm', 'mm', 'q')")  # fmt: skip
    for device, times, newest, each, last, step in (
        ("d", 61, END - 65 * MINUTE, MINUTE, 1000.0, 2.0),
        ("one", 1, END, MINUTE, 7.0, 0.0),
        ("told", 25, END, 5 * MINUTE, 0.5, 0.0),
    ):
        moments.execute(
            "insert into observation (sensor_id, observed_at, value, quality, received_at, batch_id)"
            " select sensor_id, %(newest)s::timestamptz - n * %(each)s::interval, %(last)s - n * %(step)s, 1,"
            " %(newest)s, 1 from sensor, generate_series(0, %(times)s - 1) n"
            " where device_id = %(device)s and quantity like 'rain%%'",
            {"newest": newest, "device": device, "times": times, "each": each, "last": last, "step": step},
        )
    rows = asked(moments, "rain_sums", END - 6 * HOUR, END)
    found = [tuple(row[f"rain_{stretch}_mm"] for stretch in ("10", "60", "range")) for row in rows]
    # Told: 2, 12 and 25 readings of 0.5 mm; the rows without a known 10 minutes come last.
    assert found[0] == (1.0, 6.0, 12.5)
    assert set(found[1:]) == {(None, None, 120.0), (None, None, None)}
    for interval_ms in (1_000, 600_000):
        text = fill(query("rain_gauges").sql, END - HOUR, END - MINUTE, interval_ms=interval_ms)
        drawn = moments.execute(text.encode()).fetchall()
        assert {row["value"] for row in drawn if row["metric"] == "q q"} == {6.0}, interval_ms  # 0.5 mm in 5 min
    shares = {row["sensor"]: row["share"] for row in asked(moments, "gaps", END - HOUR, END)}
    assert shares["told:rain_depth_mm"] == 1.0


def a_counter_that_was_reset_shows_its_rain(moments: Connection) -> None:
    """300 mm until an hour before the end, when it is set to nought, and 80 mm in the hour: 80 mm at every width."""
    moments.execute(
        "insert into observation (sensor_id, observed_at, value, quality, received_at, batch_id)"
        " select sensor_id, %(end)s::timestamptz - (12 - n) * interval '5 minutes',"
        " case when n < 0 then 300 else n * 80 / 12.0 end, 1, %(end)s, 1"
        " from sensor, generate_series(-24, 12) n where device_id = 'd' and quantity = 'rain_total_mm'",
        {"end": END},
    )
    for interval_ms in (1_000, 60_000, 600_000, 3_600_000):
        text = fill(query("rain_gauges").sql, END - 4 * HOUR, END, interval_ms=interval_ms)
        drawn = [row for row in moments.execute(text.encode()).fetchall() if row["metric"] == "p p"]
        width_h = max(interval_ms, 300_000) / 3_600_000
        assert round(sum(row["value"] for row in drawn) * width_h, 6) == 80.0, interval_ms


def a_gauge_that_tells_its_rain_in_two_ways_is_two_lines(moments: Connection) -> None:
    moments.execute(
        "insert into sensor (device_id, quantity, unit, place_id) values ('d', 'rain_intensity_mm_h', 'mm/h', 'p')"
    )
    moments.execute(
        "insert into observation (sensor_id, observed_at, value, quality, received_at, batch_id)"
        " select sensor_id, %(end)s::timestamptz - n * interval '1 minute', 90, 1, %(end)s, 1"
        " from sensor, generate_series(0, 3) n where device_id = 'd' and quantity like 'rain%%'",
        {"end": END},
    )
    text = fill(query("rain_gauges").sql, END - HOUR, END, interval_ms=1_000)
    drawn = {(row["metric"], row["value"]) for row in moments.execute(text.encode()).fetchall()}
    assert drawn == {("p p · d:rain_intensity_mm_h", 90.0), ("p p · d:rain_total_mm", 0.0)}


def a_line_ends_where_nobody_spoke(moments: Connection) -> None:
    """Ten readings a minute apart, two hours of silence, ten more; a forecast at 0 and 5 min, and at 60 min again."""
    moments.execute(
        "insert into sensor (device_id, quantity, unit, place_id, zero_level_m)"
        " values ('d', 'water_depth_m', 'm', 'p', 0)"
    )
    moments.execute(
        "insert into observation (sensor_id, observed_at, value, quality, received_at, batch_id)"
        " select sensor_id, %(end)s::timestamptz + (n + case when n > 9 then 120 else 0 end) * interval '1 minute',"
        " 0.1, 1, %(end)s, 1 from sensor, generate_series(0, 19) n where quantity = 'water_depth_m'",
        {"end": END},
    )
    for name in ("space_depth", "space_levels"):
        for interval_ms, ends in ((1_000, [9 + 10]), (600_000, [10])):  # then the empty one, a third of 30 min later
            text = fill(query(name).sql, END, END + 3 * HOUR, interval_ms=interval_ms, variables={"place": ["p"]})
            rows = [row for row in moments.execute(text.encode()).fetchall() if "Crest" not in row["metric"]]
            assert [(row["time"] - END) / MINUTE for row in rows if row["value"] is None] == ends, (name, interval_ms)
    for seq, minutes in enumerate((0, 5, 60)):
        moments.execute(
            "insert into assessment (space_id, tick_seq, tick_at, level, score, blind, reasons, contributions,"
            " evidence) values ('p', %s, %s, 0, 0, false, '[]', '{}',"
            """ '{"time_to_red_min": 9, "rain_mm": {"5": 1}, "ahead": {"orange": {"likely_min": 8}}}')""",
            (seq, END + minutes * MINUTE),
        )
    for name, metric in (("space_nowcast", "red"), ("space_band", "likely"), ("space_rain", "5 min")):
        rows = [row for row in asked(moments, name, END, END + 3 * HOUR, place=["p"]) if metric in row["metric"]]
        found = [((row["time"] - END) / MINUTE, row["value"] is None) for row in rows]
        assert found == [(0, False), (5, False), (5 + 10 / 3, True), (60, False)], name


def an_alarm_of_a_device_is_not_drawn_as_its_place(moments: Connection) -> None:
    """The space is red from an hour before the end on; its sensor's alarm comes half an hour later, and goes."""
    for subject, number, minutes, kind, severity in (
        ("space/p", 1, 60, "raised", 4), ("device/d", 1, 30, "raised", 2), ("device/d", 2, 10, "cleared", 2),
    ):  # fmt: skip
        moments.execute(
            "insert into alarm_event (subject, occurrence, event_no, tick_seq, tick_at, kind, severity, reasons)"
            " values (%s, 1, %s, %s, %s, %s, %s, '[]')",
            (subject, number, 60 - minutes, END - minutes * MINUTE, kind, severity),
        )
    for subject, kind, severity, minutes, ended in (
        ("space/p", "space", 4, 60, None), ("device/d", "device", 2, 30, END - 10 * MINUTE),
    ):  # fmt: skip
        moments.execute(
            "insert into alarm (subject, subject_kind, occurrence, severity, peak_severity, active, raised_at,"
            " cleared_at, reasons, last_tick_seq) values (%s, %s, 1, %s, %s, %s, %s, %s, '[]', 60)",
            (subject, kind, severity, severity, ended is None, END - minutes * MINUTE, ended),
        )
    drawn = [(row["metric"], row["value"]) for row in asked(moments, "alarm_timeline", END - 2 * HOUR, END)]
    assert drawn == [("p p", 4.0), ("p p · d", 2.0), ("p p · d", 0.0)]


def a_timeline_is_not_calm_on_its_own(moments: Connection) -> None:
    """Judged normal twice, ten minutes apart, four hours before the end; a switch closed and a pump on at the first."""
    began = END - 4 * HOUR
    moments.execute("insert into sensor (device_id, quantity, unit, place_id) values ('d', 'pump_running', '', 'p')")
    for seq, minutes in enumerate((0, 10), 1):
        moments.execute(
            "insert into assessment (space_id, tick_seq, tick_at, level, score, blind, reasons, contributions,"
            " evidence) select space_id, %s, %s, 0, 0, space_id = 'q', '[]', '{}',"
            """ '{"entrances": [{"entrance": "e", "barrier": "deployed"}]}' from space""",
            (seq, began + minutes * MINUTE),
        )
    moments.execute(
        "insert into observation (sensor_id, observed_at, value, quality, received_at, batch_id)"
        " select sensor_id, %s, case quantity when 'pump_running' then 1 else 3 end, 1, %s, 1 from sensor"
        " where quantity in ('barrier_state', 'pump_running')",
        (began, began),
    )

    def drawn(name: str, until: datetime, metric: str) -> list[tuple[float, float]]:
        rows = asked(moments, name, END - 6 * HOUR, until, place=["p"])
        return [((row["time"] - began) / MINUTE, row["value"]) for row in rows if metric in row["metric"]]

    assert drawn("storm_levels", END, "p p") == [(0, 0), (10, 0), (20, -2)]
    assert drawn("storm_levels", END, "q q") == [(0, -1), (10, -1), (20, -2)]
    assert drawn("storm_levels", began + 20 * MINUTE, "p p") == [(0, 0), (10, 0)]
    assert drawn("space_barriers", END, "Judged") == [(0, 3), (20, 6)]  # the second says the same
    assert drawn("space_barriers", END, "e e d") == [(0, 3), (30, 6)]  # three dry intervals of 10 min
    assert drawn("space_pumps", END, "p") == [(0, 1), (30, 2)]
    for name in ("storm_levels", "space_barriers", "space_pumps"):
        values = {
            mark.value for mark in MARKS[{"storm_levels": "judged", "space_barriers": "barrier"}.get(name, "pump")]
        }
        assert {row["value"] for row in asked(moments, name, END - 6 * HOUR, END)} <= values


def counts_that_are_gone_are_no_outage(moments: Connection) -> None:
    """Read and judged sixty days ago, and of the batches only today's are kept."""
    then = END - timedelta(days=60)
    moments.execute(
        "insert into batch (batch_id, commit_seq, lane, messages, readings, stored, duplicates, conflicts,"
        " dead_letters, committed_at) values (9, 9, 'routine', 1, 1, 1, 0, 0, 0, %s)",
        (END,),
    )
    moments.execute(
        "insert into tick (tick_seq, tick_at, up_to_commit_seq, committed_at) values (1, %s, 0, %s)", (then, then)
    )
    moments.execute(
        "insert into observation (sensor_id, observed_at, value, quality, received_at, batch_id)"
        " select sensor_id, %s, 1, 1, %s, 1 from sensor where quantity = 'rain_total_mm'",
        (then - 5 * MINUTE, then - 5 * MINUTE),
    )
    for mode, states in (("exercise", [3, 3, 3, 2]), ("live", [6, 2, 3, 2])):
        moments.execute("update deployment set mode = %s", (mode,))
        # After 1 min judged; after 9 min a reading of the last 15 but no judgement of the last 5; after 20 neither.
        moments_asked = [then + m * MINUTE for m in (1, 9, 20)] + [END + MINUTE]
        assert [one(moments, "why", at)["state"] for at in moments_asked] == states, mode
    ages = one(moments, "ages", then + MINUTE)
    assert (ages["reading_age_s"], ages["tick_age_s"], ages["batch_age_s"]) == (360.0, 60.0, None)
    assert asked(moments, "pipeline_now", then - HOUR, then + MINUTE) == []
    assert one(moments, "pipeline_now", END + MINUTE)["stored"] == 1


CHECKS = (
    a_silent_gauge_is_not_dry,
    a_counter_that_was_reset_shows_its_rain,
    a_gauge_that_tells_its_rain_in_two_ways_is_two_lines,
    a_line_ends_where_nobody_spoke,
    an_alarm_of_a_device_is_not_drawn_as_its_place,
    a_timeline_is_not_calm_on_its_own,
    counts_that_are_gone_are_no_outage,
)
