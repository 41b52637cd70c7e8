"""From assessments and stock to who sends what where: due times, needs and priorities worked by hand."""

from __future__ import annotations

from math import inf
from typing import Any

import pytest

from risk.supplies.plan import Work, due_min, inflow_m3_s, needs_of, supply_plan
from tests.unit.risk.builders import NAMES, entrance, site, space

BARE = {"storage": [{"depth_m": 0.0, "area_m2": 2000.0}]}


def depot(name: str, lat: float, **stock: float) -> dict[str, Any]:
    held = [{"item": item.replace("_", "-"), "quantity": quantity} for item, quantity in stock.items()]
    return {"id": name, **NAMES, "street": "Futian", "lat": lat, "lon": 114.0, "stock": held}


def assessed(level: int = 2, score: float = 50.0, **evidence: Any) -> dict[str, Any]:
    return {"level": level, "score": score, "evidence": evidence}


def test_due_is_the_next_of_orange_and_red_and_the_earliest_foreseen() -> None:
    band = {"orange": {"earliest_min": 12.0}, "red": {"earliest_min": 30.0}}
    assert due_min(assessed(2, time_to_orange_min=20.0, ahead=band)) == 12.0
    assert due_min(assessed(3, time_to_red_min=25.0, ahead=band)) == 25.0
    assert due_min(assessed(4, ahead=band)) == inf
    assert due_min(assessed(1, ahead=None)) == inf


def test_inflow_is_the_weir_over_the_crest() -> None:
    """4 m at 20 cm of head: 1.7 * 4 * 0.0894 = 0.608 m³/s; the second entrance has 5 cm of freeboard left."""
    doors = [entrance("north"), entrance("south")]
    place = site(space("s", "car_park", entrances=doors)).spaces[0]
    rows = [{"entrance": "north", "freeboard_m": -0.2}, {"entrance": "south", "freeboard_m": 0.05}]
    assert inflow_m3_s(place, {"entrances": rows}) == pytest.approx(0.608, abs=0.001)


def test_needs_are_the_requirement_less_what_is_on_site() -> None:
    """4 m without a barrier: 10 * 3 * 1.5 = 45 bags, 20 of them there; 25 bags by two pairs: 25 / 4 = 6.25 min."""
    place = site(space("s", "car_park")).spaces[0]
    (need,) = needs_of(place, assessed(2, 61.0, time_to_orange_min=40.0), {("s", "sandbag"): 20.0})
    assert (need.item, need.quantity, need.due_min, need.deploy_min, need.priority) == (
        "sandbag",
        25.0,
        40.0,
        6.25,
        61.0,
    )


def test_closing_takes_people_minutes_and_boards() -> None:
    """A barrier: 2 people, 10 min. 4 m of wall: 4 people, 45 / 4 = 11.25 min; or 2 x 2 boards in 4 / (0.5 x 2) min."""
    doors = [entrance("north", barrier={"height_m": 0.6, "deploy_min": 10.0}), entrance("south")]
    world = site(space("s", "car_park", entrances=doors), space("dry", "car_park"))
    (work,) = supply_plan(world, {"s": assessed(2)}, {}).work
    assert work == Work("s", 6, 11.25, 4, 4.0)


def test_nearest_depot_in_time_sends() -> None:
    """A degree of latitude is 111.19 km: 0.009 degrees are 1 km: 10 + 1 * 1.3 / 20 * 60 = 13.9 min on the way."""
    world = site(
        space("near", "car_park", lat=22.509), space("dry", "car_park", lat=22.5),
        depot=[depot("d", 22.5, sandbag=100.0)],
    )  # fmt: skip
    stock = {("d", "sandbag"): 100.0}
    soon = {"near": assessed(2, time_to_orange_min=30.0), "dry": assessed(0)}
    found = supply_plan(world, soon, stock)
    (sent,) = found.plan.shipments
    assert (sent.depot, sent.space, sent.quantity) == ("d", "near", 45)
    assert sent.arrives_min == pytest.approx(13.9, abs=0.05)
    assert sent.leave_within_min == pytest.approx(30.0 - 45 / 4 - 13.9, abs=0.05)
    assert found.coverage.missing == (("near", "north"), ("dry", "north"))


