"""Messages become rows, stamped readings, dead letters or a run clock."""

from __future__ import annotations

import pytest

from ingest.batch import build_draft
from ingest.decode_native import MAX_QUANTITY_LENGTH, _known_value_type
from ingest.reading import Decoded, Fault
from ingest.reasons import Reason
from ingest.run_clock import RunClock
from ingest.sensors import DeviceEntry, build_directory
from tests.unit.ingest.builders import (
    BATTERY,
    LEVEL,
    NOON_US,
    ONLINE,
    SPLIT_B,
    directory,
    level,
    message,
    run_clock,
)
from undercroft.model import Mode, Reading
from undercroft.quality import Quality, QualityTest
from undercroft.quantities import QUANTITIES, STOCK_PREFIX
from undercroft.store.dead_letters import MAX_DETAIL_LENGTH
from undercroft.store.sensors import SensorRow, SensorTable

YEAR_2100_US = 4_102_444_800_000_000


def test_a_reading_becomes_a_row() -> None:
    draft = build_draft([level(0.5)], directory(), None)
    rows = draft.rows
    assert (rows.sensor_ids.tolist(), rows.observed_us.tolist(), rows.values.tolist()) == ([LEVEL], [NOON_US], [0.5])
    assert (rows.qualities.tolist(), rows.quality_tests.tolist()) == ([Quality.GOOD], [0])
    assert draft.letters == ()


def test_a_value_outside_its_range_is_stored_and_fails() -> None:
    draft = build_draft([level(50.0), level(50.1), level(-0.06)], directory(), None)
    assert draft.rows.values.tolist() == [50.0, 50.1, -0.06]
    assert draft.rows.qualities.tolist() == [Quality.GOOD, Quality.FAIL, Quality.FAIL]
    assert draft.rows.quality_tests.tolist() == [0, QualityTest.GROSS_RANGE, QualityTest.GROSS_RANGE]


def test_probes_and_what_belongs_to_the_device() -> None:
    payload = {"observed_at": NOON_US / 1000, "at": "south", "water_depth_m": 0.2, "battery_v": 3.6}
    draft = build_draft([message("flood/v1/futian/garage-2/g2-multi/event", payload)], directory(), None)
    assert draft.rows.sensor_ids.tolist() == [SPLIT_B, BATTERY]


AT = NOON_US / 1000
TOPIC = "flood/v1/futian/garage-1/g1-level/observation"


@pytest.mark.parametrize(
    ("topic", "payload", "reason"),
    [
        ("flood/v1/futian/garage-9/nobody/observation", {"observed_at": AT, "water_depth_m": 1}, "unknown_device"),
        ("flood/v1/futian/garage-2/g1-level/observation", {"observed_at": AT, "water_depth_m": 1}, "topic_mismatch"),
        ("flood/v1/luohu/garage-1/g1-level/observation", {"observed_at": AT, "water_depth_m": 1}, "topic_mismatch"),
        ("flood/v1/futian/garage-1/g1-level/readings", {"observed_at": AT, "water_depth_m": 1}, "bad_topic"),
        ("flood/v2/futian/garage-1/g1-level/observation", {"observed_at": AT, "water_depth_m": 1}, "bad_topic"),
        ("exercise/v1/futian/garage-1/g1-level/observation", {"observed_at": AT, "water_depth_m": 1}, "bad_topic"),
        ("flood/v1/futian/run/clock", {"now": "2026-07-01T00:00:00Z", "seq": 1}, "bad_topic"),
        ("flood/v1/futian/garage-1/g1-level/observation", {"observed_at": AT, "battery_v": 3}, "unknown_sensor"),
        ("flood/v1/futian/garage-2/g2-multi/observation", {"observed_at": AT, "water_depth_m": 1}, "unknown_probe"),
        (
            "flood/v1/futian/garage-2/g2-multi/observation",
            {"observed_at": AT, "at": "west", "water_depth_m": 1},
            "unknown_probe",
        ),
        ("flood/v1/futian/garage-2/g2-multi/status", {"online": True}, "unknown_sensor"),
        ("flood/v1/futian/garage-3/g3-bare/observation", {"observed_at": AT, "water_depth_m": 1}, "unknown_sensor"),
        ("flood/v1/futian/garage-1/g1-level/observation", b"\xff", "not_utf8"),
    ],
)
def test_dead_letters(topic: str, payload: object, reason: str) -> None:
    draft = build_draft([message(topic, payload)], directory(), None)
    assert [letter.reason for letter in draft.letters] == [reason]
    assert (len(draft.rows), draft.stamped, draft.letter_of) == (0, (), (0,))


