"""Message texts, alarm load, orders and reports."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from duty.door.refusals import ActRefused
from duty.incidents.load import flood_times, load_of
from duty.model import Reason
from duty.orders.contradiction import Seen, disagreement
from duty.orders.orders import Order, OrderState, Proof, advance, templates
from duty.reports.reports import (
    Count,
    Due,
    Fact,
    Limits,
    ReportKind,
    Submitted,
    count,
    draft,
    dues,
    markdown,
    plain,
    to_write,
)
from duty.telling.no_barrier import WITHOUT_BARRIER
from duty.telling.texts import ADVICE, Named, Style, advice, write
from tests.unit.duty.kit import at, event, play
from undercroft.model import Severity, SpaceKind

ZONE = ZoneInfo("Asia/Shanghai")
NAMES = {"space/gar": Named("一号车库", "Garage 1", SpaceKind.CAR_PARK)}


def message(reason: Reason, *, exercise: bool = False) -> str:
    (cause,) = play([event(0, "raised", 4)], 0)[1]
    return write(cause, reason, Named("北片", "North"), Style(NAMES, ZONE, exercise)).body


def test_a_red_garage_says_stay_out_in_both_languages() -> None:
    body = message(Reason.FIRST)
    assert body.startswith("【红色】北片（首次） RED North (first)\n时间 time 2026-07-01 23:50:00")
    assert "严禁进入地下车库" in body
    assert "STAY OUT of the garage" in body
    assert "水深 30 cm" in body
    assert body.endswith("编号 ref north-20260701T155000Z#1")


def test_a_drill_says_so_first() -> None:
    assert message(Reason.REPEAT, exercise=True).startswith("【演练】【红色】北片（重复，尚无人确认） [EXERCISE] RED")


def test_every_kind_and_level_has_advice_and_none_speaks_of_moving_cars() -> None:
    assert {(kind, severity) for kind in SpaceKind for severity in (2, 3, 4)} == {(k, int(s)) for k, s in ADVICE}
    for zh, en in (*ADVICE.values(), *WITHOUT_BARRIER.values()):
        assert "挪车" not in zh
        assert "移车" not in zh
        assert "move" not in en.lower()


def test_nobody_is_told_to_deploy_a_barrier_where_there_is_none() -> None:
    for (kind, severity), (zh, en) in ADVICE.items():
        without_zh, without_en = advice(kind, severity, has_barrier=False) or ("", "")
        assert ("挡板" in zh or "barrier" in en.lower()) == ((kind, severity) in WITHOUT_BARRIER)
        assert "挡板" not in without_zh.removeprefix("本处无挡板：")
        assert "barrier" not in without_en.removeprefix("No barrier here: ")
        assert advice(kind, severity, has_barrier=True) == (zh, en)


def test_load_against_the_manageable_rate() -> None:
    # 12 alarms within 5.5 minutes, then silence, in an hour: 12 / 6 windows / 2 operators = 1.0, the limit.
    events = [event(n * 0.5, "raised", 4 if n == 0 else 2, f"space/s{n}") for n in range(12)]
    events.append(event(7, "acknowledged", 4, "space/s0"))
    load = load_of(events, at(0), at(60), 2)
    assert (load.alarms, load.per_window_per_operator, load.peak_window, load.manageable) == (12, 1.0, 12, True)
    assert load.by_severity == {2: 11, 4: 1}
    assert (load.ack_median_s, load.ack_slowest_s, load.never_acknowledged) == (420.0, 420.0, 11)
    # The tenth alarm comes at 4.5; at 14 only those of 4.5, 5 and 5.5 are within ten minutes... fewer than 5 at 13.5.
    assert flood_times([entry.at for entry in events[:12]], at(60)) == [(at(4.5), at(13.5))]
    assert load.flood_share == pytest.approx(9 / 60)
    assert not load.flood_now


def test_chattering_and_stale() -> None:
    events = [event(0, "raised", 2, "space/old")]
    for n in range(3):
        events += [
            event(1 + n * 0.4, "raised", 2, "space/bell", n),
            event(1.1 + n * 0.4, "cleared", 0, "space/bell", n),
        ]
    load = load_of(events, at(0), at(24 * 60), 1)
    assert load.chattering == ("space/bell",)
    assert load.stale == ("space/old",)
    assert load.top == (("space/bell", 3), ("space/old", 1))


def order() -> Order:
    return Order("o1", "i1", "space/gar", Proof.BARRIER_DEPLOYED, OrderState.ISSUED, "street", "li", at(1), "装", "do",
                 timedelta(minutes=15), due_at=at(16))  # fmt: skip


def test_an_order_to_its_confirmation() -> None:
    issued = order()
    assert not issued.is_late(at(16))
    assert issued.is_late(at(17))
    done = advance(advance(issued, "take", author="wu", at=at(3)), "confirm", author="wu", at=at(9))
    assert done.state is OrderState.CONFIRMED
    assert not done.is_late(at(99))
    assert done.confirmed_until == at(9 + 180)
    assert (done.has_expired(at(188)), done.has_expired(at(189))) == (False, True)
    again = advance(done, "confirm", author="wu", at=at(190))
    assert (again.state, again.due_at, again.confirmed_until) == (OrderState.CONFIRMED, at(16), at(190 + 180))
    assert advance(done, "issue", author="li", at=at(190)).due_at == at(205)
    undone = advance(done, "undo", author="wu", at=at(20), note="the wrong garage")
    assert (undone.state, undone.due_at, undone.is_late(at(20))) == (OrderState.ISSUED, at(16), True)
    gone = advance(done, "cancel", author="wu", at=at(20), note="no longer applies")
    assert (gone.state, gone.confirmed_until) == (OrderState.CANCELLED, None)


@pytest.mark.parametrize(
    ("steps", "complaint"),
    [
        (["refuse"], "refuse needs a reason"),
        (["confirm", "take"], "is confirmed: take is not possible (possible: cancel, confirm, issue, undo)"),
        (["confirm", "undo"], "undo needs a reason"),
        (["undo"], "is issued: undo is not possible"),
        (["cancel"], "cancel needs a reason"),
        (["issue"], "is issued: issue is not possible"),
        (["dance"], "there is no step 'dance'; there are take, confirm, refuse, cancel, issue, undo"),
    ],
)
def test_steps_that_are_not(steps: list[str], complaint: str) -> None:
    moved = order()
    for step in steps[:-1]:
        moved = advance(moved, step, author="li", at=at(1))
    with pytest.raises(ActRefused, match="order o1") as error:
        advance(moved, steps[-1], author="li", at=at(1))
    assert complaint in str(error.value)


def test_templates_and_disagreement() -> None:
    assert [t.proof for t in templates(SpaceKind.CAR_PARK, Severity.RED, has_barrier=True)] == [
        Proof.EVACUATED, Proof.ENTRANCE_CLOSED, Proof.BARRIER_DEPLOYED, Proof.PUMP_RUNNING,
    ]  # fmt: skip
    for kind in SpaceKind:
        for severity in list(Severity)[2:]:
            with_one, without = (
                [t.proof for t in templates(kind, severity, has_barrier=has_barrier)] for has_barrier in (True, False)
            )
            assert (Proof.BARRIER_DEPLOYED in with_one) == (severity >= Severity.ORANGE)
            assert Proof.BARRIER_DEPLOYED not in without
            assert (Proof.ENTRANCE_CLOSED in without) == (severity >= Severity.ORANGE), "what no barrier closes"


SHUT, FAILED = Seen(3.0, at(0)), Seen(5.0, at(0))


@pytest.mark.parametrize(
    ("age_s", "zh", "en"),
    [
        (-30, "0 秒前", "0 s ago"), (45, "45 秒前", "45 s ago"), (720, "12 分钟前", "12 min ago"),
        (3 * 3600, "3 小时前", "3 h ago"),
    ],
)  # fmt: skip
def test_a_disagreement_says_when_the_sensor_said_so_and_how_long_ago_that_is(age_s: int, zh: str, en: str) -> None:
    now, taken = at(0) + timedelta(seconds=age_s), f"{at(0):%F %T}+00:00"
    assert disagreement(Proof.BARRIER_DEPLOYED, [SHUT, FAILED], now) == (
        f"确认挡板已安装，传感器显示故障（{taken}，{zh}）"
        f" confirmed as barrier_deployed, but the sensor shows failed ({taken}, {en})"
    )


def test_what_no_sensor_contradicts() -> None:
    assert disagreement(Proof.BARRIER_DEPLOYED, [SHUT], at(1)) is None
    assert disagreement(Proof.BARRIER_DEPLOYED, [], at(1)) is None
    stands, later = Seen(0.0, at(0)), Seen(0.0, at(4))
    assert f"no pump running ({at(4):%F %T}+00:00, 60 s ago)" in (
        disagreement(Proof.PUMP_RUNNING, [stands, later], at(5)) or ""
    )
    assert disagreement(Proof.PUMP_RUNNING, [stands, Seen(1.0, at(0))], at(1)) is None


def test_reports_are_asked_for_and_counted() -> None:
    # Serious at 0: by phone within 30 min, first within 2 h, follow-ups every 2 h after; ended at 7 h: those at 4 and
    # 6 h, final at 31 h.
    asked = dues(at(0), at(7 * 60), [], at(8 * 60), Limits())
    assert [(d.kind.value, d.serial, d.due_at) for d in asked] == [
        ("phone", 0, at(30)), ("first", 1, at(120)), ("follow_up", 2, at(240)), ("follow_up", 3, at(360)),
        ("final", 4, at(31 * 60)),
    ]  # fmt: skip
    sent = [Submitted(ReportKind.FIRST, 1, at(90)), Submitted(ReportKind.FOLLOW_UP, 2, at(300))]
    assert count(asked, sent, at(8 * 60)) == Count(on_time=1, late=1, missing=2)  # by phone, and the second follow-up
    phoned = [*sent, Submitted(ReportKind.PHONE, 0, at(30))]
    assert count(asked, phoned, at(8 * 60)) == Count(on_time=2, late=1, missing=1)
    assert dues(None, None, [], at(8 * 60), Limits()) == []


def test_a_follow_up_that_was_left_out_is_missing_and_makes_no_other_late() -> None:
    """Follow-ups at 4, 6, 8 h: at 4 h never, at 6 and 8 h nine minutes early. One at 3 h would stand for it."""
    asked = dues(at(0), at(8 * 60), [], at(9 * 60), Limits())
    sent = [
        Submitted(ReportKind.PHONE, 0, at(10)), Submitted(ReportKind.FIRST, 1, at(100)),
        Submitted(ReportKind.FOLLOW_UP, 3, at(351)), Submitted(ReportKind.FOLLOW_UP, 4, at(471)),
    ]  # fmt: skip
    assert count(asked, sent, at(9 * 60)) == Count(on_time=4, late=0, missing=1)
    early = [*sent[:2], Submitted(ReportKind.FOLLOW_UP, 3, at(180)), sent[3]]
    assert count(asked, early, at(9 * 60)) == Count(on_time=4, late=0, missing=0)


def test_of_follow_ups_that_were_missed_the_newest_is_written_but_the_first_report_first() -> None:
    # Serious at 0, going on at 9 h: written reports were due at 2, 4, 6 and 8 h.
    asked = dues(at(0), None, [], at(9 * 60), Limits())
    assert [due.serial for due in asked] == [0, 1, 2, 3, 4, 5]
    assert to_write(asked, at(9 * 60)) == Due(ReportKind.FIRST, 1, at(120))
    assert to_write(asked[2:], at(9 * 60)) == Due(ReportKind.FOLLOW_UP, 4, at(480))
    assert to_write(asked[5:], at(9 * 60)) == Due(ReportKind.FOLLOW_UP, 5, at(600))
    assert to_write(asked[:1], at(9 * 60)) is None


def test_a_follow_up_does_not_repeat_the_start_and_names_its_sources() -> None:
    facts = [
        Fact(at(1), "alarm", "水深 16 cm", "depth 16 cm", "gar-in:water_depth_m@15:51"),
        Fact(at(50), "order", "挡板已装", "barrier deployed", "order o1"),
    ]
    asked = Due(ReportKind.FOLLOW_UP, 2, at(240))
    report = draft("i1", asked, facts, at(60), at(30), place=("北片", "North"), exercise=True)
    words = markdown(report, ZONE)
    assert words.startswith("# 【演练 EXERCISE】续报1 Follow-up report 1")
    assert "depth 16 cm" not in words
    assert words.count("barrier deployed 〔order o1〕") == 2  # what happened, and a measure taken
    assert "#" not in plain(words)
