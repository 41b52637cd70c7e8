"""Field reports held against a confirmation: the newest of the place counts, one of all entrances for each."""

from __future__ import annotations

from typing import Any

import pytest

from duty.orders.contradiction import reported_against
from duty.orders.orders import Proof


def report(entrance: str | None = None, **said: Any) -> dict[str, Any]:
    return {"body": {"entrance": entrance, **said}, "author": "li", "acted_at": "2026-07-01T16:12:00+00:00"}


OPEN, SHUT = {"barrier": "open"}, {"barrier": "deployed"}
SAID = report("north", **SHUT, note="order o-2 confirmed")
BACK = report("north", **SHUT, note="order o-2 confirmed", taken_back=True)
CASES: list[tuple[Proof, str, list[dict[str, Any]], bool]] = [
    (Proof.BARRIER_DEPLOYED, "north", [report("north", **OPEN)], True),
    (Proof.BARRIER_DEPLOYED, "north", [report("north", **OPEN), report("north", **SHUT)], False),
    (Proof.BARRIER_DEPLOYED, "north", [report("south", **OPEN)], False),
    (Proof.BARRIER_DEPLOYED, "", [report("south", **OPEN), report("north", **SHUT)], True),
    (Proof.BARRIER_DEPLOYED, "north", [report("north", barrier="unknown")], False),
    (Proof.BARRIER_DEPLOYED, "north", [report("north", **OPEN), report("north", depth_m=0.3)], True),
    (Proof.PUMP_RUNNING, "", [report(pump="stopped")], True),
    (Proof.PUMP_RUNNING, "", [report(pump="stopped"), report(pump="running")], False),
    (Proof.ENTRANCE_CLOSED, "north", [report(closed=False)], True),
    (Proof.ENTRANCE_CLOSED, "north", [report("north", closed=False), report(closed=True)], False),
    (Proof.ENTRANCE_CLOSED, "", [report("north", closed=False), report(closed=True)], False),
    (Proof.EVACUATED, "", [report(evacuated=False)], True),
    (Proof.EVACUATED, "", [report(barrier="open")], False),
    (Proof.BARRIER_DEPLOYED, "north", [report("north", **OPEN), SAID, BACK], True),
    (Proof.BARRIER_DEPLOYED, "north", [report("north", **OPEN), SAID, BACK, SAID], False),
    (Proof.BARRIER_DEPLOYED, "north", [SAID, report("north", **OPEN), BACK], True),
    (Proof.CHECKED, "", [report(closed=False)], False),
]


@pytest.mark.parametrize(("proof", "entrance", "reports", "contradicted"), CASES)
def test_what_is_reported_against_a_confirmation(
    proof: Proof, entrance: str, reports: list[dict[str, Any]], contradicted: bool
) -> None:
    assert (reported_against(proof, entrance, reports) is not None) is contradicted