def test_several_unknown_keys_are_one_letter_that_names_them() -> None:
    payload = {"observed_at": AT, "water_depth_m": 1, "colour": 1, "taste": 2}
    draft = build_draft([message("flood/v1/futian/garage-1/g1-level/observation", payload)], directory(), None)
    assert [(letter.reason, letter.detail) for letter in draft.letters] == [("unknown_quantity", "'colour'; 'taste'")]
    assert len(draft.rows) == 1


def test_thirty_thousand_odd_keys_are_told_once_each_without_comparing_all_with_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    compared = 0

    class Counted(str):
        """A detail that counts how often it is held against another."""

        __slots__ = ()
        __hash__ = str.__hash__

        def __eq__(self, other: object) -> bool:
            nonlocal compared
            compared += 1
            return str.__eq__(self, other)

    faults = [Fault(Reason.UNKNOWN_QUANTITY, Counted(f"k{n % 1500}")) for n in range(3000)]
    monkeypatch.setattr("ingest.batch.decode_native", lambda *_: Decoded([], faults))
    (letter,) = build_draft([level(0.5)], directory(), None).letters
    assert letter.detail.startswith("k0; k1; k2")
    assert len(letter.detail) <= MAX_DETAIL_LENGTH
    assert compared < 10 * len(faults)


def test_what_is_longer_than_any_name_is_not_remembered() -> None:
    """A device that makes up keys and topics fills no memory."""
    site, before = directory(), _known_value_type.cache_info().currsize
    for n in range(9):
        topic = f"flood/v1/futian/garage-1/g1-level-{'x' * 300}{n}/observation"
        long_key = message(TOPIC, {"observed_at": AT, f"{'k' * 47}{n}": 1})
        draft = build_draft([message(topic, {}), level(0.5), long_key], site, None)
        assert [letter.reason for letter in draft.letters] == ["unknown_device", "unknown_quantity"]
    assert set(site._routes) == {TOPIC.encode()}
    assert _known_value_type.cache_info().currsize == before
    assert max(map(len, QUANTITIES)) <= MAX_QUANTITY_LENGTH == len(f"{STOCK_PREFIX}{'i' * 40}")


