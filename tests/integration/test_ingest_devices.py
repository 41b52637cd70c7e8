"""Serial numbers promised and received; corrections by people with reason and undo."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ingest.batch import Message
from ingest.device_health import device_conditions
from ingest.failpoints import no_failpoint
from ingest.writer import BatchWriter
from tests.integration.ingest_kit import one, query
from undercroft.clock import FakeClock
from undercroft.model import Mode
from undercroft.store.connection import connect
from undercroft.store.devices import DeviceReport, Sequence, fetch_device_reports

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)
DEVICE = "gauge-beiling-rain"
TOPIC = f"flood/v1/futian/gauge-beiling/{DEVICE}/observation".encode()


def write(database: str, said: list[tuple[float, int | None, float]], clock: datetime | None = None) -> None:
    """(minutes before NOW, serial, value), in one batch; the device's clock stands at ``clock``, or is right."""
    messages = []
    for minutes, serial, value in said:
        at = NOW - timedelta(minutes=minutes)
        body: dict[str, Any] = {"observed_at": (clock or at).isoformat(), "rain_total_mm": value, "battery_v": 3.6}
        if serial is not None:
            body["seq"] = serial
        received_us = round(at.timestamp() * 1e6) + 2_000_000
        messages.append(Message(TOPIC, json.dumps(body).encode(), 1, 1, False, received_us))
    with closing(BatchWriter(database, "observation", Mode.LIVE, FakeClock(NOW), no_failpoint)) as writer:
        writer.write(messages)


def report_of(database: str) -> DeviceReport:
    with closing(connect(database, application_name="test", autocommit=True)) as connection:
        (report,) = fetch_device_reports(connection, NOW, DEVICE)
        assert len(fetch_device_reports(connection, NOW)) > 1
    return report


def test_gaps_restarts_and_repeats_over_an_hour_and_a_day(live: str) -> None:
    write(live, [(300, 1, 0.0), (299, 2, 0.0), (290, 5, 0.0)])  # 3 and 4 are lost
    write(live, [(50, 6, 0.1), (49, 8, 0.1), (48, 8, 0.1), (40, 1, 0.1), (39, 2, 0.1)])  # 7 lost, 8 again, restart
    report = report_of(live)
    assert report.spans == {
        "24h": Sequence(expected=10, received=7, restarts=1, repeats=1),
        "1h": Sequence(expected=5, received=4, restarts=1, repeats=1),
    }
    assert report.spans["24h"].missing == 3
    assert report.silent_s == pytest.approx(39 * 60 - 2)
    assert report.delay_s == pytest.approx(2.0)


def test_what_comes_late_fills_its_gap(live: str) -> None:
    write(live, [(10, 1, 0.0), (8, 3, 0.0)])
    assert report_of(live).spans["1h"].missing == 1
    write(live, [(9, 2, 0.0)])
    assert report_of(live).spans["1h"] == Sequence(expected=3, received=3, restarts=0, repeats=0)
    write(live, [(7, 4, 0.0), (6, 5, 0.0)], datetime(1970, 1, 1, tzinfo=UTC))  # without a clock: at their receipt
    write(live, [(5, 6, 0.0)])
    assert report_of(live).spans["1h"] == Sequence(expected=6, received=6, restarts=0, repeats=0)


def ways(database: str, sent: list[tuple[float, int, float]]) -> None:
    """(seconds after an hour ago, serial, received so many seconds later)."""
    start = NOW - timedelta(minutes=50)
    messages = []
    for second, serial, later_s in sent:
        at = start + timedelta(seconds=second)
        body = {"observed_at": at.isoformat(), "seq": serial, "rain_total_mm": 0.0}
        received_us = round((at.timestamp() + later_s) * 1e6)
        messages.append(Message(TOPIC, json.dumps(body).encode(), 1, 1, False, received_us))
    with closing(BatchWriter(database, "observation", Mode.LIVE, FakeClock(NOW), no_failpoint)) as writer:
        writer.write(messages)


@pytest.mark.parametrize("event_s", [0.1, 0.4, 9.0])
def test_an_event_that_is_numbered_after_a_reading_measured_after_it_is_no_restart(live: str, event_s: float) -> None:
    """Twenty messages, none lost: each reading at its second, each event numbered next and measured 0.2 s before.

    The event may come before the reading, or after the one that follows.
    """
    sent = []
    for place in range(10):
        sent.append((20.0 * place, 2 * place, 0.3))
        sent.append((20.0 * place - 0.2, 2 * place + 1, event_s + 0.2 if place else 0.6))
    ways(live, sent)
    assert report_of(live).spans["1h"] == Sequence(expected=20, received=20, restarts=0, repeats=0)


