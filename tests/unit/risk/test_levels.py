"""The trigger table of domain notes 1.5, row by row: the last value below and the first that reaches each level."""

from __future__ import annotations

import pytest

from tests.unit.risk.builders import START, Crank, depth_sensor, device, entrance, guarded, site, space, underpass


def level_of(of: dict[str, object], *readings: tuple[str, float]) -> int:
    """Level after steady readings for ten minutes, so that nothing rises."""
    crank = Crank(site(of))
    for minute in (0, 4, 8, 12):
        crank.tick(minute, *[(key, minute, value) for key, value in readings])
    return crank.levels[str(of["id"])]


@pytest.mark.parametrize(
    ("depth_m", "level"),
    [(0.0, 0), (0.049, 0), (0.05, 1), (0.099, 1), (0.10, 2), (0.149, 2), (0.15, 3), (0.269, 3), (0.27, 4), (3.0, 4)],
)
def test_underpass_depth(depth_m: float, level: int) -> None:
    assert level_of(underpass(), ("up-lvl:water_depth_m", depth_m)) == level


# Crest 50 cm over the roadway: freeboard 30, 15, 5 cm is 20, 35, 45 cm of water; red is 20 cm over the crest.
@pytest.mark.parametrize(
    ("depth_m", "level"),
    [(0.19, 0), (0.20, 1), (0.34, 1), (0.35, 2), (0.44, 2), (0.45, 3), (0.69, 3), (0.70, 4)],
)
@pytest.mark.parametrize("kind", ["metro_entrance", "mall"])
def test_metro_and_mall_outside(kind: str, depth_m: float, level: int) -> None:
    of = guarded("s", kind, crest=0.5)
    of["entrances"][0]["barrier_needed"] = False
    if kind == "mall" and level == 4:
        assert level_of(of, ("s-out:water_depth_m", depth_m)) == 3
        assert level_of(of, ("s-out:water_depth_m", 0.80)) == 4
        return
    assert level_of(of, ("s-out:water_depth_m", depth_m)) == level


@pytest.mark.parametrize("kind", ["metro_entrance", "mall"])
@pytest.mark.parametrize(("inside_m", "level"), [(0.019, 0), (0.02, 3), (0.099, 3), (0.10, 4)])
def test_metro_and_mall_any_inflow(kind: str, inside_m: float, level: int) -> None:
    assert level_of(guarded("s", kind), ("s-in:water_depth_m", inside_m)) == level


# Crest 40 cm over the roadway: freeboard 15 and 5 cm is 25 and 35 cm; at the crest water flows in.
@pytest.mark.parametrize("kind", ["car_park", "civil_defence"])
@pytest.mark.parametrize(("depth_m", "level"), [(0.24, 0), (0.25, 1), (0.34, 1), (0.35, 2), (0.39, 2), (0.40, 3)])
def test_garage_outside(kind: str, depth_m: float, level: int) -> None:
    of = guarded("s", kind, crest=0.4)
    of["entrances"][0]["barrier_needed"] = False
    assert level_of(of, ("s-out:water_depth_m", depth_m)) == level


@pytest.mark.parametrize(("inside_m", "level"), [(0.049, 0), (0.05, 3), (0.15, 3), (0.299, 3), (0.30, 4)])
def test_garage_inside(inside_m: float, level: int) -> None:
    assert level_of(guarded("s", "car_park"), ("s-in:water_depth_m", inside_m)) == level


def test_garage_is_red_at_15_cm_only_while_rising() -> None:
    crank = Crank(site(guarded("s", "car_park")))
    for minute, depth in enumerate((0.10, 0.12, 0.14, 0.15)):
        crank.tick(minute, ("s-in:water_depth_m", minute, depth))
    assert crank.levels["s"] == 4
    reasons = crank.outputs[-1].assessments[0].reasons
    assert (reasons[0]["rule"], reasons[0]["value"], reasons[0]["threshold"]) == ("inside-depth-rising", 0.15, 0.15)


