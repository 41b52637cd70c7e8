"""A stand-down holds while nothing is told, and no longer: whatever would raise an alarm by itself raises one after it.

The sensor of a place is washed away with its last word; what people, gauges and neighbours say then may not be mute.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from risk.arrays import NEVER_US, to_us
from risk.warnings import Act
from tests.unit.risk.builders import (
    START,
    Crank,
    Reading,
    depth_sensor,
    device,
    gauge,
    guarded,
    site,
    space,
    underpass,
)

DOWN_AT = 12
RAIN = "rain-1:rain_total_mm"


def act(kind: str, minute: int, number: int, subject: str = "space/up", **body: Any) -> Act:
    return Act(minute * 10 + number, kind, subject, "li", to_us(START) + minute * 60_000_000, body)


def told(what: tuple[str, Any], minute: int, number: int) -> list[Act]:
    kind, value = what
    match kind:
        case "report":
            by, depth_m = value
            return [act("field_report", minute, number, depth_m=depth_m, by=by)]
        case "warning":
            name, colour = value
            body = {"state": "in_force", "colour": colour, "basins": ["b1"]}
            return [act("rain_warning", minute, number, f"warning/{name}", **body)]
    return []


class Place(Crank):
    """An underpass, in alarm unless dry; its sensor falls silent at minute 8, and it is stood down at minute 12."""

    def __init__(self, depth_m: float, before: list[tuple[str, Any]], *more: dict[str, Any], wet_min: int = 0) -> None:
        super().__init__(site(underpass(), *more, gauges=[gauge()]), nowcast=False)
        self.row = self.engine.plant.arrays.space_index["up"]
        self.rain_mm = 0.0
        for minute in range(DOWN_AT):
            acts = [one for number, what in enumerate(before) for one in told(what, minute, number)]
            heard = [] if minute >= 8 else [("up-lvl:water_depth_m", minute, depth_m)]
            self.go(minute, heard, acts if minute == 9 else [], 0.5 if minute < wet_min else 0.0)

    def go(self, minute: int, readings: list[Any], acts: list[Act], mm: float = 0.0) -> int:
        """Go one minute on, with rain; return the severity of the alarm."""
        self.rain_mm += mm
        rain: Reading = (RAIN, minute, self.rain_mm)
        self.tick(minute, rain, *readings, acts=tuple(acts))
        return int(self.engine.state.alarm_severity[self.row])

    def stand_down(self) -> None:
        """Stand the alarm down; nothing that was there before raises it again."""
        assert self.go(DOWN_AT, [], [act("stand_down", DOWN_AT, 0, evidence="washed away, photo 3")]) == 0


reports = st.tuples(
    st.just("report"), st.tuples(st.sampled_from(["Sun", "Fire brigade"]), st.sampled_from([0.12, 0.35, 0.8]))
)
warnings = st.tuples(
    st.just("warning"), st.tuples(st.sampled_from(["a", "b"]), st.sampled_from(["yellow", "orange", "red"]))
)
anything = st.one_of(reports, warnings, st.tuples(st.just("rain"), st.sampled_from([8.0, 20.0])))


@settings(max_examples=8, deadline=None)
@example(depth_m=0.35, before=[("report", ("Sun", 0.35))], quiet=3, news=("report", ("Fire brigade", 0.8)))
@example(depth_m=0.35, before=[("report", ("Sun", 0.8))], quiet=3, news=("report", ("Fire brigade", 0.35)))
@example(depth_m=0.35, before=[("warning", ("a", "red"))], quiet=20, news=("warning", ("a", "red")))
@example(depth_m=0.35, before=[], quiet=20, news=("rain", 20.0))
@given(
    depth_m=st.sampled_from([0.12, 0.2, 0.35]),
    before=st.lists(reports | warnings, max_size=2),
    quiet=st.sampled_from([0, 3, 20]),
    news=anything,
)
def test_what_would_raise_an_alarm_by_itself_undoes_a_stand_down(
    depth_m: float, before: list[tuple[str, Any]], quiet: int, news: tuple[str, Any]
) -> None:
    # In the rain in which it was stood down, a warning's too, that nobody sees the place is no news.
    assume(not any(kind == "warning" for kind, _ in before) or (news[0] != "rain" and news[1][1] != "yellow"))
    place, fresh = Place(depth_m, before), Place(0.0, [])
    place.stand_down()
    fresh.go(DOWN_AT, [], [])
    for minute in range(DOWN_AT + 1, DOWN_AT + 1 + quiet):
        assert place.go(minute, [], []) == 0, "it was raised by nothing"
        fresh.go(minute, [], [])
    begins = DOWN_AT + 1 + quiet
    for minute in range(begins, begins + 4):
        acts = told(news, minute, 1) if minute == begins else []
        mm = news[1] if news[0] == "rain" else 0.0
        alone = fresh.go(minute, [], acts, mm)
        shown = place.go(minute, [], acts, mm)
        assert shown >= alone, f"told at minute {minute - begins}"


def test_what_says_no_danger_undoes_nothing() -> None:
    place = Place(0.35, [])
    place.stand_down()
    calm = [
        act("field_report", DOWN_AT + 1, 1, depth_m=0.0, by="Sun"),
        act("field_report", DOWN_AT + 1, 2, evacuated=True, by="Sun"),
        act("rain_warning", DOWN_AT + 1, 3, "warning/a", state="ended"),
        act("rain_warning", DOWN_AT + 1, 4, "warning/b", state="in_force", colour="red", basins=["b2"]),
    ]
    assert place.go(DOWN_AT + 1, [], calm) == 0
    assert all(place.go(minute, [], []) == 0 for minute in range(DOWN_AT + 2, DOWN_AT + 60))


def washed_away() -> tuple[Crank, int]:
    """A garage with 40 cm inside, whose sensor there died at minute 8; stood down at 20. The street is heard, dry."""
    inside = device("in", depth_sensor())
    street = device("out", depth_sensor("north"), {"quantity": "mains_power"}, {"quantity": "stock_sandbag"})
    switch = {"quantity": "float_lifted", "zero_level_m": -3.95}
    sump = {"quantity": "float_lifted", "zero_level_m": -4.5}
    place = space("gar", "car_park", devices=[inside, street, device("sw", switch), device("pit", sump)])
    crank = Crank(site(place), nowcast=False)
    row = crank.engine.plant.arrays.space_index["gar"]
    for minute in range(21):
        said = [("in:water_depth_m", minute, 0.4)] if minute < 8 else []
        down = (act("stand_down", minute, 0, "space/gar", evidence="photo 1"),) if minute == 20 else ()
        crank.tick(minute, (RAIN, minute, 0.0), ("out:water_depth_m", minute, 0.0), *said, acts=down)
    assert crank.engine.state.alarm_severity[row] == 0
    return crank, row


NO_WATER: list[tuple[str, float]] = [
    ("out:stock_sandbag", 30.0), ("out:mains_power", 1.0), ("out:mains_power", 0.0), ("out:online", 1.0),
    ("in:online", 0.0), ("in:online", 1.0), ("out:water_depth_m", 0.0), ("out:water_depth_m", 0.019),
    ("in:water_depth_m", 0.0), ("sw:float_lifted", 0.0), ("pit:float_lifted", 1.0), ("pit:float_lifted", 0.0),
]  # fmt: skip


@settings(max_examples=25, deadline=None)
@example(words=[(1, NO_WATER.index(("in:online", 0.0)), 1)])
@example(words=[(minute, NO_WATER.index(("out:water_depth_m", 0.0)), 1) for minute in range(1, 40)])
@given(words=st.lists(st.tuples(st.integers(1, 40), st.integers(0, len(NO_WATER) - 1), st.sampled_from([1, 2]))))
def test_what_says_nothing_of_water_undoes_no_stand_down(words: list[tuple[int, int, int]]) -> None:
    """Whatever is said, good (1) or doubted (2), of stock, power, devices, a dry street or a pump's sump."""
    crank, row = washed_away()
    for minute in range(21, 62):
        said = [(NO_WATER[which][0], minute, NO_WATER[which][1], how) for at, which, how in words if at + 20 == minute]
        crank.tick(minute, (RAIN, minute, 0.0), *said)
        assert crank.engine.state.alarm_severity[row] == 0


