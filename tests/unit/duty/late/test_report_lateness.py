"""Reports whose time is over: who is told when, and what lets them rest."""

from __future__ import annotations

from dataclasses import replace
from zoneinfo import ZoneInfo

from duty.late.late_text import write_late_reports
from duty.late.report_lateness import Asked, Clock, clocks_of, remind_reports
from duty.model import Policy
from duty.reports.reports import Limits, ReportKind, Submitted
from duty.telling.texts import MOST_BYTES, Named, Style
from tests.unit.duty.kit import at

ASKED = Asked("north-1", "north", at(0))


def played(asked: Asked, minutes: range, steps: int = 3) -> list[tuple[int, str, int]]:
    """Who is told of what: minute, reports with how often, highest step."""
    found = []
    known: dict[tuple[ReportKind, int], Clock] = {}
    for minute in minutes:
        clocks = clocks_of(asked, known, at(minute), Limits())
        told = remind_reports(asked, clocks, at(minute), steps, Policy())
        known = {clock.name: clock for clock in clocks}
        if told is not None:
            known |= {clock.name: clock for clock in told.clocks}
            names = " ".join(f"{clock.due.kind}#{clock.times}" for clock in told.clocks)
            found.append((minute, names, told.step))
    return found


def test_a_report_by_phone_that_nobody_makes_climbs_as_an_orange_order_does() -> None:
    # Due at 30: told when it is over, then every 10 minutes, one step up each time, to the top.
    assert played(ASKED, range(0, 62)) == [
        (31, "phone#1", 0), (41, "phone#2", 1), (51, "phone#3", 2), (61, "phone#4", 2),
    ]  # fmt: skip


def test_a_later_report_lets_the_earlier_rest_and_the_final_one_all() -> None:
    first = Submitted(ReportKind.FIRST, 1, at(35))
    assert played(replace(ASKED, submitted=(first,)), range(36, 240)) == []  # the follow-up is due at 240
    final = Submitted(ReportKind.FINAL, 2, at(100))
    assert played(replace(ASKED, ended_at=at(90), submitted=(first, final)), range(90, 3000, 10)) == []


def test_after_the_end_it_is_told_every_half_hour_and_climbs_no_further() -> None:
    # Ended at 90: the written report of 120 is missing, the final one is due at 90 + 24 h.
    asked = replace(ASKED, ended_at=at(90), submitted=(Submitted(ReportKind.PHONE, 0, at(20)),))
    assert played(asked, range(90, 190)) == [(121, "first#1", 0), (151, "first#2", 0), (181, "first#3", 0)]


def test_reports_that_are_late_together_make_one_message_in_both_languages() -> None:
    clocks = clocks_of(ASKED, {}, at(125), Limits())
    told = remind_reports(ASKED, clocks, at(125), 3, Policy())
    assert told is not None
    assert told.step == 2  # nobody looked for 95 minutes
    assert told.cause == "north-1/phone-0@20260701T162000#1/first-1@20260701T175000#1"
    style = Style({}, ZoneInfo("Asia/Shanghai"), exercise=True)
    drafted = replace(told, asked=replace(ASKED, author="吴" * 200))
    written = write_late_reports(drafted, Named("北片", "North"), at(125), style)
    assert written.title == "【演练】【橙色】北片（报告超时） [EXERCISE] ORANGE North (report late)"
    for part in (
        "电话首报 First report by phone，编号 number 0，时限 due 07-02 00:20，已超 late 95 分 min",
        "初报 First report，编号 number 1，时限 due 07-02 01:50，已超 late 5 分 min",
        "undercroft incident report north-1", "undercroft incident submit north-1 0",
    ):  # fmt: skip
        assert part in written.body, part
    assert len(written.body.encode()) <= MOST_BYTES
    assert remind_reports(ASKED, told.clocks, at(134), 3, Policy()) is None
