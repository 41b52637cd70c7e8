"""Stairs, doors and fill times as people read them.

By hand (docs/hydraulics.md): 30 cm over the crest q = 0.279 m²/s, u = 4 m/s, M = 0.116 m²; a door of 0.8 m 177 N at
30 cm, 490 N at 50 cm. A car park of 2,000 m² with an entrance of 4 m and 20 cm over its crest takes 1.7 x 4 x 0.2^1.5 =
0.608 m³/s: red while it rises at 15 cm inside is 300 m³, 300 / 0.608 = 493 s = 8.2 min; where 16 cm stand and are not
seen to rise yet, 30 cm: 280 / 0.608 = 461 s = 7.7 min.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.risk.builders import Crank, guarded, site, underpass

OUT, IN, GATE = "s-out:water_depth_m", "s-in:water_depth_m", "s-out:barrier_state"


def people(kind: str, outside_m: float, inside_m: float | None = 0.0, gate: float = 0.0) -> dict[str, Any]:
    """The crest lies 30 cm over the road."""
    crank = Crank(site(guarded("s", kind)))
    inside = [] if inside_m is None else [(IN, 0.0, inside_m)]
    output = crank.tick(0, (OUT, 0, outside_m), *inside, (GATE, 0, gate))
    found = output.assessments[0].evidence["people"]
    return {f"{one['what']} {one['entrance'] or 'inside'}": one for one in found}


@pytest.mark.parametrize(
    ("outside_m", "force_m2", "stairs", "force_n", "door"),
    [
        (0.40, 0.011, "passable", 20, "opens"),  # 10 cm: u 2, q 0.0538, h 0.0269: 4 x 0.0269 / 9.81 + 0.0004
        (0.60, 0.116, "hard", 177, "opens"),
        (0.70, 0.223, "hard", 314, "not_fully"),  # 40 cm: u 5, q 0.430, h 0.0860: 25 x 0.0860 / 9.81 + 0.0037
        (0.80, 0.373, "impassable", 490, "blocked"),  # 50 cm: u 6, q 0.601, h 0.1002: 36 x 0.1002 / 9.81 + 0.0050
    ],
)
def test_stairs_and_door_by_the_water_over_the_crest(
    outside_m: float, force_m2: float, stairs: str, force_n: float, door: str
) -> None:
    found = people("mall", outside_m)
    assert found["stairs north"]["value"] == pytest.approx(force_m2, abs=0.0005)
    assert found["stairs north"]["verdict"] == stairs
    assert (found["door north"]["value"], found["door north"]["verdict"]) == (force_n, door)


def test_words_name_who_cannot_pass_in_both_languages() -> None:
    stairs = people("mall", 0.60)["stairs north"]
    assert "hard for elderly women, elderly men, women (force 0.116 m²)" in stairs["text_en"]
    assert "老年女性、老年男性、成年女性难以通行" in stairs["text_zh"]
    assert (stairs["sensor"], stairs["age_s"], stairs["fresh"]) == (OUT, 0.0, True)


def test_time_until_the_inside_is_red() -> None:
    fill = people("car_park", 0.50)["fill inside"]
    assert (fill["value"], fill["inflow_m3_s"], fill["unit"]) == (8.2, 0.608, "min")
    assert "Full to red in 8 min" in fill["text_en"]
    assert people("car_park", 0.50, inside_m=0.16)["fill inside"]["value"] == 7.7


def test_nothing_is_told_of_what_is_dry_unknown_or_behind_a_barrier() -> None:
    assert people("car_park", 0.29) == {}
    assert people("car_park", 0.50, gate=3.0) == {}, "40 cm below the top of the barrier"
    assert set(people("car_park", 0.50, inside_m=None)) == {"stairs north", "door north"}, "inside is not known"
    assert set(people("car_park", 0.0, inside_m=0.35)) == {"door inside"}
    crank = Crank(site(underpass()))
    assert crank.tick(0, ("up-lvl:water_depth_m", 0, 0.4)).assessments[0].evidence["people"] == []