def test_barrier_top_counts_only_while_deployed() -> None:
    deployed = level_of(guarded("s", "metro_entrance"), ("s-out:water_depth_m", 0.3), ("s-out:barrier_state", 3.0))
    unverified = level_of(guarded("s", "metro_entrance"), ("s-out:water_depth_m", 0.3), ("s-out:barrier_state", 2.0))
    unknown = level_of(guarded("s", "metro_entrance"), ("s-out:water_depth_m", 0.3))
    assert deployed == 0, "the barrier top is 60 cm over the crest"
    assert unverified == unknown == 4, "orange by freeboard, one up for the barrier that is needed"


def test_low_crest_on_a_dry_road_is_no_alarm() -> None:
    assert level_of(guarded("s", "metro_entrance", crest=0.05), ("s-out:water_depth_m", 0.019)) == 0


def test_level_sensor_and_zero_level_are_turned_to_depth_over_the_road() -> None:
    low = entrance(roadway_level_m=10.0, crest=10.5, barrier_needed=False)
    by_level = space(
        "s", "mall", entrances=[low], devices=[device("d", {"quantity": "water_level_m", "entrance": "north"})]
    )
    assert level_of(by_level, ("d:water_level_m", 10.45)) == 3
    sunk = space("s", "mall", entrances=[low], devices=[device("d", depth_sensor("north", zero_level_m=9.9))])
    assert level_of(sunk, ("d:water_depth_m", 0.55)) == 3
    assert level_of(sunk, ("d:water_depth_m", 0.54)) == 2


def test_threshold_set_overrides_from_its_day_on() -> None:
    row = {"rule": "inside-depth", "space": "up", "severity": "orange", "value": 8.0, "unit": "cm", "source": "local"}
    chosen = {"id": "t1", "author": "bureau", "source": "trial", "rows": [row]}
    crank = Crank(site(underpass(), threshold_set=[chosen | {"valid_from": "2026-07-01T08:02:00Z"}]))
    for minute in range(3):
        crank.tick(minute, ("up-lvl:water_depth_m", minute, 0.09))
        assert crank.levels["up"] == (1 if minute < 2 else 3)
    reason = crank.outputs[-1].assessments[0].reasons[0]
    assert (reason["threshold"], reason["source"]) == (0.08, "local (t1, bureau)")
    assert START.minute == 0


@pytest.mark.parametrize("scope", [{}, {"kind": "underpass"}, {"space": "up"}])
def test_a_threshold_for_all_a_kind_or_a_space_works(scope: dict[str, str]) -> None:
    """Blind after 1 missed interval of 5 minutes in place of 3, and orange at 40 cm in place of 15."""
    rows = [
        {"rule": "blind", "severity": "yellow", "value": 1.0, "unit": "intervals", "source": "x", **scope},
        {"rule": "inside-depth", "severity": "orange", "value": 0.4, "unit": "m", "source": "x", **scope},
        {"rule": "inside-depth", "severity": "red", "value": 0.6, "unit": "m", "source": "x", **scope},
    ]
    chosen = {"id": "t", "author": "a", "source": "s", "valid_from": "2026-01-01T00:00:00Z", "rows": rows}
    crank = Crank(site(underpass(), underpass("other"), threshold_set=[chosen] if rows else []), nowcast=False)
    interval_min = crank.engine.plant.arrays.sensors[-1].interval_dry_s / 60
    crank.tick(0, ("up-lvl:water_depth_m", 0, 0.3), ("other-lvl:water_depth_m", 0, 0.0), ("rain-1:rain_total_mm", 0, 0))
    assert crank.levels["up"] == 2, "30 cm: red by the defaults"
    late = 1.5 * interval_min
    crank.tick(late, ("rain-1:rain_total_mm", late - 1, 0), ("rain-1:rain_total_mm", late, 5))
    blind = {
        space.id: bool(is_blind)
        for space, is_blind in zip(crank.engine.plant.arrays.spaces, crank.engine.state.blind, strict=True)
    }
    assert blind == {"up": True, "other": "space" not in scope}
