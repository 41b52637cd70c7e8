"""Recorder and replay with real brokers and processes: same bytes, same order, same alarms."""

from __future__ import annotations

import base64
import json
import os
import selectors
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from simulators.recording.lines import Recorded, line_of, read_recording
from tests.integration.gateway_kit import DECODER, STATION, frame
from tests.integration.ingest_kit import (
    DEADLINE_S,
    Mosquitto,
    free_port,
    ingest_of,
    needs_mosquitto,
    publishing,
    query,
    wait_until,
)
from tests.integration.test_demo import SHORT_STORM, a_data_dir, command, environment, run_demo
from tests.integration.up_kit import short_folder
from undercroft.site import load_site, sample_site_path
from undercroft.stack.beside import Beside, leave_beside
from undercroft.stack.broker import running_broker
from undercroft.stack.datadir import open_data_dir
from undercroft.stack.ready import READY_FD_VARIABLE
from undercroft.store.connection import connect
from undercroft.store.site import import_site

REPORTS = [
    (f"flood/v1/futian/garage-1/g{number % 3}/observation", bytes([0, 255, number % 256]) * (number % 5))
    for number in range(300)
]


@contextmanager
def recording(url: str, out: Path, *words: str, data_dir: Path | None = None) -> Iterator[subprocess.Popen[bytes]]:
    """The recorder as a process, subscribed."""
    readable, writable = os.pipe()
    env = {key: value for key, value in os.environ.items() if not key.startswith("UNDERCROFT_")}
    env |= {"UNDERCROFT_MQTT_URL": url} if data_dir is None else {"UNDERCROFT_DATA_DIR": str(data_dir)}
    env |= {READY_FD_VARIABLE: str(writable)}
    process = subprocess.Popen(
        [sys.executable, "-m", "undercroft", "record", "--out", str(out), *words], env=env, pass_fds=[writable]
    )
    os.close(writable)
    try:
        with os.fdopen(readable, "rb") as ready, selectors.DefaultSelector() as selector:
            selector.register(ready, selectors.EVENT_READ)
            assert selector.select(DEADLINE_S)
            assert ready.read(1) == b"1"
        yield process
    finally:
        process.kill()
        process.wait()


