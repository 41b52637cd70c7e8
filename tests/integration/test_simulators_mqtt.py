"""Runs over a real broker: order, completeness, and what a simulator must refuse."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
import pytest

from simulators.district import district_run
from simulators.driver import play
from simulators.mqtt import Publisher, broker_address, connected_client, publisher
from simulators.playing import not_over
from simulators.scenario_file import load_scenario, parse_scenario
from simulators.steps import Message, Run, Step
from tests.unit.simulators.districts import a_site
from tests.unit.simulators.floodnet_files import a_sensor, an_event, write_events, write_sensors
from undercroft.clock import SystemClock
from undercroft.errors import BadInput, StackFailed
from undercroft.site import load_site, sample_site_path
from undercroft.store.connection import connect
from undercroft.store.run import engine_progress

DEADLINE_S = 30.0

SHORT = """\
[run]
name = "short"
label = "Short"
start = 2026-07-01T12:00:00+08:00
hours = 1

[storm]
kind = "chicago"
start = 2026-07-01T12:00:00+08:00
return_period_years = 50
duration_min = 60
"""


class Heard:
    """What a subscriber received, in order."""

    def __init__(self) -> None:
        self._arrived = threading.Condition()
        self.messages: list[tuple[str, bytes, bool]] = []

    def on_message(self, _client: mqtt.Client, _data: object, message: mqtt.MQTTMessage) -> None:
        with self._arrived:
            self.messages.append((message.topic, bytes(message.payload), message.retain))
            self._arrived.notify_all()

    def wait(self, count: int) -> None:
        with self._arrived:
            assert self._arrived.wait_for(lambda: len(self.messages) >= count, DEADLINE_S), len(self.messages)

    def distinct(self) -> int:
        """Count without what the session's broker had retained from an earlier test: a topic and payload once."""
        return len({(topic, payload) for topic, payload, _ in self.messages})

    def wait_distinct(self, count: int) -> None:
        with self._arrived:
            assert self._arrived.wait_for(lambda: self.distinct() >= count, DEADLINE_S), self.distinct()


@contextmanager
def listening(url: str, topics: str) -> Iterator[Heard]:
    heard = Heard()
    subscribed = threading.Event()
    with connected_client(url, f"test-{topics.split('/')[2]}") as client:
        client.on_message = heard.on_message
        client.on_subscribe = lambda *_: subscribed.set()
        client.subscribe(topics, qos=1)
        assert subscribed.wait(DEADLINE_S)
        yield heard


def a_run(district: str) -> Any:
    site = a_site(4)
    site = site.model_copy(update={"district": site.district.model_copy(update={"id": district})})
    return district_run(site, parse_scenario(SHORT, "short.toml"))