def test_a_restart_is_told_once_though_its_first_messages_come_in_disorder(live: str) -> None:
    """3 and 4 lost; then from 0, its first event numbered 1 and measured before; then once more, within the minute."""
    old = [(20.0 * place, serial, 0.3) for place, serial in enumerate((1, 2, 5, 6, 7))]
    new = [(119.8, 1, 0.5), (120.0, 0, 0.3), (140.0, 2, 0.3), (160.0, 3, 0.3), (300.0, 0, 0.3), (320.0, 1, 0.3)]
    ways(live, old + new)
    assert report_of(live).spans["1h"] == Sequence(expected=13, received=11, restarts=2, repeats=0)


def test_what_is_numbered_when_it_is_sent_and_was_measured_long_before_is_no_restart(live: str) -> None:
    """A buffer is emptied behind newer readings, under the next numbers."""
    ways(live, [(0, 1, 1), (600, 2, 1), (1200, 3, 1), (300, 4, 1000), (900, 5, 400)])
    assert report_of(live).spans["1h"] == Sequence(expected=5, received=5, restarts=0, repeats=0)


def test_what_was_lost_at_the_edge_of_an_hour_is_told_in_it(live: str) -> None:
    write(live, [(70, 1, 0.0), (10, 5, 0.0)])
    assert report_of(live).spans["1h"] == Sequence(expected=4, received=1, restarts=0, repeats=0)


def test_a_device_without_serial_numbers_promises_nothing(live: str) -> None:
    write(live, [(10, None, 0.0)])
    assert report_of(live).spans == {}


def _said(at: datetime | str, value: float, received_s: float, *, again: bool = False, retain: bool = False) -> Message:
    body = {"observed_at": at if isinstance(at, str) else at.isoformat(), "rain_total_mm": value}
    received_us = round(NOW.timestamp() * 1e6 + received_s * 1e6)
    return Message(TOPIC, json.dumps(body).encode(), 1, 1, retain, received_us, again)


def test_a_clock_that_stands_still_in_1970_hides_no_reading_though_the_value_stays(live: str) -> None:
    """A dry sensor without a clock says the very same every minute; delivered again, or twice at once, it is one."""
    epoch = "1970-01-01T00:00:00Z"
    with closing(BatchWriter(live, "observation", Mode.LIVE, FakeClock(NOW), no_failpoint)) as writer:
        for minute in range(4):
            writer.write([_said(epoch, 0.0, 60 * minute)])
        writer.write([_said(epoch, 0.0, 185)])
        writer.write([_said(epoch, 0.0, 300, again=True), _said(epoch, 0.0, 300, retain=True)])
    rows = query(live, "select extract(epoch from received_at)::float8 as at, quality from observation order by 1")
    start = NOW.timestamp()
    assert [(row["at"], row["quality"]) for row in rows] == [(start + 60 * minute, 3) for minute in range(4)]


def test_a_device_whose_clock_stands_still_is_no_silent_one(live: str) -> None:
    """It speaks every 600 s, always with the time of its first word: one row, and told. Then it is silent."""
    told: list[list[str]] = []
    with (
        closing(BatchWriter(live, "observation", Mode.LIVE, FakeClock(NOW), no_failpoint)) as writer,
        closing(connect(live, application_name="test", autocommit=True)) as connection,
    ):
        for said in range(6):
            writer.write([_said(NOW, 1.5, 600 * said)])
            now = NOW + timedelta(seconds=600 * said + 1)
            found = device_conditions(connection, now, [], writer.delays.heard_us())
            told.append([condition.name for condition in found if condition.is_active])
        writer.write([_said(NOW, 1.5, 4801, again=True)])  # of a broker: the device says nothing by it
        found = device_conditions(connection, NOW + timedelta(seconds=4802), [], writer.delays.heard_us())
        told.append([condition.name for condition in found if condition.is_active])
    assert one(live, "select count(*) from observation") == 1
    # stale after three dry intervals of 600 s: 1,800 s; the last word of its own comes at 3,000 s
    assert told == [[], [], [], ["clock-frozen"], ["clock-frozen"], ["clock-frozen"], ["stale"]]