@pytest.mark.parametrize("how", [1, 2])
@pytest.mark.parametrize(
    ("key", "value"), [("in:water_depth_m", 0.02), ("in:water_depth_m", 0.05), ("sw:float_lifted", 1.0)]
)
def test_a_word_on_water_undoes_a_stand_down(key: str, value: float, how: int) -> None:
    crank, row = washed_away()
    crank.tick(24, ("out:water_depth_m", 24, 0.0))
    assert crank.engine.state.alarm_severity[row] == 0
    crank.tick(25, (key, 24.5, value, how))
    assert crank.engine.state.stood_down_us[row] == NEVER_US
    for minute in (26, 27, 28):
        crank.tick(minute, (key, minute, value, how))
    assert crank.engine.state.alarm_severity[row] >= 2


def test_water_that_came_and_went_within_one_tick_undoes_a_stand_down() -> None:
    crank, row = washed_away()
    crank.tick(25, *[("in:water_depth_m", 24.2 + 0.2 * n, depth) for n, depth in enumerate((0.3, 0.3, 0.0))])
    assert crank.engine.state.stood_down_us[row] == NEVER_US


def test_whoever_told_before_the_stand_down_of_its_tick_had_been_heard() -> None:
    for number, expected in ((0, 0), (2, 4)):  # before, and after, the act that stands it down
        place = Place(0.35, [])
        both = [
            act("field_report", DOWN_AT, number, depth_m=0.8, by="Sun"),
            act("stand_down", DOWN_AT, 1, evidence="x"),
        ]
        place.go(DOWN_AT - 1, [], [act("field_report", DOWN_AT - 1, 5, depth_m=0.8, by="Sun")])
        assert place.go(DOWN_AT, [], both) == expected


