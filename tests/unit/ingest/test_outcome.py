"""Which errors blame a row, and how a batch is counted."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ingest.batch import build_draft
from ingest.outcome import REJECTED, Outcome, blames_row, make_record, with_rejected
from ingest.run_clock import RunClock
from tests.unit.ingest.builders import NOON_US, directory, level, message, run_clock
from undercroft.errors import StoreRejected
from undercroft.model import Mode
from undercroft.store.observations import Fate
from undercroft.store.stamped import Placed


@pytest.mark.parametrize(
    ("sqlstate", "expected"),
    [
        ("23514", True),  # check_violation
        ("22003", True),  # numeric_value_out_of_range
        ("54000", True),  # program_limit_exceeded
        ("42501", False),  # insufficient_privilege: mend the grant, and the same batch succeeds
        ("42P01", False),  # undefined_table: migrate
        ("XX001", False),  # data_corrupted
        (None, False),
    ],
)
def test_only_some_errors_blame_a_row(sqlstate: str | None, expected: bool) -> None:
    assert blames_row(StoreRejected("refused", sqlstate)) is expected


def test_a_refused_row_becomes_one_letter_of_its_message() -> None:
    messages = [level(0.5), level(0.6, NOON_US + 1000), message("flood/v1/futian/x/x/event", b"")]
    draft = build_draft(messages, directory(), None)
    outcome = Outcome(np.array([Fate.STORED, REJECTED], dtype=np.int8), (), "database: no (SQLSTATE 23514)")
    letters, letter_of = with_rejected(draft, messages, outcome, directory())
    assert [(letter.reason, index) for letter, index in zip(letters, letter_of, strict=True)] == [
        ("unknown_device", 2),
        ("store_rejected", 1),
    ]
    assert [letter.device_id for letter in letters] == [None, "g1-level"], "so that it is found by its device"
    assert [letter.named_devices for letter in letters] == [("x",), ("g1-level",)]
    record = make_record("observation", draft, outcome, letter_of, [True, True])
    assert (record.messages, record.readings, record.stored, record.dead_letters, record.redelivered) == (3, 1, 1, 2, 0)


def test_a_message_is_redelivered_when_all_of_it_was_known() -> None:
    pack = {"readings": [{"observed_at": NOON_US / 1000 + n, "water_depth_m": 0.1} for n in range(2)]}
    status = message("exercise/v1/futian/garage-1/g1-level/status", {"online": True})
    messages = [
        message("exercise/v1/futian/garage-1/g1-level/observation", pack),
        level(0.5, root="exercise"),
        status,
        run_clock("2026-07-01T12:01:00Z", 5),
    ]
    draft = build_draft(messages, directory(Mode.EXERCISE), RunClock(NOON_US, 4))
    fates = np.array([Fate.STORED, Fate.DUPLICATE, Fate.DUPLICATE], dtype=np.int8)
    record = make_record("observation", draft, Outcome(fates, (Placed(Fate.DUPLICATE, None),)), (), ())
    assert record.redelivered == 2  # the single reading and the status
    one = draft.rows.take(np.array([0]))
    rest = replace(draft, rows=one, row_of=draft.row_of[:1], stamped=(), stamped_of=())
    again = make_record("observation", rest, Outcome(np.array([Fate.DUPLICATE], dtype=np.int8), ()), (), ())
    assert again.redelivered == 1, "what holds nothing is not known again"
    assert (record.readings, record.stored, record.duplicates) == (4, 1, 3)
    assert record.run_clock == (NOON_US + 60_000_000, 5)
    assert record.observed_us == (NOON_US, NOON_US + 1000)
