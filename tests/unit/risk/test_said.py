"""What people confirm beside depths and barriers: it may raise, is shown with who said so, and ends when it expires."""

from __future__ import annotations

from typing import Any

import pytest

from risk.snapshot import dump_state, load_state
from tests.unit.risk.builders import Crank, guarded, site, space
from tests.unit.risk.test_reports import report
from tests.unit.risk.test_rules_beside import rules

PEOPLE = {"exposure": {"people_day": 200, "people_night": 200}}


def rising(crank: Crank, minutes: range, **extra: float) -> None:
    for minute in minutes:
        more = [(f"s-in:{name}", minute, value) for name, value in extra.items()]
        crank.tick(minute, ("s-in:water_depth_m", minute, 0.003 * minute), *more)


def test_a_pump_that_is_said_to_run_does_not_cope_when_the_water_rises_on() -> None:
    crank = Crank(site(guarded("s", "car_park")))
    rising(crank, range(1))
    crank.tick(1, ("s-in:water_depth_m", 1, 0.003), acts=(report(1, "s", 1, pump="running"),))
    rising(crank, range(2, 6))
    assert "pump-not-coping" not in rules(crank, "s")
    rising(crank, range(6, 7))
    reason = rules(crank, "s")["pump-not-coping"]
    assert (reason["value"], reason["sensor"], reason["severity"]) == (5, "report:Li", 1)
    assert "reported by Li" in reason["text_en"]


def test_a_fresh_pump_sensor_beats_the_word() -> None:
    crank = Crank(site(guarded("s", "car_park", pump=True)))
    crank.tick(0, ("s-in:water_depth_m", 0, 0.0), acts=(report(1, "s", 0, pump="running"),))
    rising(crank, range(1, 9), pump_running=0.0)
    assert "pump-not-coping" not in rules(crank, "s")


def people(crank: Crank) -> float:
    (found,) = crank.outputs[-1].assessments
    factors = {entry["factor"]: entry for entry in found.contributions["factors"]}
    return float(factors["people"]["x"])


def entrance(name: str) -> dict[str, Any]:
    return {
        "id": name, "name_zh": name, "name_en": name, "width_m": 6.0, "crest_level_m": 0.3, "roadway_level_m": 0.0,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "said", "gone"),
    [
        ("mall", [{"evacuated": True}], True),
        ("mall", [{"evacuated": True}, {"evacuated": False}], False),  # somebody is still inside
        ("mall", [{"closed": True}], False),  # nobody comes in; those inside are still there
        ("underpass", [{"closed": True}], True),
        ("underpass", [{"closed": True, "entrance": "a"}], False),  # closed on one side only
        ("underpass", [{"closed": True, "entrance": "a"}, {"closed": True, "entrance": "b"}], True),
    ],
)
def test_where_nobody_is_people_add_nothing_to_the_score(kind: str, said: list[dict[str, Any]], *, gone: bool) -> None:
    crank = Crank(site(space("s", kind, entrances=[entrance("a"), entrance("b")], **PEOPLE)))
    crank.tick(0)
    full, score = people(crank), crank.outputs[-1].assessments[0].score
    assert full == pytest.approx(0.632, abs=1e-3)  # 1 - exp(-200 / 200)
    acts = tuple(report(seq, "s", seq, minutes=30, **body) for seq, body in enumerate(said, start=1))
    crank.tick(3, acts=acts)
    assert people(crank) == (0.0 if gone else full)
    now = crank.outputs[-1].assessments[0]
    assert (now.score < score) == gone
    assert now.level == 0
    assert [entry["by"] for entry in now.evidence["reports"]] == ["Li"] * len({str(b.get("entrance")) for b in said})
    arrays = crank.engine.plant.arrays
    assert load_state(dump_state(crank.engine.state, arrays), arrays).reports == crank.engine.state.reports
    crank.tick(40)
    assert people(crank) == full, "it expired"
    assert crank.outputs[-1].assessments[0].evidence["reports"] == []