def test_a_neighbour_and_a_barrier_undo_a_stand_down() -> None:
    near = Place(0.35, [], underpass("near"), wet_min=6)
    near.stand_down()
    for minute in range(
        DOWN_AT + 1, DOWN_AT + 30
    ):  # it turns blind in the rain in which it was stood down: nothing new
        assert near.go(minute, [("near-lvl:water_depth_m", minute, 0.0)], []) == 0
    assert near.engine.state.blind[near.row]
    for minute in range(DOWN_AT + 30, DOWN_AT + 34):
        shown = near.go(minute, [("near-lvl:water_depth_m", minute, 0.2)], [])
    assert shown >= 3
    guard = Place(0.35, [], guarded("s", "car_park"))
    guard.row = guard.engine.plant.arrays.space_index["s"]
    for minute in range(DOWN_AT, DOWN_AT + 3):
        shown = guard.go(minute, [("s-out:water_depth_m", minute, 0.25)], [])
    assert shown >= 2
    evidence = act("stand_down", DOWN_AT + 3, 0, "space/s", evidence="the post is gone")
    assert guard.go(DOWN_AT + 3, [], [evidence]) == 0
    assert guard.go(DOWN_AT + 4, [], []) == 0
    report = act("field_report", DOWN_AT + 5, 0, "space/s", entrance="north", barrier="failed", by="Sun")
    assert guard.go(DOWN_AT + 5, [], [report]) >= 2


def test_what_is_foreseen_from_the_word_that_was_stood_down_is_no_news_and_a_reading_is() -> None:
    """The street's sensor said 20 cm and was washed away; rain grows fourfold, and orange is foreseen from its word."""
    crank = Crank(site(guarded("s", "car_park"), gauges=[gauge()]))
    row = crank.engine.plant.arrays.space_index["s"]
    rain_mm = 0.0
    for minute in range(84):
        rain_mm += 0.4 if minute < 75 else 1.6
        words = {"s-out:water_depth_m": 0.2, "s-out:barrier_state": 0.0, "s-in:water_depth_m": 0.0}
        heard: list[Reading] = [(key, minute, value) for key, value in words.items()] if minute < 8 else []
        down = (act("stand_down", minute, 0, "space/s", evidence="the post is gone"),) if minute == DOWN_AT else ()
        crank.tick(minute, (RAIN, minute, rain_mm), *heard, acts=down)
        if minute >= DOWN_AT:
            assert crank.engine.state.alarm_severity[row] == 0
    assert crank.engine.state.ahead_p[row, 0, 1] >= 0.5
    crank.tick(84, ("s-out:water_depth_m", 84, 0.2))
    assert crank.engine.state.alarm_severity[row] >= 2