def command(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    env = {key: value for key, value in os.environ.items() if not key.startswith("UNDERCROFT_")}
    return subprocess.run(
        [sys.executable, "-m", "undercroft", *arguments],
        env={**env, **settings},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_everything_arrives_in_the_order_of_the_run(broker: str) -> None:
    expected = [
        (message.topic, message.payload)
        for step in a_run("order").steps
        for message in (*step.messages, Message("exercise/v1/order/run/clock", b""))
    ]
    with listening(broker, "exercise/v1/order/#") as heard:
        with publisher(broker, "test-driver") as session:
            played = play(a_run("order"), session, SystemClock(), speed=None)
        assert session.acknowledged == played.messages_published == len(expected)
        heard.wait(len(expected))
    told = [(topic, b"" if topic.endswith("/clock") else payload) for topic, payload, _ in heard.messages]
    assert told == expected
    clocks = [json.loads(payload) for topic, payload, _ in heard.messages if topic.endswith("/clock")]
    assert clocks[0] == {"now": "2026-07-01T04:00:00Z", "seq": 1}
    assert [clock["seq"] for clock in clocks] == list(range(1, 62))


def test_only_statuses_are_retained(broker: str) -> None:
    with publisher(broker, "test-driver") as session:
        play(a_run("kept"), session, SystemClock(), speed=None)
    with listening(broker, "exercise/v1/kept/#") as heard:
        heard.wait(17)  # 4 spaces with 4 devices, and the rain gauge
    assert {topic.rsplit("/", 1)[1] for topic, _, retain in heard.messages if retain} == {"status"}


def test_nothing_is_published_outside_the_exercise_root(broker: str) -> None:
    with (
        publisher(broker, "test-root") as session,
        pytest.raises(ValueError, match="under exercise/ only"),
    ):
        session.publish(Message("flood/v1/d/p/t/observation", b"{}"))


@pytest.mark.slow
def test_wrong_password_and_missing_broker(broker: str) -> None:
    address = broker_address(broker)
    with pytest.raises(StackFailed), publisher(f"mqtt://ingest:wrong@{address.host}:{address.port}", "test-bad"):
        pass
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(StackFailed, match="no MQTT broker at"), publisher(f"mqtt://127.0.0.1:{port}", "test-none"):
        pass


def publish_for_ever(session: Publisher) -> None:
    for _ in range(100_000):
        session.publish(Message("exercise/v1/d/p/t/observation", b"{}"))


def test_broker_that_hangs_up_ends_the_run() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            connection.recv(1000)
            connection.sendall(b"\x20\x02\x00\x00")  # CONNACK, accepted
            connection.recv(1000)
            connection.close()

        thread = threading.Thread(target=serve)
        thread.start()
        with (
            pytest.raises(StackFailed, match="MQTT broker"),
            publisher(f"mqtt://127.0.0.1:{server.getsockname()[1]}", "test-cut") as session,
        ):
            publish_for_ever(session)
        thread.join()


@pytest.mark.parametrize("url", ["http://127.0.0.1:1883", "mqtt://", "mqtt://127.0.0.1:x", "127.0.0.1"])
def test_other_urls_are_refused(url: str) -> None:
    with pytest.raises(BadInput, match="UNDERCROFT_MQTT_URL"):
        broker_address(url)


def test_password_may_hold_any_sign() -> None:
    address = broker_address("mqtt://user:p%40ss%2Fword@localhost:1884")
    assert (address.user, address.password, address.port) == ("user", "p@ss/word", 1884)


def test_progress_is_the_newest_tick(exercise_db: str) -> None:
    with engine_progress(exercise_db) as newest_seq:
        assert newest_seq() == 0
        with connect(exercise_db, application_name="test", autocommit=True) as connection:
            connection.execute(
                "insert into tick (tick_seq, tick_at, up_to_commit_seq, run_seq)"
                " values (1, now(), 1, 41), (2, now(), 2, 42)"
            )
        assert newest_seq() == 42


HEARD_AT = datetime(2023, 9, 5, 4, 0, tzinfo=UTC)  # where dry-day begins


def have_ticked(url: str, minutes: int, start: datetime = HEARD_AT) -> None:
    """Have the engine tick on the first clocks of a run."""
    with connect(url, application_name="test", autocommit=True) as connection:
        connection.execute(
            "insert into tick (tick_seq, tick_at, up_to_commit_seq, run_seq) select n, %s + (n - 1) * interval"
            " '1 minute', n, n from generate_series(1, %s) n",
            (start, minutes + 1),
        )


@pytest.mark.parametrize(
    ("heard_min", "heard_from", "start", "until_min", "is_refused"),
    [
        (0, None, "0", 8, False),  # nothing was heard
        (5, HEARD_AT, "0", 8, False),  # the same run, interrupted after 5 minutes
        (5, HEARD_AT, "0", 5, True),  # it is past its end
        (5, HEARD_AT, "0", 4, True),
        (5, HEARD_AT, "3", 60, True),  # another stretch of it: its clocks have numbers that were used
        (5, HEARD_AT - timedelta(days=9), "0", 60, True),  # another story, earlier
        (5, HEARD_AT + timedelta(days=9), "0", 60, True),  # and later
    ],
)
def test_a_run_that_nobody_would_judge_is_refused_at_once(
    exercise_db: str, heard_min: int, heard_from: datetime | None, start: str, until_min: int, is_refused: bool
) -> None:
    if heard_from is not None:
        have_ticked(exercise_db, heard_min, heard_from)
    run = district_run(
        load_site(sample_site_path()), load_scenario("dry-day"), from_min=int(start), until_min=until_min
    )
    steps = until_min - int(start) + 1
    with engine_progress(exercise_db) as progress:
        if is_refused:
            with pytest.raises(BadInput, match="this exercise has run already: its clock stands at"):
                not_over(run, progress)
        else:
            assert [step.seq for step in not_over(run, progress).steps] == list(range(1, steps + 1))


def test_a_recording_that_goes_on_from_the_exercise_is_played(exercise_db: str) -> None:
    have_ticked(exercise_db, 5)
    later = Step(7, HEARD_AT + timedelta(minutes=6), (), 0, 0, 0.0, 0.0)
    run = Run("r", "r", "futian", later.now, later.now, None, 0, iter([later]))
    with engine_progress(exercise_db) as progress:
        assert list(not_over(run, progress).steps) == [later]


def test_a_second_storm_is_one_line_that_says_what_to_do(exercise_db: str, broker: str) -> None:
    have_ticked(exercise_db, 5)
    for words in (
        ("simulate", "--scenario", "dry-day", "--until", "5"),
        ("simulate", "--scenario", "shenzhen-2023-09-07"),
    ):
        ended = command(*words, "--speed", "max", UNDERCROFT_DATABASE_URL=exercise_db, UNDERCROFT_MQTT_URL=broker)
        assert ended.returncode == 2
        assert "clock stands at 2023-09-05T04:05:00Z and never goes back" in ended.stderr
        assert "`undercroft db reset`" in ended.stderr
        assert ended.stderr.count("\n") == 1


def test_live_database_is_refused(live_db: str, broker: str) -> None:
    ended = command(
        "simulate",
        "--scenario",
        "dry-day",
        "--speed",
        "max",
        UNDERCROFT_DATABASE_URL=live_db,
        UNDERCROFT_MQTT_URL=broker,
    )
    assert ended.returncode == 2
    assert ended.stderr == "undercroft: this database is live: simulations, replays and demonstrations refuse it\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--scenario", "none.toml"), "none.toml: no such scenario or file"),
        (("--scenario", "dry-day", "--site", "none.toml"), "none.toml: cannot be read"),
        (("--scenario", "dry-day", "--speed", "0"), "--speed 0: expected a number above 0, or max"),
        (("--scenario", "dry-day", "--from", "60", "--until", "60"), "nothing is left"),
        (("--scenario", "dry-day"), "UNDERCROFT_MQTT_URL is not set"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(arguments: tuple[str, ...], said: str, tmp_path: Path) -> None:
    ended = command("simulate", *arguments, UNDERCROFT_DATA_DIR=str(tmp_path))
    assert ended.returncode == 2
    assert said in ended.stderr
    assert ended.stderr.count("\n") == 1


def test_simulate_tells_what_it_did(broker: str, tmp_path: Path) -> None:
    stats, progress = tmp_path / "stats.json", tmp_path / "progress.jsonl"
    arguments = ["simulate", "--scenario", "shenzhen-2023-09-07", "--speed", "max", "--from", "5 min before peak"]
    arguments += ["--until", "5 min after peak", "--stats", str(stats), "--progress", str(progress)]
    with listening(broker, "exercise/v1/futian/#") as heard:
        ended = command(*arguments, UNDERCROFT_MQTT_URL=broker)
        assert ended.returncode == 0, ended.stderr
        told = json.loads(stats.read_text())
        heard.wait_distinct(told["messages_published"])
    assert heard.distinct() == told["messages_published"]
    assert (told["scenario"], told["last_seq"], told["simulated_seconds"]) == ("shenzhen-2023-09-07", 11, 600.0)
    assert (told["first_clock"], told["last_clock"]) == ("2023-09-07T14:27:00Z", "2023-09-07T14:37:00Z")
    assert told["peak_at"] == "2023-09-07T14:32:00Z"
    lines = [json.loads(line) for line in progress.read_text().splitlines()]
    assert [line["seq"] for line in lines] == [*range(1, 12), 11]
    assert [line["done"] for line in lines] == [False] * 11 + [True]
    assert lines[-1]["published"] == told["messages_published"]


def test_replay_floodnet_plays_a_file_of_its_form(broker: str, tmp_path: Path) -> None:
    flood = an_event("BK-Canal-1", "2023-09-29T08:00:10.000", "2023-09-29T08:04:10.000", [0, 4, 6, 7, 0])
    events = str(write_events(tmp_path / "events.csv", [flood]))
    sensors = str(write_sensors(tmp_path / "sensors.csv", [a_sensor("BK-Canal-1")]))
    stats = tmp_path / "stats.json"
    arguments = ["replay", "floodnet", events, "--sensors", sensors, "--day", "2023-09-29"]
    with listening(broker, "exercise/v1/floodnet-nyc/#") as heard:
        ended = command(*arguments, "--speed", "max", "--stats", str(stats), UNDERCROFT_MQTT_URL=broker)
        assert ended.returncode == 0, ended.stderr
        told = json.loads(stats.read_text())
        heard.wait(told["messages_published"])
    depths = [json.loads(payload).get("water_depth_m") for _, payload, _ in heard.messages]
    assert [depth for depth in depths if depth] == [0.102, 0.152, 0.178]
    assert told["readings_expected"] == told["messages_published"] - told["clock_messages"]
    site = tmp_path / "site.toml"
    assert command(*arguments, "--site-out", str(site)).returncode == 0
    assert command("site", "check", str(site)).returncode == 0