@pytest.mark.parametrize(
    "error", [RecursionError("too deep"), ZeroDivisionError("by zero"), OverflowError("too large")]
)
def test_a_decoder_that_fails_buries_its_message_and_no_other(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """A decoder that fails is simulated: none is known to."""

    def failing(entry: DeviceEntry, reading: Reading) -> int | None:
        if reading.value == 0.7:
            raise error
        return entry.sensors.get((reading.at, reading.quantity))

    monkeypatch.setattr(DeviceEntry, "position", failing)
    odd = message(
        "flood/v1/futian/garage-2/g2-multi/event",
        {"observed_at": AT, "at": "south", "water_depth_m": 1, "battery_v": 0.7},
    )
    draft = build_draft([level(0.5), odd, level(0.6)], directory(), None)
    assert draft.rows.values.tolist() == [0.5, 0.6], "nothing of a message that is buried as a whole"
    ((letter,), (of,)) = draft.letters, draft.letter_of
    assert (of, letter.reason, letter.payload) == (1, Reason.DECODER_FAILED, odd.payload)
    assert f"{type(error).__name__} in test_batch.py, line " in letter.detail
    monkeypatch.undo()
    monkeypatch.setattr("ingest.batch.decode_native", _out_of_memory)
    with pytest.raises(MemoryError):  # no payload's fault: the broker delivers again
        build_draft([level(0.5)], directory(), None)


def _out_of_memory(*_: object) -> None:
    raise MemoryError


@pytest.mark.parametrize(
    ("observed_us", "is_lost"),
    [
        (0, True),
        (946_684_800_000_000, True),
        (NOON_US - 365 * 86_400_000_000 - 1, True),
        (NOON_US - 365 * 86_400_000_000, False),
        (NOON_US - 86_400_000_000, False),
        (NOON_US + 600_000_000, False),
        (NOON_US + 600_001_000, True),
        (YEAR_2100_US, True),
    ],
)
def test_a_lost_clock_gives_a_suspect_reading_at_the_time_of_receipt(observed_us: int, is_lost: bool) -> None:
    draft = build_draft([level(0.5, observed_us)], directory(), None)
    assert len(draft.rows) == (not is_lost)
    stamped = [
        (entry.sensor_id, entry.quality, entry.quality_tests, entry.received_us, entry.device_us)
        for entry in draft.stamped
    ]
    expected = (LEVEL, Quality.SUSPECT, QualityTest.CLOCK_LOST, NOON_US, observed_us)
    assert stamped == ([expected] if is_lost else [])


def test_a_status_is_stamped_with_the_time_of_receipt() -> None:
    draft = build_draft([message("flood/v1/futian/garage-1/g1-level/status", {"online": False})], directory(), None)
    assert [(entry.sensor_id, entry.value, entry.device_us) for entry in draft.stamped] == [(ONLINE, 0.0, None)]


def test_a_last_will_that_says_more_is_a_state_and_a_letter() -> None:
    said = {"online": False, "reason": "last will", "firmware": "1.2"}
    draft = build_draft([message("flood/v1/futian/garage-1/g1-level/status", said)], directory(), None)
    assert [(entry.sensor_id, entry.value) for entry in draft.stamped] == [(ONLINE, 0.0)]
    assert [(letter.reason, letter.detail) for letter in draft.letters] == [
        ("unknown_quantity", "'reason', 'firmware'")
    ]


@pytest.mark.parametrize("device", ["garage-1/g1-level", "garage-1/nobody"])
def test_a_retained_state_that_is_taken_from_its_broker_says_nothing(device: str) -> None:
    cleared = message(f"flood/v1/futian/{device}/status", {})._replace(payload=b"")
    draft = build_draft([cleared], directory(), None)
    assert (draft.messages, draft.stamped, draft.letters) == (1, (), ())


class TestRun:
    """In an exercise time is the run clock's."""

    def test_received_at_is_the_last_clock_and_the_new_one_closes_the_batch(self) -> None:
        draft = build_draft(
            [level(0.5, root="exercise"), run_clock("2026-07-01T12:01:00Z", 5)],
            directory(Mode.EXERCISE),
            RunClock(NOON_US, 4),
        )
        assert draft.rows.received_us.tolist() == [NOON_US]
        assert draft.run_clock == RunClock(NOON_US + 60_000_000, 5)

    def test_before_the_first_clock_everything_is_a_dead_letter(self) -> None:
        status = message("exercise/v1/futian/garage-1/g1-level/status", {"online": True})
        draft = build_draft([level(0.5, root="exercise"), status], directory(Mode.EXERCISE), None)
        assert [letter.reason for letter in draft.letters] == [Reason.NO_RUN_CLOCK] * 2
        assert (len(draft.rows), draft.stamped) == (0, ())

    def test_a_clock_delivered_again_changes_nothing(self) -> None:
        draft = build_draft([run_clock("2026-07-01T12:00:00Z", 4)], directory(Mode.EXERCISE), RunClock(NOON_US, 4))
        assert (draft.run_clock, draft.stale_clocks, draft.letters) == (None, ((0, RunClock(NOON_US, 4)),), ())

    def test_a_clock_that_goes_back_is_a_dead_letter(self) -> None:
        draft = build_draft([run_clock("2026-07-01T11:59:59Z", 5)], directory(Mode.EXERCISE), RunClock(NOON_US, 4))
        assert [letter.reason for letter in draft.letters] == [Reason.BAD_RUN_CLOCK]
        assert draft.run_clock is None

    @pytest.mark.parametrize(
        "payload",
        [b"", {"now": 5, "seq": 1}, {"now": "2026-07-01T00:00:00Z"}, {"now": "2026-07-01T00:00:00Z", "seq": True}],
    )
    def test_a_clock_that_cannot_be_read(self, payload: object) -> None:
        draft = build_draft([message("exercise/v1/futian/run/clock", payload)], directory(Mode.EXERCISE), None)
        assert [letter.reason for letter in draft.letters] == [Reason.BAD_RUN_CLOCK]


def test_a_rain_depth_of_another_period_than_the_site_states_is_a_letter() -> None:
    rows = (SensorRow("r1", "roof", 17, "", "rain_depth_mm"),)
    known = build_directory(Mode.LIVE, SensorTable(7, "futian", rows, (), {("r1", ""): 300.0}))
    told = [
        message(
            "flood/v1/futian/roof/r1/observation", {"observed_at": NOON_US / 1000, "period_s": s, "rain_depth_mm": 1}
        )
        for s in (300, 3600)
    ]
    draft = build_draft(told, known, None)
    assert [letter.reason for letter in draft.letters] == ["no_period"]
    assert list(draft.letter_of) == [1]
