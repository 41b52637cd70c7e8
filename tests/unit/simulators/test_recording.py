"""Recordings: their lines, their schema, and the runs made of them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.recording.lines import SCHEMA_FILE, Recorded, line_of, read_recording
from simulators.recording.replay import recording_run
from simulators.steps import Step
from undercroft.errors import ScenarioInvalid

NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)
SCHEMA = json.loads((files("simulators.recording") / SCHEMA_FILE).read_text(encoding="utf-8"))
_TOPICS = st.text(st.characters(exclude_characters="+#\0", exclude_categories=["Cs"]), min_size=1, max_size=30)
_MESSAGES = st.builds(
    Recorded,
    st.timedeltas(timedelta(days=-9000), timedelta(days=9000)).map(lambda away: NOON + away),
    _TOPICS,
    st.integers(0, 2),
    st.booleans(),
    st.binary(max_size=60),
)


def written(path: Path, *messages: Recorded) -> Path:
    path.write_bytes(b"".join(line_of(message) for message in messages))
    return path


def at(seconds: float, topic: str = "flood/v1/futian/garage-1/g1/event", payload: bytes = b"x") -> Recorded:
    return Recorded(NOON + timedelta(seconds=seconds), topic, 1, False, payload)


def clock(seconds: float, minute: int, seq: int) -> Recorded:
    payload = b'{"now": "2026-01-01T00:%02d:00Z",  "seq": %d}' % (minute, seq)
    return at(seconds, "exercise/v1/futian/run/clock", payload)


def told(step: Step) -> tuple[int, str, list[bytes]]:
    return step.seq, f"{step.now:%H:%M:%S}", [message.payload for message in step.messages]


@given(st.lists(_MESSAGES, max_size=5))
def test_what_is_written_is_read_back(tmp_path_factory: pytest.TempPathFactory, messages: list[Recorded]) -> None:
    path = written(tmp_path_factory.mktemp("recording") / "a.jsonl", *messages)

    assert list(read_recording(path)) == messages
    for line in path.read_bytes().splitlines():
        jsonschema.validate(json.loads(line), SCHEMA)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("{", "not a line of JSON"),
        ("[]", "expected an object with t, topic, qos, retain, payload_b64"),
        ('{"t":"2026-07-01T12:00:00Z","topic":"a","qos":1,"retain":false}', "expected an object with"),
        ('{"t":"2026-07-01T12:00:00","topic":"a","qos":1,"retain":false,"payload_b64":""}', "t is no date and time"),
        ('{"t":"2026-07-01T12:00:00Z","topic":"a/#","qos":1,"retain":false,"payload_b64":""}', "topic is no MQTT"),
        ('{"t":"2026-07-01T12:00:00Z","topic":"a","qos":3,"retain":false,"payload_b64":""}', "qos is none of"),
        ('{"t":"2026-07-01T12:00:00Z","topic":"a","qos":1,"retain":0,"payload_b64":""}', "retain is neither"),
        ('{"t":"2026-07-01T12:00:00Z","topic":"a","qos":1,"retain":false,"payload_b64":"%"}', "payload_b64 is not"),
    ],
)
def test_a_wrong_line_is_named(tmp_path: Path, line: str, told: str) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(line_of(at(0)) + line.encode() + b"\n")

    with pytest.raises(ScenarioInvalid, match=f":2: {told}"):
        list(read_recording(path))


def test_a_line_cut_by_a_crash_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(line_of(at(0)) + line_of(at(1))[:-9])

    assert list(read_recording(path)) == [at(0)]


def test_a_live_recording_goes_by_its_arrival_times(tmp_path: Path) -> None:
    path = written(
        tmp_path / "a.jsonl",
        at(0.25, payload=b"1"),
        at(60, payload=b"2"),
        at(60.5, payload=b"3"),
        at(59, payload=b"4"),  # the recorder's clock was set back: order of arrival counts
        at(200.5, payload=b"5"),
    )

    run = recording_run(path)

    assert [told(step) for step in run.steps] == [
        (1, "12:00:00", []),
        (2, "12:01:00", [b"1", b"2"]),
        (3, "12:02:00", [b"3", b"4"]),
        (4, "12:03:00", []),
        (5, "12:03:21", [b"5"]),
    ]
    assert (run.district, run.end) == ("futian", NOON + timedelta(seconds=201))


def test_live_and_foreign_topics_move_under_the_exercise(tmp_path: Path) -> None:
    path = written(tmp_path / "a.jsonl", at(0), at(1, "application/1/device/2/event/up"))

    topics = [message.topic for step in recording_run(path).steps for message in step.messages]

    assert topics == [
        "exercise/v1/futian/garage-1/g1/event",
        "exercise/v1/futian/foreign/application/1/device/2/event/up",
    ]


def test_a_recorded_exercise_goes_by_its_own_clock(tmp_path: Path) -> None:
    reading = "exercise/v1/futian/garage-1/g1/observation"
    path = written(
        tmp_path / "a.jsonl",
        clock(0, 0, 7),
        at(0.1, reading, b"1"),
        clock(0.2, 1, 8),
        clock(0.2, 1, 8),
        at(0.3, reading, b"2"),
        clock(0.4, 2, 9),
        at(0.5, reading, b"late"),
    )

    steps = list(recording_run(path).steps)

    again = clock(0, 1, 8).payload
    assert [told(step) for step in steps] == [
        (7, "00:00:00", []),
        (8, "00:01:00", [b"1"]),
        (9, "00:02:00", [again, b"2"]),
        (10, "00:03:00", [b"late"]),
    ]
    assert [step.clock for step in steps] == [clock(0, n, n + 7).payload for n in range(3)] + [None]


@pytest.mark.parametrize("site", [None, "futian"])
def test_one_stray_message_does_not_lead_the_replay_to_its_district(tmp_path: Path, site: str | None) -> None:
    stray = at(0, "flood/v1/lab/bench/dev/observation")
    path = written(tmp_path / "a.jsonl", stray, *(at(second) for second in range(1, 11)))

    run = recording_run(path, site, "futian")

    assert run.district == "futian"
    assert sum(len(step.messages) for step in run.steps) == 11


def test_the_site_says_the_district_where_messages_name_several(tmp_path: Path) -> None:
    path = written(
        tmp_path / "a.jsonl", at(0, "flood/v1/lab/bench/dev/event"), at(1, "flood/v1/lab/bench/dev/event"), at(2)
    )

    assert [recording_run(path, site).district for site in (None, "lab", "futian")] == ["lab", "lab", "futian"]
    with pytest.raises(ScenarioInvalid, match="recorded in district lab, and the site is nanshan: give --site"):
        recording_run(path, "nanshan")


def test_a_recorded_exercise_goes_by_the_clock_of_its_own_district(tmp_path: Path) -> None:
    other = clock(0, 5, 99)
    stray = Recorded(other.t, "exercise/v1/lab/run/clock", other.qos, other.retain, other.payload)
    reading = "exercise/v1/futian/garage-1/g1/observation"
    path = written(tmp_path / "a.jsonl", stray, clock(0, 0, 7), at(0.1, reading, b"1"), clock(0.2, 1, 8))

    assert [told(step) for step in recording_run(path).steps] == [
        (7, "00:00:00", [stray.payload]),
        (8, "00:01:00", [b"1"]),
    ]


@pytest.mark.parametrize(
    ("messages", "told"),
    [
        ([], "the recording is empty"),
        ([at(0), clock(1, 0, 1)], "live and exercise messages in one recording"),
        ([at(0, "v3/app/up")], "no topic names a district"),
    ],
)
def test_what_cannot_be_played(tmp_path: Path, messages: list[Recorded], told: str) -> None:
    with pytest.raises(ScenarioInvalid, match=told):
        recording_run(written(tmp_path / "a.jsonl", *messages))
