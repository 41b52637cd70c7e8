"""The life of lanes: one that ended by itself makes the service end so, also when its slot was given back before."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ingest.broker import BrokerUrl
from ingest.service import Service, ServiceSettings
from ingest.share import BEAT_S, SILENT_S
from undercroft.clock import FakeClock, SystemClock
from undercroft.errors import UndercroftError
from undercroft.model import Mode
from undercroft.store.sensors import Deployment


class EndedLane:
    """Stands for a lane whose thread met an error; the real one would need a broker that answers wrongly in time."""

    name = "observation-pair-1"
    failure = ValueError("a defect")

    def stop(self) -> None:
        return

    def join(self, within_s: float = 8.0) -> bool:
        del within_s
        return True


class OpenLane(EndedLane):
    """Stands for a lane that is left with an open batch; the real one would need a database that hangs for 8 s."""

    failure: Any = None

    def __init__(self, clock: FakeClock | None = None) -> None:
        self.clock = clock
        self.waited_s: list[float] = []

    def join(self, within_s: float = 8.0) -> bool:
        self.waited_s.append(within_s)
        if self.clock is not None:
            self.clock.advance(timedelta(seconds=within_s))
        return False


def test_a_slot_given_back_with_an_open_batch_shows_no_age_that_grows() -> None:
    settings = ServiceSettings("postgresql://nobody@127.0.0.1:1/none", BrokerUrl("", 1, False, None, None), 500, 0.01)
    service = Service(settings, Deployment("0" * 32, Mode.EXERCISE), SystemClock(), {})
    lane: Any = OpenLane()

    def shown() -> dict[str, float | None]:
        names = ("window_messages", "oldest_unacknowledged_seconds", "delivery_delay_seconds")
        sample = service.metrics.registry.get_sample_value
        return {name: sample(f"undercroft_ingest_{name}", {"lane": lane.name}) for name in names}

    service.metrics.watch(lane.name, lambda: 3.0, lambda: 20.0, lambda: 40.0)
    service._lanes[1] = [lane]
    assert list(shown().values()) == [3.0, 20.0, 40.0]
    service._close(1)
    assert set(shown().values()) == {None}
    service.metrics.watch(lane.name, lambda: 0.0, lambda: 0.0, lambda: 0.0)
    assert set(shown().values()) == {0.0}, "it is back"


def test_a_worker_that_gives_a_slot_back_beats_again_before_it_loses_its_own() -> None:
    """Two lanes on a database that hangs: both wait for 5 s together, of 10 less the 2 from beat to beat."""
    clock = FakeClock(datetime(2026, 7, 1, tzinfo=UTC))
    settings = ServiceSettings("postgresql://nobody@127.0.0.1:1/none", BrokerUrl("", 1, False, None, None), 500, 0.01)
    service = Service(settings, Deployment("0" * 32, Mode.EXERCISE), clock, {})
    lanes: list[Any] = [OpenLane(clock), OpenLane(clock)]
    for number, lane in enumerate(lanes):
        lane.name = f"lane-{number}"
        service.metrics.watch(lane.name, lambda: 0.0, lambda: 0.0, lambda: 0.0)
    service._lanes[1] = lanes
    service._close(1)
    assert [lane.waited_s for lane in lanes] == [[5.0], [0.0]]
    assert sum(lanes[0].waited_s) + BEAT_S < SILENT_S


def test_a_lane_that_failed_while_its_slot_was_given_back_is_no_clean_end(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = ServiceSettings("postgresql://nobody@127.0.0.1:1/none", BrokerUrl("", 1, False, None, None), 500, 0.01)
    deployment = Deployment("0" * 32, Mode.EXERCISE)
    service = Service(settings, deployment, SystemClock(), {})
    lane: Any = EndedLane()
    service.metrics.watch(lane.name, lambda: 0.0, lambda: 0.0, lambda: 0.0)
    service._lanes[1] = [lane]
    service._close(1)
    stop = threading.Event()
    stop.set()
    monkeypatch.setattr(service, "_open", lambda _: None)
    with pytest.raises(UndercroftError, match="observation-pair-1 ended: ValueError"):
        service.run(stop)
