"""What a sensor that an import took out had said last stands at its place, until somebody there says otherwise."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from risk.arrays import to_us
from risk.engine import Engine, plant_of, with_site
from risk.left import Left
from risk.snapshot import dump_state, load_state, read_header
from risk.warnings import Act
from tests.unit.risk.builders import (
    NAMES,
    START,
    Crank,
    Reading,
    depth_sensor,
    device,
    entrance,
    gauge,
    site,
    space,
    underpass,
)  # fmt: skip
from tests.unit.risk.test_reports import report
from undercroft.site.model import Site

RAIN = "rain-1:rain_total_mm"
OUT, IN = "out:water_depth_m", "ins:water_depth_m"


def garage(
    *, out: str | None = "north", inside: str | None = "ins", doors: tuple[str, ...] = ("north", "south"), **extra: Any
) -> dict[str, Any]:
    """A car park (or another kind) with an outside sensor at some entrance and one inside, each perhaps missing."""
    devices = [device("out", depth_sensor(out))] if out else []
    devices += [device(inside, depth_sensor())] if inside else []
    kind = extra.pop("kind", "car_park")
    return space("gar", kind, entrances=[entrance(name) for name in doors], devices=devices, **extra)


def at(minute: float, kind: str, seq: int, subject: str = "space/gar", **body: Any) -> Act:
    return Act(seq, kind, subject, "Sun", to_us(START + timedelta(minutes=minute)), body)


class Place(Crank):
    """The car park, under readings that are said every minute."""

    def __init__(self, of: Site) -> None:
        super().__init__(of, nowcast=False)
        self.rain_mm = 0.0

    @property
    def shown(self) -> tuple[int, int]:
        """Level, and severity of the alarm."""
        row = self.engine.plant.arrays.space_index["gar"]
        return self.levels["gar"], int(self.engine.state.alarm_severity[row])

    def go(self, minutes: int, acts: tuple[Act, ...] = (), mm: float = 0.0, **depths_m: Any) -> tuple[int, int]:
        """Go on some minutes, the acts in the first; return what is shown after them."""
        for number in range(minutes):
            minute = len(self.outputs)
            self.rain_mm += mm
            known = self.engine.plant.arrays.sensor_index
            said: list[Reading] = [(f"{name}:water_depth_m", minute, value) for name, value in depths_m.items()]
            said += [(RAIN, minute, self.rain_mm)] if RAIN in known else []
            self.tick(minute, *said, acts=acts if number == 0 else ())
        return self.shown

    def take(self, of: Site) -> None:
        """Take another version of the site, and a restart after it."""
        seq = self.engine.state.site_commit_seq + 1
        self.engine = with_site(self.engine, of, seq, START + timedelta(minutes=len(self.outputs)))
        data = dump_state(self.engine.state, self.engine.plant.arrays)
        plant = plant_of(of, START, Left.from_json(read_header(data)["left"]))
        self.engine = Engine(load_state(data, plant.arrays), plant)


def flooded(**depths_m: Any) -> Place:
    place = Place(site(garage()))
    assert place.go(8, **depths_m) == (4, 4)
    return place


def test_the_outside_sensor_clears_no_water_inside() -> None:
    place = flooded(out=0.0, ins=0.4)
    place.take(site(garage(inside=None)))
    assert place.go(40, out=0.0) == (4, 4)
    assert place.go(3, (report(1, "gar", 48, by="Wang", depth_m=0.0),), out=0.0) == (4, 4), "nor who finds it dry"
    place.take(site(garage(inside="new")))
    assert place.go(30, out=0.0) == (4, 4), "it has not spoken yet"
    place.go(1, out=0.0, new=0.0)
    assert place.go(15, out=0.0) == (0, 4), "one good reading is not enough"
    assert place.go(15, out=0.0, new=0.0) == (0, 0)


@pytest.mark.parametrize("doors", [("north", "south"), ("main", "south"), ("south",)])
def test_the_inside_sensor_clears_no_water_outside(doors: tuple[str, ...]) -> None:
    """25 cm over the crest: its sensor is taken out, its entrance renamed, its entrance walled up."""
    place = flooded(out=0.55, ins=0.0)
    place.take(site(garage(out="main" if "main" in doors else None, doors=doors)))
    calm: dict[str, Any] = {"out": 0.0} if "main" in doors else {}
    assert place.go(40, ins=0.0, **calm) == (4, 4)
    down = at(48, "stand_down", 1, evidence="the street is dry, photo 4")
    place.go(1, (down,), ins=0.0, **calm)
    assert place.go(20, ins=0.0, **calm) == (0, 0)
    assert not place.engine.plant.arrays.left


@pytest.mark.parametrize("kind", ["metro_entrance", "car_park"])
def test_water_at_an_entrance_that_is_gone_is_no_water_inside(kind: str) -> None:
    """12 cm on the street, 18 cm below the crest: no more than it was, wherever the entrance went."""
    place = Place(site(garage(kind=kind)))
    before = place.go(8, out=0.12, ins=0.0)
    assert before[0] <= 2
    place.take(site(garage(kind=kind, out="main", doors=("main", "south"))))
    assert place.go(10, out=0.12, ins=0.0) == before
    place.take(site(garage(kind=kind, out=None, doors=("south",))))
    assert place.go(2, ins=0.0) == before


def test_a_word_that_was_stood_down_does_not_come_back_with_tidying_up() -> None:
    place = Place(site(space("gar", "underpass", devices=[device("ins", depth_sensor())])))
    assert place.go(5, ins=0.5) == (4, 4)
    place.go(35)
    place.go(50, (at(40, "stand_down", 1, evidence="washed away, photo 1"),))
    assert place.shown[1] == 0
    place.take(site(space("gar", "underpass")))
    place.go(30)
    assert place.shown == (0, 0)


def test_a_report_at_an_entrance_that_is_renamed_stands() -> None:
    """5 cm over an open crest: orange, and one up, since the barrier is needed."""
    place = Place(site(garage()))
    seen = report(1, "gar", 1, by="Wang", entrance="north", depth_m=0.35)
    place.go(1, out=0.0, ins=0.0)
    assert place.go(1, (seen,), out=0.0, ins=0.0) == (4, 4)
    place.take(site(garage(out="main", doors=("main", "south"))))
    assert place.go(30, out=0.0, ins=0.0) == (4, 4)
    assert place.outputs[-1].tick_us < to_us(START + timedelta(minutes=61))
    assert place.go(45, out=0.0, ins=0.0) == (4, 4), "it expired, and nothing is heard from that entrance"
    down = at(77, "stand_down", 2, evidence="north is walled up")
    assert place.go(2, (down,), out=0.0, ins=0.0) == (0, 0)
    assert not place.engine.plant.arrays.left


def rainy(minutes: int = 30) -> Place:
    """3 mm a minute: 30 mm in ten minutes, orange."""
    place = Place(site(garage(), gauges=[gauge()]))
    assert place.go(minutes, mm=3.0, out=0.0, ins=0.0) == (3, 3)
    return place


def test_a_gauge_that_is_renamed_goes_on() -> None:
    place = rainy()
    place.take(site(garage(), gauges=[gauge() | {"id": "roof"}]))
    assert place.go(1, out=0.0, ins=0.0) == (3, 3)
    assert place.engine.state.rain_kept == {}
    place.go(20, mm=3.0, out=0.0, ins=0.0)
    assert place.engine.state.acc_mm[0, 1] == pytest.approx(30.0)
    assert place.go(90, out=0.0, ins=0.0) == (0, 0)


def test_a_basin_that_is_renamed_with_its_gauge_goes_on() -> None:
    place = rainy()
    basins = [{"id": "b9", **NAMES}]
    place.take(site(garage(basin="b9"), gauges=[gauge(basin="b9")], basin=basins))
    assert place.go(3, mm=3.0, out=0.0, ins=0.0) == (3, 3)
    assert place.engine.state.rain_kept == {}


@pytest.mark.parametrize(
    "after",
    [
        site(garage(), gauges=[]),
        site(garage(), gauges=[gauge("other")]),
        site(garage(basin="b2"), gauges=[gauge()]),
        site(garage(basin="b2"), gauges=[gauge(), gauge("other", "b2")]),
    ],
    ids=["gauge taken out", "another gauge", "basin without gauge", "basin with another"],
)
def test_rain_stands_until_a_gauge_has_measured_the_hour_since(after: Site) -> None:
    place = rainy()
    place.take(after)
    place.go(1, out=0.0, ins=0.0)
    assert place.shown == (3, 3)
    (found,) = [entry for entry in place.outputs[-1].assessments if entry.space_id == "gar"]
    reason = found.reasons[0]
    assert (reason["rule"], reason["value"], reason["sensor"]) == ("rain-10min", 30.0, RAIN)
    for minute in range(31, 120):
        other = (
            [("other:rain_total_mm", minute, 0.0)]
            if "other:rain_total_mm" in place.engine.plant.arrays.sensor_index
            else []
        )
        dry: list[Reading] = [(OUT, minute, 0.0), (IN, minute, 0.0), *other]
        place.tick(minute, *dry)
        if minute < 88:
            assert place.shown == (3, 3), minute
    assert place.shown == ((0, 0) if other else (3, 3))


def test_a_device_out_of_service_stays_so_whatever_its_entrance_is_called() -> None:
    place = Place(site(garage()))
    place.go(2, out=0.0, ins=0.0)
    gone = at(2, "out_of_service", 1, "device/out", reason="painted", minutes=120)
    place.go(1, (gone,), out=0.9, ins=0.0)
    place.take(site(garage(out="main", doors=("main", "south"))))
    assert place.go(5, out=0.9, ins=0.0) == (0, 0)
    place.take(site(garage(out=None)))
    place.take(site(garage()))
    assert place.go(5, out=0.9, ins=0.0) == (0, 0), "taken out and put back"
    assert place.go(120, out=0.9, ins=0.0)[1] == 4, "its time is over"


def test_in_the_calm_nothing_is_left() -> None:
    place = Place(site(garage(), underpass("up")))
    place.go(3, out=0.03, ins=0.0)
    place.take(site(garage(out="main", inside=None, doors=("main", "south")), underpass("up")))
    assert not place.engine.plant.arrays.left


def test_a_sensor_that_comes_back_to_its_place_speaks_for_itself() -> None:
    place = flooded(out=0.0, ins=0.4)
    place.take(site(garage(inside=None)))
    assert place.go(5, out=0.0) == (4, 4)
    place.take(site(garage()))
    assert not place.engine.plant.arrays.left
    assert place.go(5, out=0.0) == (4, 4)
    assert place.go(25, out=0.0, ins=0.0) == (0, 0)


def test_two_lifted_switches_and_a_lower_one_that_hangs_down() -> None:
    """The switch at 10 cm goes; one at 30 cm that hangs down says nothing of it, one at 5 cm does."""

    def of(*heights: float) -> Site:
        switches = [
            device(f"f{round(100 * m)}", {"quantity": "float_lifted", "zero_level_m": -4.0 + m}) for m in heights
        ]
        return site(space("gar", "car_park", entrances=[entrance()], devices=switches))

    place = Place(of(0.1))
    place.tick(0, ("f10:float_lifted", 0, 1.0))
    assert place.shown == (3, 3)
    place.take(of(0.3))
    for minute in range(1, 30):
        place.tick(minute, ("f30:float_lifted", minute, 0.0))
    assert place.shown == (3, 3)
    place.take(of(0.3, 0.05))
    for minute in range(30, 60):
        place.tick(minute, ("f30:float_lifted", minute, 0.0), ("f5:float_lifted", minute, 0.0))
    assert place.shown[1] == 0


def test_what_an_earlier_version_kept_without_what_is_missed_is_read() -> None:
    """Version 17 kept no `missed` at first, and an upgrade carries its memory on (`risk.follower`)."""
    assert Left.from_json({"sensors": [], "entrances": []}) == Left()