@pytest.mark.parametrize(
    ("given", "late_min"),
    [
        (assessed(2, time_to_orange_min=20.0), 13.9 + 45 / 4 - 20.0),
        (assessed(3, time_to_red_min=20.0), 13.9 + 45 / 4 - 20.0),
        (assessed(4), 0.0),
    ],
)
def test_what_cannot_be_in_time_leaves_now_before_orange_before_red_and_at_red(
    given: dict[str, Any], late_min: float
) -> None:
    """At no time nothing, and "leave now" later."""
    world = site(space("s", "car_park", lat=22.509), depot=[depot("d", 22.5, sandbag=100.0)])
    plan = supply_plan(world, {"s": given}, {("d", "sandbag"): 100.0}).plan
    (sent,) = plan.shipments
    assert (sent.quantity, sent.leave_within_min, plan.unmet) == (45, 0.0, ())
    assert sent.late_min == pytest.approx(late_min, abs=0.05)


def test_work_and_plan_lay_in_the_same_time() -> None:
    """Three walls of 45 bags, two pairs at each: 45 / 4 = 11.25 min, due in 40: leave within 40 - 13.9 - 11.25."""
    doors = [entrance(name) for name in ("a", "b", "c")]
    world = site(space("s", "car_park", lat=22.509, entrances=doors), depot=[depot("d", 22.5, sandbag=200.0)])
    found = supply_plan(world, {"s": assessed(2, time_to_orange_min=40.0)}, {("d", "sandbag"): 200.0})
    (need,), (work,), (sent,) = found.needs, found.work, found.plan.shipments
    assert (need.quantity, need.deploy_min) == (135.0, 11.25)
    assert (work.people, work.minutes) == (12, 11.25)
    assert sent.leave_within_min == pytest.approx(40.0 - 13.9 - 11.25, abs=0.05)


def test_a_failed_barrier_is_walled_up_and_lost_power_asks_for_pumps_now() -> None:
    """15 cm over 4 m of crest: 1.7 * 4 * 0.15^1.5 = 0.395 m³/s, which the own pump lifts while it has power.

    Without: 0.395 / 0.03 = 14 pumps, 7 generators. The barrier has failed: 45 bags, as where there is none.
    """
    door = entrance("north", barrier={"height_m": 0.6, "deploy_min": 10.0})
    pump = {"id": "p", "capacity_m3_s": 1.0, "on_depth_m": 0.05, "off_depth_m": 0.02}
    world = site(
        space("s", "car_park", entrances=[door], pumps=[pump]),
        depot=[depot("d", 22.5, sandbag=500.0, mobile_pump=50.0, generator=50.0)],
    )
    stock = {("d", item): 500.0 for item in ("sandbag", "mobile-pump", "generator")}
    row = {"entrance": "north", "freeboard_m": -0.15, "barrier_out": True}
    found = supply_plan(world, {"s": assessed(4, entrances=[row], mains_lost=True)}, stock)
    sent = {one.item: (one.quantity, one.leave_within_min) for one in found.plan.shipments}
    assert sent == {"sandbag": (45, 0.0), "mobile-pump": (14, 0.0), "generator": (7, 0.0)}
    assert found.work == (Work("s", 4, 11.25, 4, 4.0),)
    whole = supply_plan(world, {"s": assessed(4, entrances=[row | {"barrier_out": False}], mains_lost=False)}, stock)
    assert whole.plan.shipments == ()


def test_all_spaces_can_be_asked_for() -> None:
    world = site(space("dry", "car_park"), depot=[depot("d", 22.5, sandbag=10.0)])
    assert supply_plan(world, {}, {("d", "sandbag"): 10.0}).needs == ()
    found = supply_plan(world, {}, {("d", "sandbag"): 10.0}, every=True)
    assert [(sent.quantity, sent.leave_within_min) for sent in found.plan.shipments] == [(10, inf)]
    assert [(left.quantity, left.why.value) for left in found.plan.unmet] == [(35, "no_stock")]
