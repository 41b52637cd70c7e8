"""Acts on alarms, one tick a minute: an underpass that rises to orange (16 cm) or red (30 cm) and falls."""

from __future__ import annotations

from typing import Any

import pytest

from risk.arrays import to_us
from risk.snapshot import dump_state, load_state
from risk.warnings import Act
from tests.unit.risk.builders import START, Crank, gauge, site, underpass
from tests.unit.risk.test_alarms import ONLY_DEPTH

SUBJECT = "space/up"


class Night(Crank):
    """A crank with the depth rules only, and acts."""

    def __init__(self) -> None:
        super().__init__(site(underpass(), gauges=[gauge()], threshold_set=ONLY_DEPTH))
        self.minute = -1

    def go(self, depth_m: float | None, *acts: tuple[str, dict[str, Any]], subject: str = SUBJECT) -> list[str]:
        self.minute += 1
        at = to_us(START) + self.minute * 60_000_000
        entered = tuple(Act(self.minute * 10 + n, kind, subject, "li", at, body) for n, (kind, body) in enumerate(acts))
        readings = [] if depth_m is None else [("up-lvl:water_depth_m", float(self.minute), depth_m)]
        output = self.tick(self.minute, *readings, acts=entered)
        self.rows = {row.subject: row for row in output.alarms}
        return [event.kind for event in output.events]

    def why(self) -> str:
        return str(self.outputs[-1].events[-1].detail["why"])


def raised(depth_m: float) -> Night:
    night = Night()
    night.go(depth_m)
    night.go(depth_m)
    return night


SHELVE = ("shelve", {"reason": "pump test", "minutes": 20})
ACK = ("acknowledge", {"comment": "mine"})


def test_acknowledged_until_it_rises() -> None:
    night = raised(0.16)
    assert night.go(0.16, ACK) == ["acknowledged"]
    assert night.rows[SUBJECT].acknowledged
    assert night.outputs[-1].events[0].detail == {"author": "li", "comment": "mine"}
    assert night.go(0.16, ACK) == ["refused"]
    assert night.why() == "it is acknowledged already"
    assert night.go(0.30) == ["severity_up"]
    assert not night.rows[SUBJECT].acknowledged


def test_who_acknowledges_in_the_minute_of_the_rise_had_not_seen_it() -> None:
    night = raised(0.16)
    assert night.go(0.30, ACK) == ["acknowledged", "severity_up"]
    assert not night.engine.state.alarm_acked[0]


def test_an_alarm_that_ends_unacknowledged_is_latched() -> None:
    night = raised(0.16)
    kinds = [kind for _ in range(12) for kind in night.go(0.0)]
    assert kinds == ["cleared"]
    assert night.engine.state.alarm_latched[0]
    assert night.go(0.0, ACK) == ["acknowledged"]
    row = night.rows[SUBJECT]
    assert (row.active, row.latched, row.acknowledged) == (False, False, True)
    assert night.go(0.0, ("shelve", {"reason": "x", "minutes": 5})) == ["refused"]


@pytest.mark.parametrize(
    ("depth_m", "act", "why"),
    [
        (0.30, SHELVE, "a red alarm cannot be shelved"),
        (0.16, ("shelve", {"minutes": 20}), "shelving needs a reason"),
        (0.16, ("shelve", {"reason": "x", "minutes": 31}), "shelving lasts more than 0 and at most 30 minutes now"),
        (0.16, ("shelve", {"reason": "x"}), "shelving lasts more than 0 and at most 30 minutes now"),
        (0.11, ("shelve", {"reason": "x", "minutes": 481}), "shelving lasts more than 0 and at most 480 minutes now"),
        (0.16, ("unshelve", {}), "it is not shelved"),
        (0.16, ("stand_down", {"evidence": " "}), "a stand-down names its evidence"),
        (0.0, ACK, "there is no alarm to acknowledge"),
        (0.0, ("stand_down", {"evidence": "x"}), "there is no alarm to stand down"),
    ],
)
def test_acts_that_cannot_be(depth_m: float, act: tuple[str, dict[str, Any]], why: str) -> None:
    night = raised(depth_m)
    before = int(night.engine.state.alarm_severity[0])
    assert night.go(depth_m, act) == ["refused"]
    assert night.why() == why
    assert int(night.engine.state.alarm_severity[0]) == before
    assert SUBJECT not in night.rows


