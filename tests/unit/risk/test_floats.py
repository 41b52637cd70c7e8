"""Float switches: what a lifted one reaches, how it is left, what doubt and silence do, and what stands in the reason.

By hand: the floor lies at -4.0 m; a switch that trips at -3.95 m trips 5 cm over it, one at -3.7 m 30 cm.
"""

from __future__ import annotations

from typing import Any

import pytest

from risk.engine import with_site
from tests.unit.risk.builders import START, Crank, device, entrance, gauge, site, space
from undercroft.site.model import Site

FLOAT, RAIN = "f:float_lifted", "rain-1:rain_total_mm"


def with_float(kind: str, zero_m: float, at: str | None = None, **extra: Any) -> Site:
    sensor = {"quantity": "float_lifted", "zero_level_m": zero_m, **({"entrance": at} if at else {})}
    return site(space("s", kind, devices=[device("f", sensor)], **extra))


def cranked(of: Site, *words: float, quality: int = 1) -> Crank:
    crank = Crank(of)
    for minute, word in enumerate(words):
        crank.tick(minute, (FLOAT, minute, word, quality))
    return crank


def reasons(crank: Crank) -> list[dict[str, Any]]:
    return crank.outputs[-1].assessments[-1].reasons


@pytest.mark.parametrize(
    ("kind", "zero_m", "level", "rule"),
    [
        ("car_park", -3.70, 4, "inside-depth"),  # 30 cm inside: red
        ("car_park", -3.95, 3, "inside-depth"),  # 5 cm: orange
        ("car_park", -3.97, 2, "float-lifted"),  # 3 cm on a dry floor: look
        ("car_park", -4.00, 2, "float-lifted"),
        ("car_park", -4.50, 1, "float-lifted"),  # in a sump: a notice
        ("mall", -3.98, 3, "inside-depth"),  # any inflow, 2 cm
        ("underpass", -3.85, 3, "inside-depth"),  # 15 cm on the road: close
    ],
)
def test_a_lifted_float_reaches_what_water_at_its_height_reaches(
    kind: str, zero_m: float, level: int, rule: str
) -> None:
    crank = cranked(with_float(kind, zero_m), 0.0, 1.0)
    assert crank.levels == {"s": level}
    first = reasons(crank)[0]
    assert (first["rule"], first["severity"], first["sensor"]) == (rule, level, FLOAT)
    assert first["value"] == pytest.approx(zero_m + 4.0)
    assert "浮球" in first["text_zh"]
    assert "loat switch" in first["text_en"]
    assert crank.events("space/s") == ([("raised", level)] if level >= 2 else [])


def test_a_float_at_an_entrance_is_freeboard_there() -> None:
    """Crest 30 cm over the road; water at 26 cm leaves 4 cm: yellow for a car park, and no barrier there: one up."""
    crank = cranked(with_float("car_park", 0.26, "north"), 0.0, 1.0)
    assert crank.levels == {"s": 3}
    found = {(reason["rule"], reason["severity"], reason["value"]) for reason in reasons(crank)}
    assert found == {("barrier-not-deployed", 3, 0.04), ("freeboard", 2, 0.04)}
    assert cranked(with_float("car_park", 0.05, "north"), 0.0, 1.0).levels == {"s": 0}


def test_the_alarm_ends_after_ten_minutes_of_good_words_and_three_of_them() -> None:
    crank = cranked(with_float("car_park", -3.95), 0.0, 1.0, *[0.0] * 10)
    assert crank.events("space/s") == [("raised", 3)]  # minute 11: nine minutes
    crank.tick(12, (FLOAT, 12, 0.0))
    assert crank.events("space/s") == [("raised", 3), ("cleared", 0)]
    slow = Crank(with_float("car_park", -3.95))
    for minute, word in ((0, 1.0), (5, 0.0), (16, 0.0), (20, 1.0), (21, 0.0), (32, 0.0)):
        slow.tick(minute, (FLOAT, minute, word))
    assert slow.events("space/s")[-1] == ("raised", 3)  # two words after the last lift


@pytest.mark.parametrize("quality", [2, 3, 4, 9])
def test_doubt_lets_nothing_down_and_may_lift(quality: int) -> None:
    crank = cranked(with_float("car_park", -3.95), 0.0, 1.0)
    for minute in range(2, 40):
        crank.tick(minute, (FLOAT, minute, 0.0, quality))
    assert crank.levels["s"] >= 3
    assert crank.events("space/s")[-1][0] != "cleared"
    assert cranked(with_float("car_park", -3.95), 0.0, 1.0, quality=quality).levels["s"] == (3 if quality < 4 else 0)


def test_a_space_with_a_float_alone_is_blind_in_rain_only_when_it_is_silent() -> None:
    """After 3 dry intervals of 10 min; what it said last is raised by one."""
    for zero_m, blind in ((-3.95, False), (-2.0, True), (-4.5, True)):  # 2 m is over orange, -0.5 m is a sump
        crank = Crank(with_float("car_park", zero_m))
        for minute in range(3):
            crank.tick(minute, (FLOAT, minute, 0.0), (RAIN, minute, 5.0 * minute))
        assert crank.outputs[-1].assessments[-1].blind is blind
    crank = Crank(with_float("car_park", -3.95))
    crank.tick(0, (FLOAT, 0, 1.0), (RAIN, 0, 0.0))
    for minute in range(1, 33):
        crank.tick(minute, (RAIN, minute, 5.0 * minute))
    last = crank.outputs[-1].assessments[-1]
    assert (last.level, last.blind) == (4, True)
    assert [reason["sensor"] for reason in last.reasons if reason["rule"] == "blind"] == [FLOAT]


def test_the_page_shows_the_switch_and_before_its_first_word_nothing() -> None:
    crank = Crank(with_float("car_park", -3.95))
    crank.tick(0)
    shown = crank.outputs[-1].assessments[0].evidence["floats"]
    assert [(one["lifted"], one["trips_at_m"], one["observed_at"]) for one in shown] == [(None, 0.05, None)]
    crank.tick(1, (FLOAT, 1, 1.0))
    assert crank.outputs[-1].assessments[0].evidence["floats"][0]["lifted"] is True


def test_a_lifted_float_that_is_taken_out_or_replaced_dries_nothing() -> None:
    other = {"id": "g", "sensors": [{"quantity": "float_lifted", "zero_level_m": -3.95}]}
    for devices in ([], [other]):
        crank = cranked(with_float("car_park", -3.95), 0.0, 1.0)
        after = site(space("s", "car_park", devices=devices), gauges=[gauge()])
        crank.engine = with_site(crank.engine, after, 2, START)
        crank.tick(2)
        assert crank.levels == {"s": 3}
        assert crank.events("space/s")[0] == ("raised", 3)


def test_a_barrier_that_is_deployed_moves_the_limits_of_a_float_at_its_entrance() -> None:
    """35 cm over the road: 5 cm over an open crest, orange, one up; 55 cm below the top of the barrier: nothing."""
    door = entrance(barrier={"height_m": 0.6, "deploy_min": 10.0})
    switch = device("b", {"quantity": "barrier_state", "entrance": "north"})
    lifted = device("f", {"quantity": "float_lifted", "zero_level_m": 0.35, "entrance": "north"})
    crank = Crank(site(space("s", "car_park", entrances=[door], devices=[switch, lifted])))
    crank.tick(0, (FLOAT, 0, 1.0))
    assert crank.levels == {"s": 4}
    crank.tick(1, (FLOAT, 1, 1.0), ("b:barrier_state", 1, 3.0))
    assert crank.levels == {"s": 0}
