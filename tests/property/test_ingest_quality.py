"""Flags do not depend on how the messages are cut into batches, nor on restarts, nor on what is delivered again, nor on
which of several writers takes which batch."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from operator import itemgetter
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, event, example, given, settings
from hypothesis import strategies as st

from ingest import quality_memory, quality_recent, quality_usual
from ingest.batch import Message
from ingest.failpoints import no_failpoint
from ingest.writer import BatchWriter
from tests.integration.ingest_kit import query
from undercroft.clock import FakeClock
from undercroft.model import Mode
from undercroft.quality import QualityTest
from undercroft.store.connection import connect

NOON_US = 1_782_907_200_000_000
MINUTE_US = 60_000_000
CLOCK = FakeClock(datetime(2026, 7, 1, 12, tzinfo=UTC))
TABLES = (
    "observation_packed, observation_conflict, dead_letter, batch, clock_lost_reading, quality_flag, message_receipt,"
    " past_repeat"
)


@pytest.fixture
def levels(database: str) -> list[str]:
    rows = query(
        database,
        "select d.place_id || '/' || d.device_id as name from sensor s join device d using (device_id)"
        " where quantity = 'water_depth_m' and at = '' order by 1 limit 2",
    )
    return [row["name"] for row in rows]


STANDS = 0.5
"""Of the minutes that a clock is behind: it stands still a month ago."""
_STEPS = st.lists(
    st.tuples(
        st.integers(0, 1),  # device
        st.sampled_from([0, 1, 1, 1, 5, 40]),  # minutes until it is received
        st.sampled_from([0, 0, 0, 0, 1, 30, 60, 90, -2, 999_999_999, STANDS, STANDS]),  # minutes its clock is behind
        st.sampled_from([0.0, 0.02, 0.2, 0.2, 0.21, 0.9, 60.0]),
        st.sampled_from([None, 1, 2]),
    ),
    min_size=2,
    max_size=30,
)


def _messages(levels: list[str], steps: Sequence[tuple[int, int, float, float, int | None]]) -> list[Message]:
    now_us = NOON_US
    messages = []
    for mid, (device, wait, behind, value, serial) in enumerate(steps, 1):
        now_us += wait * MINUTE_US
        observed_us = NOON_US - 43_200 * MINUTE_US if behind == STANDS else now_us - int(behind) * MINUTE_US
        body: dict[str, Any] = {"observed_at": observed_us // 1000, "water_depth_m": value}
        if serial is not None:
            body["seq"] = serial
        topic = f"flood/v1/futian/{levels[device]}/observation".encode()
        messages.append(Message(topic, json.dumps(body).encode(), mid, 1, False, now_us))
    return messages


def _stored(
    database: str,
    messages: list[Message],
    cuts: list[int],
    *,
    restart: bool,
    again: int,
    takers: tuple[int, ...] = (0,),
) -> list[Any]:
    """What is stored in the end; ``takers`` are the writers that take the batches in turn."""
    with closing(connect(database, application_name="test", autocommit=True)) as connection:
        connection.execute(f"truncate {TABLES}".encode())
    writers = [BatchWriter(database, "observation", Mode.LIVE, CLOCK, no_failpoint) for _ in range(max(takers) + 1)]
    position = turn = 0
    while position < len(messages):
        step = cuts[turn % len(cuts)]
        here = messages[position : position + step]
        # the broker delivers them again, marks them (DUP), and they arrive now
        known = [message._replace(is_again=True) for message in messages[max(0, position - again) : position]]
        writer = writers[takers[turn % len(takers)]]
        writer.write([message._replace(received_us=here[0].received_us) for message in known] + here)
        position, turn = position + step, turn + 1
        if restart and turn % 2:
            writer.close()
    for writer in writers:
        writer.close()
    return _held(database)


def _held(database: str) -> list[Any]:
    """Return what is stored: readings, conflicts, flags given afterwards."""
    return [
        query(
            database,
            "select sensor_id, observed_at, value, quality, quality_tests, received_at, seq"
            " from observation order by 1, 2",
        ),
        query(
            database,
            "select sensor_id, observed_at, value, quality, quality_tests, received_at"
            " from observation_conflict order by 1, 2, 3",
        ),
        query(database, "select sensor_id, observed_from, quality, quality_tests from quality_flag order by 1, 2, 4"),
    ]


_LOST_BEFORE_A_LATER_ONE = [(1, 0, 999_999_999, 0.0, None), (1, 0, 0, 0.0, None), (1, 1, 60, 0.0, None),
                            (1, 5, 60, 0.0, None), (1, 1, 1, 0.0, None)]  # fmt: skip
"""A reading without a clock, in one batch with one that is received later: each stands at its own time of receipt."""


_SERIALS_OF_TWO_WRITERS = [(1, 1, 0, 0.2, 1), (1, 1, 0, 0.2, 2), (1, 1, 0, 0.2, 1)]
"""Only who has not seen the second takes the third for a repeated serial."""

_STANDS_A_MONTH_AGO = [(1, 1, 0, 0.0, None), *[(1, 1, STANDS, value, None) for value in (0.2, 0.2, 0.2, 0.9, 0.2, 0.9)],
                       (1, 1, 0, 0.0, None), *[(1, 1, STANDS, 0.2, None)] * 4]  # fmt: skip
"""The same value thrice, then others; right once; the same again."""

_SPIKE_AFTER_A_LATE_ONE = [(1, 0, 0, 0.0, None), (1, 40, 0, 0.2, None), (1, 1, 2, 0.2, None), (1, 1, 0, 0.02, None)]
"""The third is late and no neighbour: 0.0, 0.2, 0.02 is a spike, also for a writer that started after the third."""


@example(steps=_STANDS_A_MONTH_AGO, cuts=[1, 2], again=1, takers=[0, 1])
@example(steps=_SPIKE_AFTER_A_LATE_ONE, cuts=[1], again=0, takers=[0, 1])
@example(steps=_SERIALS_OF_TWO_WRITERS, cuts=[1], again=0, takers=[0, 1])
@example(steps=_LOST_BEFORE_A_LATER_ONE, cuts=[2], again=0, takers=[0])
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    steps=_STEPS,
    cuts=st.lists(st.integers(1, 15), min_size=1, max_size=5),
    again=st.integers(0, 4),
    takers=st.lists(st.integers(0, 1), min_size=2, max_size=6),
)
def test_flags_depend_on_the_messages_alone(
    database: str,
    levels: list[str],
    steps: list[tuple[int, int, float, float, int | None]],
    cuts: list[int],
    again: int,
    takers: list[int],
) -> None:
    messages = _messages(levels, steps)
    whole = _stored(database, messages, [len(messages)], restart=False, again=0)
    for row in whole[0]:
        event(f"tests {row['quality_tests']}")
    assert _stored(database, messages, [1], restart=False, again=0) == whole
    assert _stored(database, messages, cuts, restart=True, again=again) == whole
    assert _stored(database, messages, cuts, restart=False, again=0, takers=tuple(takers)) == whole


_OWN_BATCH_AFTER_ANOTHERS = [(0, 0, 0, 0.0, None), (1, 0, 0, 0.0, None), (0, 1, 0, 0.2, None), (0, 1, 0, 0.02, None)]
"""The second is committed inside the first: who then takes in what others wrote must not take in its own again."""
_OLDER_FROM_ANOTHER = [(0, 0, 0, 0.0, None), (0, 1, 0, 0.2, None)]
"""The second is committed inside the first, by another: to that one the first is older than its own, yet not late."""
_HELD_FOR_LONG = [(0, 0, 0, 0.0, None), (0, 0, 1, 0.0, None), (0, 0, 0, 0.0, None), (0, 40, 1, 0.0, None)] + [
    (0, 0, 0, 0.0, None)
] * 2
"""What another wrote 40 minutes on lies ahead of a batch of before, as if a receiver's clock had been set back."""
_UNCHANGED = [(0, 1, 0, 0.9, None)] + [(0, 1, 0, 0.2, None)] * 8 + [(0, 1, 0, 0.02, None)] * 5
"""Runs longer than a memory of three, begun and ended in the hands of either writer."""
_REFUSED_M = 0.21
_TURNS = st.lists(
    st.tuples(st.integers(0, 1), st.sampled_from(["", "", "", "between", "between", "close"])), min_size=1, max_size=8
)
"""Who takes the next batch; whether the other commits one between its look and its rows, or it starts anew after it."""


