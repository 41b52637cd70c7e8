"""The life of lanes: one that ended by itself makes the service end so, also when its slot was given back before."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from ingest.broker import BrokerUrl
from ingest.service import Service, ServiceSettings
from undercroft.clock import SystemClock
from undercroft.errors import UndercroftError
from undercroft.model import Mode
from undercroft.store.sensors import Deployment


class EndedLane:
    """Stands for a lane whose thread met an error; the real one would need a broker that answers wrongly in time."""

    name = "observation-pair-1"
    failure = ValueError("a defect")

    def stop(self) -> None:
        return

    def join(self) -> bool:
        return True


def test_a_lane_that_failed_while_its_slot_was_given_back_is_no_clean_end(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = ServiceSettings("postgresql://nobody@127.0.0.1:1/none", BrokerUrl("", 1, False, None, None), 500, 0.01)
    deployment = Deployment("0" * 32, Mode.EXERCISE)
    service = Service(settings, deployment, SystemClock(), {})
    lane: Any = EndedLane()
    service._lanes[1] = [lane]
    service._close(1)
    stop = threading.Event()
    stop.set()
    monkeypatch.setattr(service, "_open", lambda _: None)
    with pytest.raises(UndercroftError, match="observation-pair-1 ended: ValueError"):
        service.run(stop)
