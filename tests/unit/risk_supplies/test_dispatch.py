"""Plans small enough to see the best one, and what must hold of every plan."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from risk.supplies.dispatch import DispatchPlan, Need, Shipment, Unmet, Why, dispatch

BAG = "sandbag"


def test_the_near_depot_serves_whoever_cannot_wait() -> None:
    needs = [Need("a", BAG, 100, 30.0, 5.0, 1.0), Need("b", BAG, 100, 60.0, 5.0, 1.0)]
    stock = {("near", BAG): 120.0, ("far", BAG): 100.0}
    minutes = {("near", "a"): 20.0, ("near", "b"): 20.0, ("far", "a"): 40.0, ("far", "b"): 40.0}
    assert dispatch(needs, stock, minutes) == DispatchPlan(
        (Shipment("far", "b", BAG, 100, 40.0, 15.0), Shipment("near", "a", BAG, 100, 20.0, 5.0)), ()
    )


def test_what_is_short_goes_to_the_higher_priority_and_the_rest_is_named() -> None:
    needs = [Need("a", BAG, 50, math.inf, 0.0, 1.0), Need("b", BAG, 50, math.inf, 0.0, 3.0)]
    plan = dispatch(needs, {("d", BAG): 70.0}, {("d", "a"): 10.0, ("d", "b"): 30.0})
    assert [(s.space, s.quantity) for s in plan.shipments] == [("a", 20), ("b", 50)]
    assert plan.unmet == (Unmet("a", BAG, 30, Why.NO_STOCK),)


def test_too_late_is_told_from_no_stock() -> None:
    needs = [Need("a", BAG, 10, 30.0, 15.0, 1.0), Need("a", "generator", 1, 30.0, 0.0, 1.0)]
    plan = dispatch(needs, {("d", BAG): 50.0}, {("d", "a"): 20.0})
    assert plan.shipments == ()
    assert plan.unmet == (Unmet("a", "generator", 1, Why.NO_STOCK), Unmet("a", BAG, 10, Why.TOO_LATE))


def test_a_depot_without_a_way_there_is_named_as_such() -> None:
    assert dispatch([Need("a", BAG, 5, math.inf, 0.0, 1.0)], {("d", BAG): 9.0}, {}).unmet[0].why is Why.OUT_OF_REACH


def test_one_trip_from_one_depot_beats_two() -> None:
    needs = [Need("a", BAG, 10, math.inf, 0.0, 1.0), Need("a", "generator", 1, math.inf, 0.0, 1.0)]
    stock = {("one", BAG): 10.0, ("one", "generator"): 1.0, ("two", BAG): 10.0}
    plan = dispatch(needs, stock, {("one", "a"): 20.0, ("two", "a"): 15.0})
    assert {shipment.depot for shipment in plan.shipments} == {"one"}


def test_nothing_needed_and_nothing_there() -> None:
    assert dispatch([], {}, {}) == DispatchPlan((), ())
    assert dispatch([Need("a", BAG, 1.5, math.inf, 0.0, 1.0)], {}, {}).unmet == (Unmet("a", BAG, 2, Why.NO_STOCK),)


@pytest.mark.parametrize(
    ("quantity", "due", "deploy", "priority", "word"),
    [
        (0.0, 1.0, 0.0, 1.0, "quantity"),
        (1.0, math.nan, 0.0, 1.0, "due_min"),
        (1.0, 1.0, -1.0, 1.0, "deploy_min"),
        (1.0, 1.0, 0.0, 0.0, "priority"),
    ],
)
def test_impossible_needs_are_refused(quantity: float, due: float, deploy: float, priority: float, word: str) -> None:
    with pytest.raises(ValueError, match=word):
        Need("a", BAG, quantity, due, deploy, priority)


@settings(max_examples=60)
@given(st.integers(0, 10_000))
def test_no_plan_sends_what_is_not_there_or_comes_too_late(seed: int) -> None:
    rng = random.Random(seed)
    spaces, depots, items = ["s1", "s2", "s3"], ["d1", "d2"], [BAG, "mobile-pump"]
    needs = [
        Need(
            s,
            i,
            rng.randint(1, 60),
            rng.choice([math.inf, rng.uniform(5, 90)]),
            rng.uniform(0, 20),
            rng.uniform(0.5, 5),
        )
        for s in spaces
        for i in items
        if rng.random() < 0.8
    ]
    stock = {(d, i): float(rng.randint(0, 80)) for d in depots for i in items}
    minutes = {(d, s): rng.uniform(5, 60) for d in depots for s in spaces if rng.random() < 0.9}
    plan = dispatch(needs, stock, minutes)
    assert plan == dispatch(needs[::-1], stock, minutes)
    by_need = {(need.space, need.item): need for need in needs}
    for holding, there in stock.items():
        assert sum(s.quantity for s in plan.shipments if (s.depot, s.item) == holding) <= there
    for shipment in plan.shipments:
        need = by_need[shipment.space, shipment.item]
        assert shipment.quantity > 0
        assert minutes[shipment.depot, shipment.space] + need.deploy_min <= need.due_min
    for key, need in by_need.items():
        brought = sum(s.quantity for s in plan.shipments if (s.space, s.item) == key)
        open_ = sum(u.quantity for u in plan.unmet if (u.space, u.item) == key)
        assert brought + open_ == need.quantity
        spare = [
            d
            for d in depots
            if stock[d, need.item] > sum(s.quantity for s in plan.shipments if (s.depot, s.item) == (d, need.item))
            and (d, need.space) in minutes
            and minutes[d, need.space] + need.deploy_min <= need.due_min
        ]
        assert not (open_ and spare), "left open although a depot could still bring it in time"
