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
from ingest.failpoints import no_failpoint
from ingest.writer import BatchWriter
from tests.integration.ingest_kit import import_sample_site, one, query
from undercroft.clock import FakeClock
from undercroft.model import Mode
from undercroft.store.connection import connect
from undercroft.store.devices import DeviceReport, Sequence, fetch_device_reports

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)
DEVICE = "gauge-beiling-rain"
TOPIC = f"flood/v1/futian/gauge-beiling/{DEVICE}/observation".encode()


@pytest.fixture
def live(live_db: str) -> str:
    import_sample_site(live_db)
    return live_db


def write(database: str, said: list[tuple[float, int | None, float]]) -> None:
    """(minutes before NOW, serial, value), all in one batch."""
    messages = []
    for minutes, serial, value in said:
        at = NOW - timedelta(minutes=minutes)
        body: dict[str, Any] = {"observed_at": at.isoformat(), "rain_total_mm": value, "battery_v": 3.6}
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


def test_a_device_without_serial_numbers_promises_nothing(live: str) -> None:
    write(live, [(10, None, 0.0)])
    assert report_of(live).spans == {}


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


def test_devices_on_the_command_line(live: str) -> None:
    write(live, [(10, 1, 0.0), (8, 3, 0.0)])
    done = run(live, "devices", "--json")
    assert done.returncode == 0
    assert DEVICE in [entry["device_id"] for entry in json.loads(done.stdout)]
    assert run(live, "devices", "--device", "nobody").returncode == 2