@example(steps=_STANDS_A_MONTH_AGO, cuts=[1], turns=[(0, ""), (1, ""), (0, "close")], most=4_000, remembered=40)
@example(steps=_HELD_FOR_LONG, cuts=[2], turns=[(0, ""), (0, "between")], most=2, remembered=3)
@example(steps=_UNCHANGED, cuts=[2], turns=[(0, ""), (1, "between"), (0, "close")], most=4_000, remembered=3)
@example(steps=_OLDER_FROM_ANOTHER[:1] * 2, cuts=[1], turns=[(0, "between")], most=2, remembered=40)
@example(steps=_OLDER_FROM_ANOTHER, cuts=[1], turns=[(0, "between")], most=4_000, remembered=40)
@example(steps=_OWN_BATCH_AFTER_ANOTHERS, cuts=[1], turns=[(0, "between"), (0, "")], most=4_000, remembered=40)
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    steps=_STEPS,
    cuts=st.lists(st.integers(1, 6), min_size=1, max_size=5),
    turns=_TURNS,
    most=st.sampled_from([2, 4_000, 4_000]),
    remembered=st.sampled_from([3, 40]),
)
def test_what_a_writer_remembers_is_what_the_store_holds(
    database: str,
    levels: list[str],
    steps: list[tuple[int, int, float, float, int | None]],
    cuts: list[int],
    turns: list[tuple[int, str]],
    most: int,
    remembered: int,
) -> None:
    """Whoever wrote, whatever came between, and though the database refuses some rows (a constraint of the test)."""
    waiting, is_between = _messages(levels, steps), [False]

    def batch() -> list[Message]:
        taken = waiting[: cuts[len(waiting) % len(cuts)]]
        del waiting[: len(taken)]
        return taken

    def between(place: str) -> None:
        if place == "before_insert" and is_between[0] and waiting:
            is_between[0] = False
            writers[1 - taker].write(batch())

    writers = [BatchWriter(database, "observation", Mode.LIVE, CLOCK, between) for _ in range(2)]
    with ExitStack() as stack:
        stack.enter_context(patch.object(quality_memory, "MOST_TAKEN_IN", most))
        for module in (quality_memory, quality_recent, quality_usual):
            stack.enter_context(patch.object(module, "MOST_RECENT", remembered))
        connection = stack.enter_context(closing(connect(database, application_name="test", autocommit=True)))
        connection.execute(f"truncate {TABLES}".encode())
        refused = f"check (value_thousandths <> {_REFUSED_M * 1000:.0f})"
        connection.execute(f"alter table observation_packed add constraint no_poison {refused}".encode())
        stack.callback(connection.execute, "alter table observation_packed drop constraint no_poison")
        for writer in writers:
            stack.callback(writer.close)
        turn = 0
        while waiting:
            taker, what = turns[turn % len(turns)]
            turn += 1
            is_between[0] = what == "between"
            writers[taker].write(batch())
            if what == "close":
                writers[taker].close()
        for writer in writers:
            memory = writer._memory
            memory.look_around(connection)
            assert memory._recent == quality_memory._load(connection, sorted(memory._recent), memory._traits)


