"""Field reports as evidence: they may raise, never lower, and end only when something better is known."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from risk.arrays import to_us
from risk.snapshot import dump_state, load_state
from risk.warnings import Act
from tests.unit.risk.builders import (
    START,
    Crank,
    Reading,
    depth_sensor,
    device,
    entrance,
    guarded,
    site,
    space,
    underpass,
)  # fmt: skip
from undercroft.site.places import sensor_key


def at(minute: float) -> str:
    return (START + timedelta(minutes=minute)).isoformat()


def report(seq: int, space: str, minute: float, by: str = "Li", minutes: float = 60, **said: Any) -> Act:
    phone = f"tel. {len(by)}000 {ord(by[0])}"
    body = {"by": by, "phone": phone, "observed_at": at(minute), "expires_at": at(minute + minutes), **said}
    return Act(seq, "field_report", f"space/{space}", "desk", to_us(START + timedelta(minutes=minute)), body)


def test_reported_depth_raises_at_once_with_name_and_source() -> None:
    crank = Crank(site(underpass()))
    crank.tick(0, ("up-lvl:water_depth_m", 0, 0.0))
    output = crank.tick(1, acts=(report(1, "up", 1, depth_m=0.16),))
    reason = output.assessments[0].reasons[0]
    assert crank.levels["up"] == 3
    assert crank.events("space/up") == [("raised", 3)]
    assert (reason["rule"], reason["threshold"], reason["value"], reason["doubt"]) == (
        "inside-depth", 0.15, 0.16, "unknown",
    )  # fmt: skip
    assert reason["sensor"] == "report:Li"
    assert "reported by Li" in reason["text_en"]
    assert "Osong" in reason["source"]
    assert output.assessments[0].evidence["reports"][0]["by"] == "Li"


def test_report_of_no_water_lowers_nothing() -> None:
    crank = Crank(site(underpass()))
    for minute in (0, 1):
        crank.tick(minute, ("up-lvl:water_depth_m", minute, 0.2))
    crank.tick(2, acts=(report(1, "up", 2, depth_m=0.0),))
    assert crank.levels["up"] == 3


def test_lower_report_of_another_does_not_replace_but_the_reporter_may_correct() -> None:
    crank = Crank(site(underpass()))
    crank.tick(0, acts=(report(1, "up", 0, depth_m=0.3),))
    crank.tick(1, acts=(report(2, "up", 1, by="Wang", depth_m=0.0),))
    assert crank.levels["up"] == 4
    crank.tick(2, acts=(report(3, "up", 2, depth_m=0.03),))
    assert crank.levels["up"] == 0


def depth(crank: Crank, seq: int, minute: float, by: str, depth_m: float, seen: float | None = None) -> int:
    said = report(seq, "up", minute if seen is None else seen, by=by, depth_m=depth_m)
    crank.tick(minute, acts=(said,))
    return crank.levels["up"]


def test_the_worst_of_all_reporters_counts_whoever_saw_it_first() -> None:
    """Zhang saw 50 cm a minute before Li saw 2 cm elsewhere on the road, and comes to tell it after him."""
    for turned in (False, True):
        crank = Crank(site(underpass()))
        said = [("Li", 0.02, 5.0), ("Zhang", 0.5, 4.0)]
        for number, (by, depth_m, seen) in enumerate(said[::-1] if turned else said, 1):
            level = depth(crank, number, 5 + number, by, depth_m, seen)
        assert level == 4


def test_who_corrects_a_report_takes_back_no_other_ones() -> None:
    crank = Crank(site(underpass()))
    assert depth(crank, 1, 1, "Wang", 0.5) == 4
    assert depth(crank, 2, 2, "Li", 0.6) == 4
    assert depth(crank, 3, 3, "Li", 0.02) == 4, "Wang's 50 cm stand"
    assert depth(crank, 4, 4, "Wang", 0.02) == 0


def test_a_correction_counts_with_the_time_at_which_it_was_really_seen() -> None:
    crank = Crank(site(underpass()))
    assert depth(crank, 1, 10, "Wang", 5.0) == 4
    assert depth(crank, 2, 11, "Wang", 0.05, seen=8) == 1


def test_a_barrier_may_be_corrected_by_its_reporter_and_not_by_who_saw_it_before() -> None:
    crank = Crank(site(guarded("s", "car_park")))
    crank.tick(5, acts=(report(1, "s", 5, by="Li", entrance="north", barrier="deployed"),))
    crank.tick(6, acts=(report(2, "s", 4, by="Sun", entrance="north", barrier="open"),))
    assert crank.engine.state.closed_bits[0]
    crank.tick(7, acts=(report(3, "s", 3, by="Li", entrance="north", barrier="open"),))
    assert not crank.engine.state.closed_bits[0]


def test_what_somebody_else_finds_dry_ends_nothing_even_when_the_report_has_expired() -> None:
    crank = Crank(site(space("up", "underpass")))
    crank.tick(0, acts=(report(1, "up", 0, minutes=10, depth_m=0.5),))
    crank.tick(20, acts=(report(2, "up", 20, by="Wang", depth_m=0.0),))
    crank.tick(40)
    assert (crank.levels["up"], int(crank.engine.state.alarm_severity[0])) == (4, 4)
    down = Act(3, "stand_down", "space/up", "Sun", to_us(START + timedelta(minutes=41)), {"evidence": "photo 7"})
    crank.tick(41, acts=(down,))
    crank.tick(42)
    assert (crank.levels["up"], int(crank.engine.state.alarm_severity[0])) == (2, 0), "nobody sees the road: yellow"


def test_expired_report_stands_until_a_sensor_says_better() -> None:
    crank = Crank(site(underpass()))
    crank.tick(0, acts=(report(1, "up", 0, minutes=10, depth_m=0.16),))
    crank.tick(90)
    assert crank.engine.state.alarm_severity[0] == 3
    for minute in range(91, 120):
        crank.tick(minute, ("up-lvl:water_depth_m", minute, 0.0))
    assert crank.events("space/up")[-1] == ("cleared", 0)


def garage(*sensors: dict[str, Any]) -> Crank:
    """A car park with a north and a south entrance, crests of 30 cm."""
    doors = [entrance("north"), entrance("south")]
    return Crank(site(space("s", "car_park", entrances=doors, devices=list(sensors))), nowcast=False)


def test_a_report_of_the_inside_is_not_ended_by_a_dry_street() -> None:
    """The sensor inside is silent from minute 5 on; 60 cm are reported inside, and the street says 0 each minute."""
    crank = garage(device("in", depth_sensor()), device("out", depth_sensor("north")))
    for minute in range(100):
        acts = (report(1, "s", 10, by="Wang", depth_m=0.6),) if minute == 10 else ()
        inside: list[Reading] = [("in:water_depth_m", minute, 0.0)] if minute < 5 else []
        crank.tick(minute, ("out:water_depth_m", minute, 0.0), *inside, acts=acts)
    assert (crank.levels["s"], crank.events("space/s")) == (4, [("raised", 4), ("reason_added", 4)]), "and is blind"
    for minute in range(100, 103):
        crank.tick(minute, ("out:water_depth_m", minute, 0.0), ("in:water_depth_m", minute, 0.0))
    assert crank.levels["s"] == 0, "its own sensor has been heard"


def test_a_report_of_an_entrance_is_ended_by_no_other_entrance() -> None:
    crank = garage(device("out", depth_sensor("south")))
    crank.tick(0, acts=(report(1, "s", 0, minutes=10, entrance="north", depth_m=0.6),))
    for minute in range(1, 40):
        crank.tick(minute, ("out:water_depth_m", minute, 0.0))
    assert crank.levels["s"] == 4


def reported(*sensors: dict[str, Any]) -> Crank:
    """60 cm inside a garage, reported at minute 0; it expires at minute 10."""
    crank = garage(*sensors)
    crank.tick(0, acts=(report(1, "s", 0, minutes=10, depth_m=0.6),))
    return crank


def test_a_float_switch_that_tells_of_water_keeps_an_expired_report() -> None:
    """It hangs 10 cm over the floor and is lifted; the level sensor beside it says 0."""
    switch = device("fl", {"quantity": "float_lifted", "zero_level_m": -3.9})
    crank = reported(device("one", depth_sensor()), switch)
    for minute in range(1, 40):
        crank.tick(minute, ("one:water_depth_m", minute, 0.0), ("fl:float_lifted", minute, 1.0))
    assert crank.levels["s"] == 4
    for minute in range(40, 45):
        crank.tick(minute, ("one:water_depth_m", minute, 0.0), ("fl:float_lifted", minute, 0.0))
    assert not crank.engine.state.reports


@pytest.mark.parametrize(
    "pit",
    [
        device("pit", depth_sensor(zero_level_m=-4.5)),
        device("pit", depth_sensor(at="pit")),
        device("pit", {"quantity": "water_level_m"}),  # nobody says how deep it hangs
    ],
)
def test_a_report_is_ended_once_every_spot_of_its_place_was_heard(pit: dict[str, Any]) -> None:
    """The floor at -4.00 m, where one sensor is; another is half a metre lower, or has a name of its own."""
    key = sensor_key("pit", pit["sensors"][0].get("at", ""), pit["sensors"][0]["quantity"])
    crank = reported(device("floor", depth_sensor()), pit)
    for minute in range(1, 40):
        crank.tick(minute, ("floor:water_depth_m", minute, 0.0))
    assert crank.levels["s"] == 4, "the pit is silent"
    crank.tick(40, ("floor:water_depth_m", 40, 0.0), (key, 40, -4.0 if key.endswith("level_m") else 0.0))
    assert crank.engine.state.reports == {}


def test_another_probe_of_a_device_ends_no_report_of_a_silent_one() -> None:
    crank = reported(device("two", depth_sensor(at="pit"), depth_sensor(at="ramp")))
    for minute in range(1, 40):
        crank.tick(minute, ("two/ramp:water_depth_m", minute, 0.0))
    assert crank.levels["s"] == 4


def test_a_dead_sensor_keeps_no_report_that_another_of_its_spot_finds_dry() -> None:
    crank = reported(device("one", depth_sensor()), device("two", depth_sensor()))
    for minute in range(1, 11):
        assert crank.engine.state.reports
        crank.tick(minute, ("two:water_depth_m", minute, 0.0))
    assert crank.engine.state.reports == {}


@pytest.mark.parametrize(("value", "how"), [(0.02, 1), (0.3, 1), (0.3, 3)])
def test_a_sensor_that_tells_of_water_ends_no_report_nor_does_its_dry_neighbour(value: float, how: int) -> None:
    """Good or doubtful; 2 cm is water."""
    crank = reported(device("one", depth_sensor()), device("two", depth_sensor()))
    for minute in range(11, 40):
        crank.tick(minute, ("one:water_depth_m", minute, value, how), ("two:water_depth_m", minute, 0.0))
    assert (crank.levels["s"], len(crank.engine.state.reports)) == (4, 1)
    crank.tick(40, ("one:water_depth_m", 40, 0.019), ("two:water_depth_m", 40, 0.0))
    assert crank.engine.state.reports == {}


def test_below_yellow_an_expired_report_of_a_place_without_a_sensor_ends_with_the_next() -> None:
    crank = Crank(site(space("up", "underpass")), nowcast=False)
    seen = ((0, "Li", 0.06), (5, "Sun", 0.0), (30, "Wang", 0.12), (50, "Hu", 0.0))  # blue from 5 cm, yellow from 10
    left = []
    for number, (minute, by, depth_m) in enumerate(seen):
        crank.tick(minute, acts=(report(number, "up", minute, minutes=10, by=by, depth_m=depth_m),))
        left.append({found.by for found in crank.engine.state.reports.values()})
    assert left == [{"Li"}, {"Li", "Sun"}, {"Wang"}, {"Wang", "Hu"}]


def test_a_name_alone_corrects_nothing() -> None:
    """Two callers are entered as "保安": one saw 60 cm, one none. Who enters what he saw himself may correct it."""
    for phone, by, level in (("", "保安", 4), ("0755 1", "保安", 0), ("", "desk", 0)):
        crank = Crank(site(underpass()))
        for minute, depth_m in ((0, 0.6), (1, 0.0)):
            crank.tick(minute, acts=(report(minute + 1, "up", minute, by=by, phone=phone, depth_m=depth_m),))
        assert crank.levels["up"] == level
    other = report(3, "up", 2, by="保安", phone="0755 2", depth_m=0.5)
    crank.tick(2, acts=(other, report(4, "up", 2, by="保安", phone="0755-3", depth_m=0.0)))
    assert crank.levels["up"] == 4


def test_a_barrier_is_not_closed_by_an_older_word_under_the_same_name() -> None:
    crank = Crank(site(guarded("s", "car_park")))
    crank.tick(5, acts=(report(1, "s", 5, by="保安", phone="", entrance="north", barrier="open"),))
    crank.tick(6, acts=(report(2, "s", 3, by="保安", phone="", entrance="north", barrier="deployed"),))
    assert not crank.engine.state.closed_bits[0]


def test_reported_barrier_closes_a_silent_switch_until_it_expires() -> None:
    crank = Crank(site(guarded("s", "car_park")))
    for minute in (0, 1, 2):
        crank.tick(minute, ("s-out:water_depth_m", minute, 0.28))
    assert crank.levels["s"] >= 3
    said = report(1, "s", 3, minutes=5, entrance="north", barrier="deployed")
    crank.tick(3, ("s-out:water_depth_m", 3, 0.28), acts=(said,))
    assert bool(crank.engine.state.closed_bits[0])
    for minute in range(4, 9):
        crank.tick(minute, ("s-out:water_depth_m", minute, 0.28))
    assert not crank.engine.state.closed_bits[0], "expired at minute 8"


def test_fresh_switch_that_says_open_beats_a_report_and_a_reported_gap_beats_a_switch() -> None:
    crank = Crank(site(guarded("s", "car_park")))
    said = report(1, "s", 0, entrance="north", barrier="deployed")
    crank.tick(0, ("s-out:barrier_state", 0, 0.0), acts=(said,))
    assert not crank.engine.state.closed_bits[0]
    crank.tick(1, ("s-out:barrier_state", 1, 3.0))
    assert crank.engine.state.closed_bits[0]
    crank.tick(2, acts=(report(2, "s", 2, entrance="north", barrier="failed"),))
    assert not crank.engine.state.closed_bits[0]


def test_outside_depth_is_held_against_the_crest() -> None:
    crank = Crank(site(guarded("s", "car_park")))  # crest 30 cm: orange from water over it, barrier not known closed
    crank.tick(0, acts=(report(1, "s", 0, entrance="north", depth_m=0.32),))
    assert crank.levels["s"] == 4


def test_senseless_reports_say_nothing_and_stop_nothing() -> None:
    crank = Crank(site(underpass()))
    acts = (
        report(1, "nowhere", 0, depth_m=0.5),
        report(2, "up", 0, entrance="nowhere", depth_m=0.5),
        report(3, "up", 0, depth_m="deep"),
        report(4, "up", 0, depth_m=-1.0),
        report(5, "up", 0, barrier="deployed"),
        Act(6, "field_report", "space/up", "desk", 0, {"observed_at": "yesterday"}),
        Act(7, "rain_warning", "warning/1", "desk", 0, {"colour": "mauve"}),
    )
    crank.tick(0, acts=acts)
    assert crank.engine.state.reports == {}
    assert crank.engine.state.warnings == {}


def test_reports_survive_a_snapshot() -> None:
    crank = Crank(site(underpass()))
    crank.tick(0, acts=(report(1, "up", 0, depth_m=0.16),))
    arrays = crank.engine.plant.arrays
    assert load_state(dump_state(crank.engine.state, arrays), arrays).reports == crank.engine.state.reports


def test_what_a_confirmation_said_is_taken_back_where_it_still_stands() -> None:
    """A barrier confirmed by mistake closes nothing any more; who reported it since is believed."""
    crank = Crank(site(guarded("gar", "car_park")))
    said: dict[str, Any] = {"entrance": "north", "barrier": "deployed", "note": "order o-1 confirmed"}
    crank.tick(0, acts=(report(1, "gar", 0, **said),))
    assert list(crank.engine.state.reports) == ["gar/north/barrier"]
    crank.tick(1, acts=(report(2, "gar", 1, minutes=0, **{**said, "note": "order o-2 confirmed"}, taken_back=True),))
    assert list(crank.engine.state.reports) == ["gar/north/barrier"], "another order's"
    crank.tick(2, acts=(report(3, "gar", 2, minutes=0, **said, taken_back=True),))
    assert list(crank.engine.state.reports) == []
    mine = report(5, "gar", 3, by="Sun", entrance="north", barrier="deployed")
    crank.tick(3, acts=(report(4, "gar", 3, **said), mine))
    crank.tick(4, acts=(report(6, "gar", 4, minutes=0, **said, taken_back=True),))
    assert [found.by for found in crank.engine.state.reports.values()] == ["Sun"]