def test_shelving_ends_by_the_clock() -> None:
    night = raised(0.16)
    assert night.go(0.16, SHELVE) == ["shelved"]  # minute 2, until 22
    assert night.rows[SUBJECT].shelved_us == to_us(START) + 22 * 60_000_000
    kinds = [night.go(0.16) for _ in range(20)]
    assert kinds == [[]] * 19 + [["unshelved"]]
    assert night.outputs[-1].events[0].detail == {"by": "expiry"}


def test_rising_severity_ends_shelving() -> None:
    night = raised(0.16)
    night.go(0.16, SHELVE)
    assert night.go(0.30) == ["unshelved", "severity_up"]
    assert night.rows[SUBJECT].shelved_us is None


def test_shelving_never_stops_the_watching() -> None:
    shelved, plain = raised(0.16), raised(0.16)
    shelved.go(0.16, SHELVE)
    plain.go(0.16)
    for depth_m in [0.16, 0.1, 0.0, *[0.0] * 12]:
        shelved.go(depth_m)
        plain.go(depth_m)
    quiet = {"shelved", "unshelved"}
    assert [e for e in shelved.events() if e[0] not in quiet] == plain.events()


def test_a_stand_down_holds_until_new_evidence() -> None:
    night = raised(0.30)
    night.go(None)  # the sensor is washed away
    assert night.go(None, ("stand_down", {"evidence": "crew on site, dry"})) == ["stood_down"]
    row = night.rows[SUBJECT]
    assert (row.active, row.severity, row.acknowledged) == (False, 4, True)
    assert [night.go(None) for _ in range(5)] == [[]] * 5
    assert night.go(0.30) == ["raised"]
    assert night.rows[SUBJECT].occurrence == 2


@pytest.mark.parametrize("quality", [1, 3])
def test_a_sensor_whose_clock_is_an_hour_slow_undoes_a_stand_down(quality: int) -> None:
    """It counts when a reading came, not only what its clock said: one of the same tick may be older than the act."""
    night = Night()
    minutes = iter(range(99))

    def go(depth_m: float, *acts: Act) -> list[str]:
        minute = next(minutes)
        output = night.tick(minute, ("up-lvl:water_depth_m", minute - 60.0, depth_m, quality), acts=acts)
        return [event.kind for event in output.events]

    assert [go(0.3 + 0.01 * number) for number in range(3)].count(["raised"]) == 1
    assert go(0.33, Act(5, "stand_down", SUBJECT, "li", to_us(START) + 180_000_000, {"evidence": "x"})) == [
        "stood_down"
    ]
    assert go(0.34) == ["raised"]


def test_out_of_service_counts_as_missing_never_as_normal() -> None:
    night = raised(0.30)
    out = ("out_of_service", {"reason": "moved", "minutes": 30})
    assert night.go(0.0, out, subject="device/up-lvl") == []
    kinds = [kind for _ in range(29) for kind in night.go(0.0)]
    assert "cleared" not in kinds
    assert night.engine.state.alarm_severity[0] == 4
    kinds = [kind for _ in range(15) for kind in night.go(0.0)]  # the thirty minutes are over: it is heard again
    assert "cleared" in kinds


def test_the_memory_of_acts_survives_a_restart() -> None:
    night = raised(0.16)
    night.go(0.16, ACK, SHELVE)
    engine = night.engine
    again = load_state(dump_state(engine.state, engine.plant.arrays), engine.plant.arrays)
    assert again.alarm_acked[0]
    assert again.alarm_shelved_us[0] == engine.state.alarm_shelved_us[0]
