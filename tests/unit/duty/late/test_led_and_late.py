"""Who leads an order (四个一), and who is told when its time is over."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from duty.late.late_text import write_late
from duty.late.lateness import Reminded, remind
from duty.model import Policy
from duty.orders.command import TEAM_OF_FOUR, Command, CommandBook, book_of
from duty.orders.orders import Order, OrderState, Proof, advance
from duty.telling.texts import MOST_BYTES, Named, Style
from tests.unit.duty.kit import at
from undercroft.model import Severity, SpaceKind

BOOK = book_of([
    {"leader": "everywhere", "plan": "district plan"},
    {"severity": "red", "leader": "red leader"},
    {"kind": "car_park", "team": "garage team", "leader": "garage leader"},
    {"space": "gar", "severity": "red", "leader": "Chen"},
])  # fmt: skip


@pytest.mark.parametrize(
    ("space", "kind", "severity", "leader"),
    [
        ("gar", SpaceKind.CAR_PARK, Severity.RED, "Chen"),
        ("gar", SpaceKind.CAR_PARK, Severity.ORANGE, "garage leader"),
        ("other", SpaceKind.CAR_PARK, Severity.RED, "garage leader"),  # the kind says more of where than the severity
        ("up", SpaceKind.UNDERPASS, Severity.RED, "red leader"),
        ("up", SpaceKind.UNDERPASS, Severity.YELLOW, "everywhere"),
    ],
)
def test_the_row_that_says_most_names_the_leader(space: str, kind: SpaceKind, severity: Severity, leader: str) -> None:
    found = BOOK.of(space, kind, "莲花街道", severity)
    assert (found.leader, found.plan) == (leader, "district plan")
    assert found.team == ("garage team" if kind is SpaceKind.CAR_PARK else found.team)
    assert "莲花街道" in found.team or kind is SpaceKind.CAR_PARK  # the template stands where no row speaks


def test_every_kind_and_level_has_all_four() -> None:
    for kind in SpaceKind:
        found = {severity: CommandBook().of("s", kind, "莲花街道", severity) for severity in Severity}
        assert all(command.missing == () for command in found.values())
        assert len({found[severity].plan for severity in (Severity.YELLOW, Severity.ORANGE, Severity.RED)}) == 3
        assert found[Severity.BLUE] == found[Severity.YELLOW]
    assert Command(leader="chen").missing == TEAM_OF_FOUR[1:]
    assert "〔待定 to be named〕" in Command(leader="chen").line


def waiting(severity: Severity = Severity.RED) -> Reminded:
    """An order of minute 0 with 5 minutes, due at 5."""
    order = Order(
        "o1", "i1", "space/gar", Proof.ENTRANCE_CLOSED, OrderState.ISSUED, "wu", "li", at(0), "封闭", "close",
        timedelta(minutes=5), due_at=at(5), severity=severity, command=BOOK.of("gar", SpaceKind.CAR_PARK, "", severity),
    )  # fmt: skip
    return Reminded(order)


def played(waits: Reminded, minutes: list[float], steps: int = 3) -> list[tuple[float, int, int]]:
    """Who is reminded when: minute, number, highest step."""
    found = []
    for minute in minutes:
        told = remind(waits, at(minute), steps, Policy())
        if told is not None:
            waits = told
            found.append((minute, told.times, told.step))
    return found


def test_a_late_red_order_climbs_every_three_minutes_and_stops_at_the_top() -> None:
    # Due at 5: told when it is over, then every 3 minutes, one step further up each time.
    assert played(waiting(), [m / 2 for m in range(34)]) == [
        (5.5, 1, 0), (8.5, 2, 1), (11.5, 3, 2), (14.5, 4, 2),
    ]  # fmt: skip


def test_a_late_yellow_order_repeats_every_half_hour_and_climbs_nowhere() -> None:
    assert played(waiting(Severity.YELLOW), list(range(0, 80))) == [(6, 1, 0), (36, 2, 0), (66, 3, 0)]


def test_however_late_the_look_the_steps_that_were_missed_are_reached_together() -> None:
    # At 12 the order is 7 minutes late: 7 // 3 = 2 steps were missed.
    assert played(waiting(), [12]) == [(12, 1, 2)]
    assert played(waiting(), [12], steps=0) == [(12, 1, 0)], "nobody on the roster: the fallback"


def test_nobody_is_reminded_of_what_is_done_and_a_new_clock_has_new_causes() -> None:
    waits = waiting()
    done = replace(waits, order=advance(waits.order, "confirm", author="wu", at=at(4)))
    assert played(done, [6, 9, 60]) == []
    refused = advance(waits.order, "refuse", author="wu", at=at(6), note="no key")
    again = Reminded(advance(refused, "issue", author="li", at=at(10)))
    assert played(again, [14, 15, 15.5]) == [(15.5, 1, 0)]
    assert again.cause != waits.cause


def test_the_reminder_says_whose_order_since_when_and_who_leads() -> None:
    style = Style(
        {"space/gar": Named("一号车库", "Garage 1", SpaceKind.CAR_PARK)}, ZoneInfo("Asia/Shanghai"), exercise=True
    )
    told = remind(waiting(), at(8), 3, Policy())
    assert told is not None
    written = write_late(told, at(8), style)
    assert written.title == "【演练】【红色】一号车库（指令超时 3 分） [EXERCISE] RED Garage 1 (order late, 3 min)"
    for part in ("责任人 owner wu", "时限 due 23:55:00", "指挥 leader Chen", "第 1 次催办", "编号 ref o1"):
        assert part in written.body, part
    long = replace(told, order=replace(told.order, owner="街" * 400, command=Command(*["长" * 120] * 4)))
    assert len(write_late(long, at(8), style).body.encode()) <= MOST_BYTES
