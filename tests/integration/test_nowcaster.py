"""The process that makes the nowcast beside the live engine: it answers as the engine would, and may die or hang."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from multiprocessing import Pipe
from typing import Any

import numpy as np
import pytest

from risk.ahead import Nowcast, Question, answered
from risk.engine import question
from risk.nowcast_failed import where_of_error
from risk.nowcaster import PATIENCE, SPACING, Nowcaster, serve
from tests.unit.risk.builders import Crank, guarded, site
from tests.unit.risk_past.kit import SENSOR, library, road

AT = datetime(2026, 7, 1, 8, 0, tzinfo=UTC)
DEADLINE_S = 30.0


@pytest.fixture(scope="module")
def asked() -> Question:
    crank = Crank(site(guarded("s", "car_park")), nowcast=False)
    for minute in range(4):
        crank.tick(minute, ("s-out:water_depth_m", minute, 0.2 + 0.02 * minute))
    return question(crank.engine)


@pytest.fixture
def nowcaster() -> Iterator[Nowcaster]:
    with Nowcaster() as running:
        yield running


def same(one: Nowcast, other: Nowcast) -> bool:
    names = [entry.name for entry in fields(Nowcast)]
    return all(np.array_equal(getattr(one, name), getattr(other, name), equal_nan=True) for name in names)


def test_answers_as_the_engine_itself_would_and_outlives_a_failure(nowcaster: Nowcaster, asked: Question) -> None:
    broken: Any = None
    nowcaster.ask(replace(asked, now=broken))
    with pytest.raises(AttributeError) as failed:
        nowcaster.finished(DEADLINE_S)
    assert any("in answered" in line for line in where_of_error(failed.value)), "of the other process"
    nowcaster.ask(asked)
    found = nowcaster.finished(DEADLINE_S)
    assert found is not None
    assert same(found, answered(asked))


def test_a_library_of_past_floods_is_sent_once_and_again_to_the_next_process(nowcaster: Nowcaster) -> None:
    crank = road(library([0.4] * 30))
    for minute in range(9):
        crank.tick(minute, (SENSOR, minute, 0.01 * minute))
    past = question(crank.engine)
    for _ in range(2):
        nowcaster.ask(past)
        found = nowcaster.finished(DEADLINE_S)
        assert found is not None
        assert found.floods[0] > 0
        assert same(found, answered(past))
    assert nowcaster.pid is not None
    os.kill(nowcaster.pid, signal.SIGKILL)
    nowcaster.ask(past)
    assert nowcaster.finished(DEADLINE_S) is None
    nowcaster.ask(past)
    again = nowcaster.finished(DEADLINE_S)
    assert again is not None
    assert same(again, answered(past))


def test_a_dead_process_owes_no_answer_and_is_replaced(nowcaster: Nowcaster, asked: Question) -> None:
    first = nowcaster.pid
    assert first is not None
    os.kill(first, signal.SIGSTOP)
    nowcaster.ask(asked)
    os.kill(first, signal.SIGKILL)
    assert nowcaster.finished(DEADLINE_S) is None
    assert not nowcaster.busy
    nowcaster.ask(asked)
    found = nowcaster.finished(DEADLINE_S)
    assert found is not None
    assert nowcaster.pid not in {None, first}


def test_a_process_that_hangs_is_given_up(nowcaster: Nowcaster, asked: Question) -> None:
    first = nowcaster.pid
    assert first is not None
    os.kill(first, signal.SIGSTOP)
    assert nowcaster.wants_at(AT)
    nowcaster.ask(asked)
    assert not nowcaster.wants_at(AT + PATIENCE)
    assert nowcaster.busy
    assert nowcaster.wants_at(AT + PATIENCE + SPACING)
    with pytest.raises(ProcessLookupError):
        os.kill(first, 0)
    assert not nowcaster.wants_at(AT + PATIENCE + SPACING + timedelta(milliseconds=200))


def test_serving_ends_when_the_engine_is_gone(asked: Question) -> None:
    ours, theirs = Pipe()
    ours.send(asked)
    ours.close()
    serve(theirs)