def test_a_device_that_spoke_last_while_our_clock_was_ahead_is_told_as_silent(live: str) -> None:
    with (
        closing(BatchWriter(live, "observation", Mode.LIVE, FakeClock(NOW), no_failpoint)) as writer,
        closing(connect(live, application_name="test", autocommit=True)) as connection,
    ):
        writer.write([_said(NOW, 1.5, 8 * 3600)])
        told = []
        for after_s in (1799, 1801):
            found = device_conditions(connection, NOW + timedelta(seconds=after_s), [], writer.delays.heard_us())
            told.append([condition.name for condition in found if condition.is_active])
    assert told == [[], ["stale"]]


def run(database: str, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "UNDERCROFT_DATABASE_URL": database}
    return subprocess.run(
        [sys.executable, "-m", "undercroft", *words], env=environment, capture_output=True, text=True, check=False
    )


def test_a_correction_has_author_and_reason_and_can_be_undone(live: str) -> None:
    write(live, [(10, 1, 0.0), (9, 2, 7.0), (8, 3, 0.0)])
    before = query(live, "select * from observation order by 1, 2")
    sensor = f"{DEVICE}:rain_total_mm"
    at = (NOW - timedelta(minutes=9)).isoformat()
    done = run(live, "quality", "flag", sensor, "--from", at, "--reason", "cleaned the funnel", "--author", "Li")
    assert (done.returncode, done.stderr) == (0, "")
    assert "is fail for 1 readings" in done.stdout
    flagged = "select quality, quality_at_arrival, flagged_by, flag_reason from observation_flagged where value = 7"
    assert query(live, flagged) == [
        {"quality": 4, "quality_at_arrival": 1, "flagged_by": "Li", "flag_reason": "cleaned the funnel"}
    ]
    (listed,) = json.loads(run(live, "quality", "list", "--json").stdout)
    assert (listed["quality"], listed["tests"], listed["undone"]) == ("fail", ["OPERATOR"], False)
    number = str(listed["quality_flag_id"])
    assert run(live, "quality", "undo", number, "--reason", "wrong gauge", "--author", "Wu").returncode == 0
    assert query(live, flagged)[0]["quality"] == 1
    assert run(live, "quality", "undo", number, "--reason", "again").returncode == 2
    assert query(live, "select kind, author, subject from act order by commit_seq") == [
        {"kind": "quality_flag", "author": "Li", "subject": sensor},
        {"kind": "quality_undo", "author": "Wu", "subject": sensor},
    ]
    assert one(live, "select count(distinct commit_seq) from act") == 2
    assert query(live, "select * from observation order by 1, 2") == before


@pytest.mark.parametrize(
    "words",
    [
        ("nobody:rain_total_mm", "--from", "2026-07-01T00:00:00Z", "--reason", "x"),
        (f"{DEVICE}", "--from", "2026-07-01T00:00:00Z", "--reason", "x"),
        (f"{DEVICE}:rain_total_mm", "--from", "yesterday", "--reason", "x"),
        (f"{DEVICE}:rain_total_mm", "--from", "2026-07-01T00:00:00Z", "--reason", " "),
        (f"{DEVICE}:rain_total_mm", "--from", "2026-07-01T00:00:00Z", "--reason", "x", "--quality", "fine"),
    ],
)
def test_a_correction_that_cannot_be_is_one_line_and_exit_code_2(live: str, words: tuple[str, ...]) -> None:
    done = run(live, "quality", "flag", *words)
    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--from", "2026-07-01T11:50:00Z", "--to", "2126-07-01T00:00:00Z"), "still to come"),
        (("--from", "2026-06-01T11:50:00Z", "--to", "2026-06-01T11:59:00Z"), "no reading"),
    ],
)
def test_a_correction_of_nothing_or_of_what_is_to_come_is_not_kept(
    live: str, words: tuple[str, ...], told: str
) -> None:
    write(live, [(10, 1, 0.0), (9, 2, 7.0)])
    done = run(live, "quality", "flag", f"{DEVICE}:rain_total_mm", *words, "--reason", "x")
    assert done.returncode == 2
    assert told in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert one(live, "select count(*) from quality_flag") == 0
    assert one(live, "select count(*) from act") == 0


def test_devices_on_the_command_line(live: str) -> None:
    write(live, [(10, 1, 0.0), (8, 3, 0.0)])
    done = run(live, "devices", "--json")
    assert done.returncode == 0
    assert DEVICE in [entry["device_id"] for entry in json.loads(done.stdout)]
    assert run(live, "devices", "--device", "nobody").returncode == 2