def stop(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    assert process.wait(DEADLINE_S) == 0


def kept(path: Path) -> list[tuple[str, bytes]]:
    return [(message.topic, message.payload) for message in read_recording(path)]


def last_payload(path: Path) -> bytes:
    lines = path.read_bytes().splitlines(keepends=True)[-2:]
    whole = [line for line in lines if line.endswith(b"\n")]
    return base64.b64decode(json.loads(whole[-1])["payload_b64"]) if whole else b""


def replay(url: str, path: Path, *words: str) -> None:
    env = {key: value for key, value in os.environ.items() if not key.startswith("UNDERCROFT_")}
    done = subprocess.run(
        command("replay", str(path), "--speed", "max", *words),
        env=env | {"UNDERCROFT_MQTT_URL": url},
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.fixture
def mosquitto() -> Iterator[Mosquitto]:
    with tempfile.TemporaryDirectory(prefix="ucm-", dir="/tmp") as folder:
        server = Mosquitto(Path(folder), free_port())
        server.start()
        yield server
        server.stop(signal.SIGKILL)


@needs_mosquitto
def test_the_recording_holds_the_same_bytes_in_the_same_order(mosquitto: Mosquitto, tmp_path: Path) -> None:
    out = tmp_path / "a.jsonl"
    with recording(mosquitto.url, out) as process:
        with publishing(mosquitto.url) as publisher:
            publisher.publish(REPORTS)
        wait_until(lambda: out.stat().st_size > 0, "synced within a second or so")
        stop(process)

    assert kept(out) == REPORTS
    times = [message.t for message in read_recording(out)]
    assert times == sorted(times)


def test_record_and_replay_find_the_broker_of_the_exercise_that_runs_beside_them(tmp_path: Path) -> None:
    """DATA_DIR is all that either is told; a live one may be listened to, and nothing is played to it."""
    source, out = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    at, topic = datetime(2026, 7, 1, 12, tzinfo=UTC), "exercise/v1/futian/garage-1/g1/observation"
    clock = Recorded(at, "exercise/v1/futian/run/clock", 1, False, b'{"now":"2026-07-01T12:00:00Z",  "seq":1}')
    said_by_device = [Recorded(at, topic, 1, False, bytes([n])) for n in range(3)]
    source.write_bytes(b"".join(line_of(message) for message in (clock, *said_by_device)))
    with short_folder() as data_dir, open_data_dir(data_dir) as prepared, running_broker(prepared, 0) as broker:
        nowhere = told_by("record", "--out", str(out), data_dir=data_dir)
        assert (nowhere[0], f"runs in {data_dir}" in nowhere[1]) == (2, True), nowhere
        leave_beside(prepared, Beside("live", broker.url("simulator")))
        with recording("", out, data_dir=data_dir) as process:
            leave_beside(prepared, Beside("exercise", broker.url("simulator")))
            code, said = told_by("replay", str(source), "--speed", "max", data_dir=data_dir)
            assert code == 0, said
            wait_until(lambda: len(kept(out)) >= 5, "what was played is recorded")
            stop(process)
    assert kept(out)[:4] == kept(source), "and the clock at its end"


def told_by(*words: str, data_dir: Path) -> tuple[int, str]:
    done = subprocess.run(
        command(*words), env=environment(data_dir), capture_output=True, text=True, timeout=DEADLINE_S, check=False
    )
    return done.returncode, done.stderr


@needs_mosquitto
def test_record_of_replay_is_the_recording(mosquitto: Mosquitto, tmp_path: Path) -> None:
    start = datetime(2026, 7, 1, 12, tzinfo=UTC)
    clock = "exercise/v1/futian/run/clock"
    messages = [Recorded(start, clock, 1, False, b'{"now":"2026-07-01T12:00:00Z",  "seq":1}')]
    for seq in range(2, 30):
        messages += [
            Recorded(start, topic.replace("flood", "exercise", 1), 1, False, payload)
            for topic, payload in REPORTS[seq * 9 : seq * 9 + 9]
        ]
        now = f"{start + timedelta(minutes=seq):%Y-%m-%dT%H:%M:%S+00:00}"
        messages.append(Recorded(start, clock, 1, False, json.dumps({"seq": seq, "now": now}).encode()))
    original, again = tmp_path / "a.jsonl", tmp_path / "b.jsonl"
    original.write_bytes(b"".join(line_of(message) for message in messages))

    with recording(mosquitto.url, again, "--filter", "exercise/#") as process:
        replay(mosquitto.url, original)
        wait_until(lambda: len(kept(again)) >= len(messages), "all kept")
        stop(process)

    assert kept(again) == kept(original)


@needs_mosquitto
def test_a_live_recording_is_played_under_the_exercise(mosquitto: Mosquitto, tmp_path: Path) -> None:
    out, again = tmp_path / "a.jsonl", tmp_path / "b.jsonl"
    out.write_bytes(
        b"".join(
            line_of(Recorded(datetime(2026, 7, 1, 12, number // 60, number % 60, tzinfo=UTC), topic, 1, False, payload))
            for number, (topic, payload) in enumerate(REPORTS)
        )
    )
    with recording(mosquitto.url, again) as process:
        replay(mosquitto.url, out)
        wait_until(lambda: len(kept(again)) >= len(REPORTS) + 6, "all kept")
        stop(process)

    readings = [entry for entry in kept(again) if not entry[0].endswith("/run/clock")]
    assert readings == [(topic.replace("flood", "exercise", 1), payload) for topic, payload in REPORTS]
    clocks = [json.loads(payload) for topic, payload in kept(again) if topic.endswith("/run/clock")]
    assert [clock["seq"] for clock in clocks] == [1, 2, 3, 4, 5, 6]
    assert (clocks[0]["now"], clocks[-1]["now"]) == ("2026-07-01T12:00:00Z", "2026-07-01T12:04:59Z")


@needs_mosquitto
def test_a_signal_leaves_nothing_at_the_broker(mosquitto: Mosquitto, tmp_path: Path) -> None:
    out = tmp_path / "a.jsonl"
    with recording(mosquitto.url, out) as process:
        with publishing(mosquitto.url) as publisher:
            publisher.publish(REPORTS * 20)
        stop(process)

    assert kept(out) == REPORTS * 20


@needs_mosquitto
def test_it_goes_on_after_the_broker_was_away(mosquitto: Mosquitto, tmp_path: Path) -> None:
    out = tmp_path / "a.jsonl"
    with recording(mosquitto.url, out) as process:
        with publishing(mosquitto.url) as publisher:
            publisher.publish(REPORTS[:10])
        wait_until(lambda: len(kept(out)) == 10, "first half kept")
        mosquitto.stop()
        mosquitto.start()

        def is_back() -> bool:
            with publishing(mosquitto.url) as publisher:
                publisher.publish([("flood/v1/probe", b"?")])
            return ("flood/v1/probe", b"?") in kept(out)

        wait_until(is_back, "subscribed again")
        with publishing(mosquitto.url) as publisher:
            publisher.publish(REPORTS[10:20])
        wait_until(lambda: ("flood/v1/probe", b"?") in kept(out) and kept(out)[-1] == REPORTS[19], "second half kept")
        stop(process)

    assert [entry for entry in kept(out) if entry[0] != "flood/v1/probe"] == REPORTS[:20]


@needs_mosquitto
def test_after_kill_9_what_was_synced_can_be_read(mosquitto: Mosquitto, tmp_path: Path) -> None:
    out = tmp_path / "a.jsonl"
    with recording(mosquitto.url, out) as process:
        with publishing(mosquitto.url) as publisher:
            publisher.publish(REPORTS)
        wait_until(lambda: len(kept(out)) == len(REPORTS), "synced")
        process.kill()
        process.wait()

    assert kept(out) == REPORTS


def test_an_existing_file_is_not_overwritten(broker: str, tmp_path: Path) -> None:
    out = tmp_path / "a.jsonl"
    out.write_text("mine")
    done = subprocess.run(
        command("record", "--out", str(out)),
        env={**os.environ, "UNDERCROFT_MQTT_URL": broker},
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
    )

    assert (done.returncode, out.read_text()) == (2, "mine")
    assert "--out: File exists" in done.stderr


def test_recorded_stations_are_read_again_in_an_exercise(broker: str, exercise_db: str, tmp_path: Path) -> None:
    site, out = tmp_path / "site.toml", tmp_path / "a.jsonl"
    site.write_text(sample_site_path().read_text(encoding="utf-8") + DECODER, encoding="utf-8")
    with closing(connect(exercise_db, application_name="test", autocommit=True)) as connection:
        import_site(connection, load_site(site), "test", datetime(2026, 7, 1, tzinfo=UTC))
    levels = ["00001500", "00001600", "00001700"]
    start = datetime(2026, 7, 1, 4, tzinfo=UTC)  # noon in Beijing, which the frames say
    out.write_bytes(
        b"".join(
            line_of(Recorded(start, f"sl651/v1/{STATION}", 1, False, frame(serial, level=level)))
            for serial, level in enumerate([*levels, levels[-1]], start=1)
        )
    )

    with ingest_of(exercise_db, broker) as ingest:
        ingest.start()
        replay(broker, out, "--site", str(site))
        counts = "select coalesce(sum(messages), 0)::int as n from batch"
        wait_until(lambda: query(exercise_db, counts)[0]["n"] >= 6, "four frames and two clocks committed")

    stored = query(exercise_db, "select value, observed_at from observation")
    beside = query(exercise_db, "select value from observation_conflict order by value")
    assert [(row["value"], row["observed_at"]) for row in stored] == [(1.5, start)]
    assert [row["value"] for row in beside] == [1.6, 1.7]
    assert query(exercise_db, "select 1 from dead_letter") == []


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["missing.jsonl"], "missing.jsonl: cannot be read: No such file"),
        (["a.jsonl", "--speed", "fast"], "--speed fast: expected a number above 0, or max"),
        (["a.jsonl"], "a.jsonl:1: not a line of JSON"),
        (["recording", "a.jsonl"], "a.jsonl:1: not a line of JSON"),
    ],
)
def test_what_cannot_be_replayed_is_one_line(tmp_path: Path, words: list[str], told: str) -> None:
    (tmp_path / "a.jsonl").write_text("{\n", encoding="utf-8")
    done = subprocess.run(
        command("replay", *words), cwd=tmp_path, capture_output=True, text=True, timeout=DEADLINE_S, check=False
    )

    assert done.returncode == 2
    assert told in done.stderr.replace("\n", " ")


@pytest.mark.slow
def test_a_replayed_exercise_raises_the_same_alarms(broker: str, tmp_path: Path) -> None:
    scenario, out, report = tmp_path / "storm.toml", tmp_path / "storm.jsonl", tmp_path / "report.json"
    scenario.write_text(SHORT_STORM, encoding="utf-8")
    env = {key: value for key, value in os.environ.items() if not key.startswith("UNDERCROFT_")}
    with recording(broker, out) as process:
        simulate = command("simulate", "--scenario", str(scenario), "--speed", "max")
        subprocess.run(simulate, env=env | {"UNDERCROFT_MQTT_URL": broker}, timeout=120, check=True)
        wait_until(lambda: b'"seq":121}' in last_payload(out), "the last clock is kept")
        stop(process)

    with a_data_dir() as data_dir:
        original = run_demo(data_dir, str(scenario), "--probe-seconds", "0")
    with a_data_dir() as data_dir:
        play = command("replay", str(out), "--speed", "max", "--exit", "--headless", "--report", str(report))
        done = subprocess.run(play, env=environment(data_dir), capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr
    replayed = json.loads(report.read_text(encoding="utf-8"))

    assert original["alarm_log_sha256"] == replayed["alarm_log_sha256"]
    assert replayed["alarms"] == original["alarms"]
    assert replayed["observations"]["stored"] == original["observations"]["stored"] > 0
