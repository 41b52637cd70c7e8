"""Scores, shortage, snapshot, site changes, and the canonical log."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from risk.arrays import to_us
from risk.canonical import canonical_log, log_sha256
from risk.engine import with_site
from risk.forecast import filled_m3, storage_of
from risk.hydraulics.storage import StorageCurve
from risk.score import WEIGHTS
from risk.shortage import reach_of, requirements, shortage_of_spaces, stock_in_hand
from risk.snapshot import dump_state, load_state
from risk.supplies.dispatch import Why
from risk.supplies.plan import supply_plan
from risk.supplies.requirement import space_requirement
from risk.supplies.stock import listed_stock
from risk.warnings import Act
from tests.unit.risk.builders import START, Crank, Reading, device, entrance, gauge, guarded, site, space, underpass


def test_score_is_the_product_formula_and_contributions_add_up() -> None:
    crank = Crank(site(guarded("s", "car_park")))
    for minute in range(8):
        crank.tick(
            minute, ("s-out:water_depth_m", minute, 0.03 * minute), ("rain-1:rain_total_mm", minute, 3.0 * minute)
        )
    entry = crank.outputs[-1].assessments[0]
    factors = entry.contributions["factors"]
    left = 1.0
    for factor in factors:
        assert factor["weight"] == WEIGHTS[factor["factor"]]
        left *= 1.0 - factor["weight"] * factor["x"]
    assert entry.score == pytest.approx(100.0 * (1.0 - left), abs=0.2)
    assert sum(factor["points"] for factor in factors) == pytest.approx(entry.score, abs=0.1)


def test_score_never_changes_level() -> None:
    rich = guarded("s", "car_park") | {"exposure": {"people_day": 5000, "people_night": 5000, "power_room": True}}
    levels = []
    for of in (guarded("s", "car_park"), rich):
        crank = Crank(site(of))
        crank.tick(0, ("s-in:water_depth_m", 0, 0.06))
        levels.append((crank.levels["s"], crank.outputs[0].assessments[0].score))
    assert levels[0][0] == levels[1][0] == 3
    assert levels[1][1] > levels[0][1]


def test_a_red_by_report_comes_before_a_yellow_by_sensor() -> None:
    """Level 4 of 4: the margin is 1, so that at least 60 of 100 stand; 16 cm outside are yellow."""
    crank = Crank(site(guarded("s", "car_park"), guarded("t", "car_park")), nowcast=False)
    said = Act(9, "field_report", "space/s", "li", to_us(START), {"by": "li", "depth_m": 0.6})
    found = {
        entry.space_id: entry
        for minute in range(4)
        for entry in crank.tick(
            minute, *((f"{name}-in:water_depth_m", minute, 0.0) for name in "st"), ("s-out:water_depth_m", minute, 0.0),
            ("t-out:water_depth_m", minute, 0.16), acts=(said,) if minute == 0 else (),
        ).assessments
    }  # fmt: skip
    assert (found["s"].level, found["t"].level) == (4, 2)
    assert found["s"].score >= 60.0
    assert found["s"].score > found["t"].score


def test_the_newer_of_a_sensors_count_and_a_persons_is_in_hand() -> None:
    """100 wanted. The sensor counts 100, a person later 0, one brings 40; then the sensor speaks again: 70."""
    holder = guarded("s", "car_park") | {"requirements": [{"item": "sandbag", "quantity": 100}]}
    holder["devices"].append(device("shelf", {"quantity": "stock_sandbag"}))
    crank = Crank(site(holder), nowcast=False)

    def short_after(hour: int, *readings: Reading, **body: object) -> float:
        act = Act(
            hour, "stock_movement", "space/s", "li", to_us(START + timedelta(hours=hour)), {"item": "sandbag"} | body
        )
        crank.tick(60 * hour, *readings, acts=(act,) if body else ())
        return float(crank.engine.state.shortage[0])

    assert short_after(0, ("shelf:stock_sandbag", 0, 100.0)) == 0.0
    assert short_after(30, counted=0) == 1.0
    restored = load_state(dump_state(crank.engine.state, crank.engine.plant.arrays), crank.engine.plant.arrays)
    assert stock_in_hand(restored, crank.engine.plant.arrays) == {("s", "sandbag"): 0.0}
    assert short_after(31, quantity=40) == pytest.approx(0.6)
    assert short_after(32, ("shelf:stock_sandbag", 32 * 60, 70.0)) == pytest.approx(0.3)
    assert short_after(33, quantity=-20) == pytest.approx(0.5), "of what the sensor counted"


def test_sandbags_and_shortage_by_hand() -> None:
    # 4 m by 36 cm: 10 a layer, 3 layers, half again: 45. Two spaces want 45 and have 0 and 15: 75 short, depot has 30.
    # The depot covers 40 % of what is lacking: 60 % of 45/45, and 60 % of 30/45.
    bare, some = space("a", "car_park"), space("b", "car_park", stock=[{"item": "sandbag", "quantity": 15}])
    depot = {"id": "d", "name_zh": "库", "name_en": "Depot", "street": "x", "lat": 22.5, "lon": 114.0,
             "stock": [{"item": "sandbag", "quantity": 30}]}  # fmt: skip
    of = site(bare, some, depot=[depot])
    assert dict(space_requirement(of.spaces[0]).items) == {"sandbag": 45.0}
    stock, needs, reach = listed_stock(of), requirements(of.spaces, {0: (), 1: ()}), reach_of(of, of.spaces)
    assert shortage_of_spaces(of.spaces, reach, needs, stock).tolist() == pytest.approx([0.6, 0.4])
    assert shortage_of_spaces(of.spaces, reach, needs, stock | {("d", "sandbag"): 75.0}).tolist() == [
        0.0,
        0.0,
    ]


def test_a_depot_out_of_reach_is_as_none_in_the_score_and_in_the_plan() -> None:
    """45 bags lacking at Shenzhen; Beijing, 1,940 km away, has 100: in 10 + 1940 x 1.3 / 20 x 60 min."""
    depot = {"id": "beijing", "name_zh": "库", "name_en": "Depot", "street": "x", "lat": 39.9, "lon": 116.4,
             "stock": [{"item": "sandbag", "quantity": 100}]}  # fmt: skip
    crank = Crank(site(space("a", "car_park"), depot=[depot]), nowcast=False)
    of = crank.engine.plant.arrays.site
    assert crank.engine.state.shortage.tolist() == [1.0]
    for level in (2, 4):
        plan = supply_plan(of, {"a": {"level": level, "score": 50.0, "evidence": {}}}, listed_stock(of)).plan
        assert plan.shipments == ()
        assert [(left.quantity, left.why) for left in plan.unmet] == [(45, Why.OUT_OF_REACH)]


def test_a_depot_in_reach_of_all_is_kept_for_those_that_no_other_reaches() -> None:
    """45 each lacking at 22.5 and 22.7 degrees (22 km); a depot 22 km beyond the second reaches that alone, 97 min."""
    place = {"name_zh": "库", "name_en": "Depot", "street": "x", "lon": 114.0}
    stock = [{"item": "sandbag", "quantity": 45}]
    near, north = space("a", "car_park"), space("b", "car_park", lat=22.7)
    depots = [place | {"id": "d1", "lat": 22.6, "stock": stock}, place | {"id": "d2", "lat": 22.9, "stock": stock}]
    assert Crank(site(near, north, depot=depots), nowcast=False).engine.state.shortage.tolist() == [0.0, 0.0]


def test_storage_over_many_curves_is_the_single_curve() -> None:
    rows = [{"depth_m": 0.0, "area_m2": 10.0}, {"depth_m": 2.0, "area_m2": 30.0}]
    crank = Crank(site(space("a", "mall", storage=rows), underpass()))
    storage = storage_of(crank.engine.plant.arrays)
    curve = StorageCurve.from_rows([(0.0, 10.0), (2.0, 30.0)])
    for depth in (0.0, 0.5, 1.0, 2.0, 3.0):
        assert storage.volume_at_m3(np.array([0]), np.array([depth]))[0] == pytest.approx(
            float(curve.volume_at_m3(depth))
        )
    assert storage.volume_at_m3(np.array([0]), np.array([1.0]))[0] == 15.0
    assert storage.volume_at_m3(np.array([1]), np.array([0.1]))[0] == 200.0
    assert filled_m3(np.array([1.0]), np.array([[-3.0, 2.0, 2.0]])).tolist() == [[0.0, 2.0, 4.0]]


def test_forecast_fills_the_inside_over_the_crest() -> None:
    # Domain notes 3.3: 2000 m², 6 m ramp, 20 cm over the crest: 15 cm inside in 5.5 min, 30 cm in 11 min.
    wide = guarded("s", "car_park", crest=0.3) | {"floor_level_m": -4.0}
    wide["entrances"][0]["width_m"] = 6.0
    crank = Crank(site(wide))
    for minute in (0, 10, 20):
        crank.tick(minute, ("s-out:water_depth_m", minute, 0.5), ("s-in:water_depth_m", minute, 0.0))
    assert crank.engine.state.red_min[0] == 6.0, "what fills rises: red at 15 cm, in whole minutes"
    evidence = crank.outputs[-1].assessments[0].evidence
    assert evidence["time_to_red_min"] is None, "red already: one up from orange, for the barrier is not closed"
    assert evidence["time_to_orange_min"] is None, "orange already: water stands over an open crest"


def test_changed_site_keeps_what_both_versions_know() -> None:
    crank = Crank(site(underpass(), underpass("old")))
    for minute in range(3):
        crank.tick(minute, ("up-lvl:water_depth_m", minute, 0.2), ("old-lvl:water_depth_m", minute, 0.2))
    crank.engine = with_site(crank.engine, site(underpass("new"), underpass()), 7, START)
    crank.tick(3)
    assert crank.levels["new"] == 0
    assert crank.levels["up"] == 3
    assert crank.engine.state.site_commit_seq == 7
    crank.tick(4, ("up-lvl:water_depth_m", 4, 0.3))
    assert crank.events("space/up") == [("raised", 3), ("severity_up", 4)]


def test_assessments_come_with_changes_and_every_five_minutes() -> None:
    crank = Crank(site(underpass()))
    written = [len(crank.tick(minute, ("rain-1:rain_total_mm", minute, 0.0)).assessments) for minute in range(21)]
    assert written == [1, 0, 0, 0, 0] * 4 + [1]
    assert len(crank.tick(20.5, ("up-lvl:water_depth_m", 20.4, 0.05)).assessments) == 1


def test_a_space_above_normal_is_written_every_minute_with_the_number_of_now() -> None:
    crank = Crank(site(underpass()))
    depths = [0.06, 0.061, 0.062, 0.063]  # blue from 5 cm; the score hardly moves
    for minute, depth in enumerate(depths):
        crank.tick(minute, ("up-lvl:water_depth_m", minute, depth), ("rain-1:rain_total_mm", minute, 0.0))
        crank.tick(minute + 0.5)
    written = [(output.assessments[0].reasons[0]["value"]) for output in crank.outputs if output.assessments]
    assert written == depths


def test_canonical_log_is_sorted_and_free_of_ids() -> None:
    reason = {"rule": "inside-depth", "severity": 3, "value": 0.15000001, "unit": "m", "threshold": 0.15}
    at = datetime(2026, 7, 1, 8, 0, tzinfo=UTC)
    event = {"tick_at": at, "subject": "space/b", "event_no": 2, "occurrence": 1, "kind": "raised", "severity": 3,
             "reasons": [reason], "detail": {}, "tick_seq": 99}  # fmt: skip
    text = canonical_log([event, event | {"event_no": 1, "reasons": []}, event | {"subject": "space/a"}])
    lines = text.decode().splitlines()
    assert '"subject":"space/a"' in lines[0]
    assert '"event_no":1' in lines[1]
    assert "tick_seq" not in text.decode()
    assert '"value":0.15}' in lines[0]
    assert '"tick_at":"2026-07-01T08:00:00Z"' in lines[0]
    assert len(log_sha256(text)) == 64


def test_barrier_word_survives_a_failed_reading() -> None:
    crank = Crank(site(guarded("s", "mall"), gauges=[gauge()]))
    crank.tick(0, ("s-out:barrier_state", 0, 20.0, 4))
    assert crank.outputs[0].assessments[0].evidence["entrances"][0]["barrier"] == "unknown"
    assert entrance()["id"] == "north"