def test_a_late_reading_delivered_again_is_not_judged_anew(database: str, levels: list[str]) -> None:
    """An hour behind at 2 min and at 4 min: the clock was set back and runs on. The first came again at 3 min: judged
    anew it would stand between the two, as a clock that stood still."""
    first, late, going_on = _messages(levels, [(1, 1, 0, 0.0, None), (1, 1, 60, 0.1, None), (1, 2, 60, 0.2, None)])
    again = late._replace(received_us=late.received_us + MINUTE_US)
    told = []
    for messages in ([first, late, going_on], [first, late, again, going_on]):
        with closing(connect(database, application_name="test", autocommit=True)) as connection:
            connection.execute(f"truncate {TABLES}".encode())
        with closing(BatchWriter(database, "observation", Mode.LIVE, CLOCK, no_failpoint)) as writer:
            for message in messages:
                writer.write([message])
        told.append(_held(database))
    assert told[0] == told[1]
    assert sorted(row["quality_tests"] & QualityTest.CLOCK_LOST for row in told[1][0]) == [0, 0, 1]


def test_a_clock_that_stands_in_the_past_raises_from_the_third_word_on_whatever_it_says(
    database: str, levels: list[str]
) -> None:
    """By hand, a word a minute: late, again, then lost; after a right one the same words: again twice, then lost."""
    rows, _, _ = _stored(database, _messages(levels, _STANDS_A_MONTH_AGO), [1], restart=True, again=0)
    lost = [row["received_at"].minute for row in rows if row["quality_tests"] & QualityTest.CLOCK_LOST]
    assert lost == [4, 5, 6, 7, 11, 12]


def test_a_writer_reads_what_it_needs_of_each_sensor_not_only_of_the_first(database: str, levels: list[str]) -> None:
    """What another writer stored before it began, of a sensor that its first batch does not have."""
    newest, other, late = _messages(levels, [(1, 5, 0, 0.1, None), (0, 1, 0, 0.1, None), (1, 0, 2, 0.2, None)])
    for batches in ([newest], [other, late]):
        with closing(BatchWriter(database, "observation", Mode.LIVE, CLOCK, no_failpoint)) as writer:
            for message in batches:
                writer.write([message])
    tests = {row["value"]: row["quality_tests"] & QualityTest.LATE for row in _held(database)[0]}
    assert tests == {0.1: 0, 0.2: QualityTest.LATE}


def test_a_writer_tests_readings_against_the_site_data(database: str, levels: list[str]) -> None:
    """The traits of the site data reach the writer: a spike, a change of over 0.5 m in a minute, a gap."""
    steps: list[tuple[int, int, float, float, int | None]] = [
        *((0, 1, 0, value, None) for value in (0.0, 0.2, 0.02)),
        *((1, 1, 0, value, None) for value in (0.0, 0.9)),
        (0, 600, 0, 0.02, None),
    ]
    readings, _, later = _stored(database, _messages(levels, steps), [len(steps)], restart=False, again=0)
    given = [row["quality_tests"] for row in sorted(readings, key=itemgetter("received_at"))]
    assert given == [0, 0, 0, 0, QualityTest.RATE_OF_CHANGE, QualityTest.GAP]
    assert [row["quality_tests"] for row in later] == [QualityTest.SPIKE]
