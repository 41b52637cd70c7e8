"""What stays undone after somebody said "mine": who is told, when, and when it stops."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from duty.incidents.codec import from_json, to_json
from duty.incidents.incidents import fold, opened
from duty.late.unfinished import Told, asked_of, undone_of
from duty.late.unfinished_text import write_no_order, write_undone
from duty.model import Policy
from duty.orders.command import Command
from duty.orders.orders import Order, OrderState, Proof, advance
from duty.telling.texts import MOST_BYTES, Named, Style
from tests.unit.duty.kit import at, event
from undercroft.model import Severity, SpaceKind

STYLE = Style(
    {"space/gar": Named("一号车库", "Garage 1", SpaceKind.CAR_PARK)}, ZoneInfo("Asia/Shanghai"), exercise=False
)
NORTH = Named("北片区", "North")


def order(since: float, severity: Severity = Severity.RED) -> Order:
    return Order("o1", "i1", "space/gar", Proof.BARRIER_DEPLOYED, OrderState.ISSUED, "wu", "li", at(since), "装", "do",
                 timedelta(minutes=15), due_at=at(since + 15), severity=severity)  # fmt: skip


def row(
    moved: Order, seen: float | None = None, heard_min: float = 1e4, out_until_min: float | None = None
) -> dict[str, Any]:  # fmt: skip
    """An order as ``read_orders`` has it, in an incident that goes on; its switch speaks every 10 min."""
    heard = {
        "value": seen, "observed_s": at(heard_min).timestamp(), "interval_s": 600.0,
        "out_until_s": None if out_until_min is None else at(out_until_min).timestamp(),
    }  # fmt: skip
    command = {name: getattr(Command(), name) for name in ("leader", "team", "plan", "single_voice")}
    return {
        "order_id": moved.order_id, "incident_id": moved.incident_id, "subject": moved.subject, "proof": moved.proof,
        "state": moved.state, "owner": moved.owner, "author": moved.author, "changed_at": moved.changed_at,
        "text_zh": moved.text_zh, "text_en": moved.text_en, "within_s": moved.within.total_seconds(),
        "entrance": moved.entrance, "due_at": moved.due_at, "note": moved.note, "severity": int(moved.severity),
        "seen": [] if seen is None else [heard], "said": [], "goes_on": True, **command,
    }  # fmt: skip


def played(
    rows_at: Callable[[int], list[dict[str, Any]]], until: int, ends: int = 10_000, severity: int = 4
) -> tuple[list[tuple[int, str, int]], list[Told]]:
    """Red at 0, acknowledged at 1: ``(minute, reason, step)`` of what is told, looked at every minute and restored."""
    incident = fold(opened("north", event(0, "raised", severity)), event(0, "raised", severity))
    incident, found, told = fold(incident, event(1, "acknowledged", severity)), [], []
    for minute in range(1, until):
        if minute == ends:
            incident = fold(incident, event(minute, "cleared", 0))
        incident, asked = asked_of(incident, rows_at(minute), at(minute), 3, Policy())
        assert from_json(to_json(incident)) == incident
        found += [(minute, one.reason.value, one.step) for one in asked]
        told += asked
    assert len({one.cause for one in told}) == len(told)
    return found, told


def test_a_red_that_somebody_took_and_nothing_is_ordered_for_is_told_until_something_is() -> None:
    # Acknowledged at 1 and red's interval is 3 min: 4, 7, 10 and so on, one step further up each time.
    told, all_of_it = played(lambda minute: [row(order(12))] if minute >= 12 else [], 20)
    assert told == [(4, "no_order", 0), (7, "no_order", 1), (10, "no_order", 2)]
    incident = fold(opened("north", event(0, "raised", 4)), event(0, "raised", 4))
    written = write_no_order(all_of_it[0], incident, NORTH, at(4), STYLE)
    assert written.title == "【红色】北片区（已接警，未下达指令） RED North (acknowledged, no order given)"
    assert "undercroft order propose space/gar" in written.body
    assert played(lambda _: [], 9, ends=3)[0] == [], "an alarm that ended asks for nothing"


def test_what_was_ordered_is_left_no_more_though_the_telling_is_remembered() -> None:
    incident = fold(opened("north", event(0, "raised", 4)), event(0, "raised", 4))
    incident, left = fold(incident, event(1, "acknowledged", 4)), []
    for minute in (4, 5, 6, 9):  # red's interval is 3 min: it is forgotten at 4 + 3 and told no more
        rows = [row(order(5))] if minute >= 5 else []
        incident, _ = asked_of(incident, rows, at(minute), 3, Policy())
        left.append([pressed.left for pressed in incident.pressed])
    assert left == [[("space/gar",)], [()], [()], []]


def test_an_orange_that_somebody_took_does_not_fall_asleep_and_a_yellow_may() -> None:
    # Acknowledged at 1 and orange's interval is 10 min: 11, 21, 31, one step further up each time.
    told, all_of_it = played(lambda _: [], 35, severity=3)
    assert told == [(11, "no_order", 0), (21, "no_order", 1), (31, "no_order", 2)]
    incident = fold(opened("north", event(0, "raised", 3)), event(0, "raised", 3))
    assert write_no_order(all_of_it[0], incident, NORTH, at(11), STYLE).title.startswith("【橙色】")
    done = advance(order(2, Severity.ORANGE), "confirm", author="wu", at=at(3))
    assert played(lambda minute: [row(done)] if minute > 1 else [], 35, severity=3)[0] == []
    assert played(lambda _: [], 65, severity=2)[0] == []


def test_an_order_of_before_it_was_red_is_none_for_red_once_it_is_done() -> None:
    calm = advance(order(0, Severity.YELLOW), "confirm", author="wu", at=at(1))
    assert played(lambda _: [row(calm)], 6)[0] == [(4, "no_order", 0)]
    red = replace(calm, severity=Severity.RED)
    assert played(lambda _: [row(red)], 6)[0] == []
    cancelled = advance(order(0), "cancel", author="li", at=at(5), note="wrong place")
    assert played(lambda _: [row(cancelled)], 10)[0] == [(8, "no_order", 0)], "3 minutes after it was cancelled"


def test_a_refused_order_is_told_at_once_and_until_it_is_cancelled_or_issued_anew() -> None:
    refused = advance(order(1), "refuse", author="wu", at=at(2), note="no crew")

    def rows_at(minute: int) -> list[dict[str, Any]]:
        if minute < 9:
            return [row(refused if minute >= 2 else order(1))]
        return [row(advance(refused, "issue", author="li", at=at(9)))]

    told, all_of_it = played(rows_at, 20)
    assert told == [(2, "order_undone", 0), (5, "order_undone", 1), (8, "order_undone", 2)]
    incident = fold(opened("north", event(0, "raised", 4)), event(0, "raised", 4))
    written = write_undone(all_of_it[0], incident, NORTH, at(2), STYLE)
    assert "被拒绝 refused：no crew" in written.body
    assert len(written.body.encode()) <= MOST_BYTES
    assert all_of_it[0].owner == "wu"
    gone = advance(refused, "cancel", author="li", at=at(3), note="not needed")
    assert gone.state is OrderState.CANCELLED


def test_a_confirmation_that_a_sensor_contradicts_or_that_expired_is_told() -> None:
    done = advance(order(0), "confirm", author="wu", at=at(1))
    # A switch that shows open (0) from 5 on, but at 7 for a minute deployed (3): one telling, the next after 3 minutes.
    flaps = lambda minute: [row(done, 3.0 if minute < 5 or minute == 7 else 0.0)]  # noqa: E731
    assert played(flaps, 12)[0] == [(5, "order_undone", 0), (8, "order_undone", 1), (11, "order_undone", 2)]
    assert played(lambda _: [row(done)], 186)[0] == [(181, "order_undone", 0), (184, "order_undone", 1)]


def test_a_switch_that_was_silent_when_somebody_confirmed_contradicts_nothing_until_it_speaks() -> None:
    """Three intervals of 10 min, as the engine has it: after that the person counts."""
    confirmed = advance(order(0), "confirm", author="wu", at=at(100))
    for heard_min, out_until_min, now, contradicted in [
        (70, None, 101, True), (69, None, 101, False), (-4320, None, 101, False), (101, None, 102, True),
        (99, 200, 101, False), (101, 200, 199, False), (101, 200, 200, True),
    ]:  # fmt: skip
        found = undone_of(row(confirmed, 0.0, heard_min, out_until_min), at(now))
        assert (found is not None) == contradicted, (heard_min, out_until_min, now)
