"""Plans small enough to see the best one, and what must hold of every plan."""

from __future__ import annotations

import math
import random
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from risk.supplies import solve
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


def test_what_cannot_be_in_time_leaves_at_once() -> None:
    """20 min on the way and 15 of laying are 35: 5 after the due time."""
    needs = [Need("a", BAG, 10, 30.0, 15.0, 1.0), Need("a", "generator", 1, 30.0, 0.0, 1.0)]
    plan = dispatch(needs, {("d", BAG): 50.0}, {("d", "a"): 20.0})
    assert plan.shipments == (Shipment("d", "a", BAG, 10, 20.0, 0.0, 5.0),)
    assert plan.unmet == (Unmet("a", "generator", 1, Why.NO_STOCK),)


def test_what_comes_late_counts_half() -> None:
    """Ten bags for one of two: of equal score to who gets them in time, of over twice the score to who waits longer."""
    stock, minutes = {("d", BAG): 10.0}, {("d", "a"): 20.0, ("d", "b"): 20.0}
    for score, goes_to in ((1.0, "b"), (1.9, "b"), (2.1, "a")):
        needs = [Need("a", BAG, 10, 10.0, 0.0, score), Need("b", BAG, 10, 60.0, 0.0, 1.0)]
        (sent,) = dispatch(needs, stock, minutes).shipments
        assert (sent.space, sent.quantity) == (goes_to, 10)


def test_no_piece_is_withheld_where_its_good_is_slight() -> None:
    """60 spaces of score 90 and one of score 1 that wants 2,000: the depot has all of it."""
    needs = [Need(f"s{k:02}", BAG, 45, math.inf, 0.0, 90.0) for k in range(60)]
    needs.append(Need("z", BAG, 2000, math.inf, 0.0, 1.0))
    plan = dispatch(needs, {("d", BAG): 60 * 45 + 2000.0}, {("d", need.space): 20.0 for need in needs})
    assert plan.unmet == ()
    assert sum(sent.quantity for sent in plan.shipments) == 60 * 45 + 2000


def test_a_large_plan_is_found_with_bounded_work() -> None:
    """80 spaces, 6 depots, 3 items, all of it scarce: minutes of search for the very least travel, and no end."""
    rng = random.Random(1)
    spots = {name: (rng.uniform(0, 12), rng.uniform(0, 12)) for name in [f"s{k}" for k in range(80)]}
    depots = {f"d{k}": (rng.uniform(0, 12), rng.uniform(0, 12)) for k in range(6)}
    minutes = {(d, s): 10.0 + 3.9 * math.dist(at, spots[s]) for d, at in depots.items() for s in spots}
    needs = [
        Need(s, i, rng.randint(1, 200), rng.choice([math.inf, rng.uniform(15, 90)]), 5.0, rng.uniform(5, 95))
        for s in spots
        for i in ("bag", "pump", "board")
    ]
    stock = {(d, i): float(rng.randint(300, 1200)) for d in depots for i in ("bag", "pump", "board")}
    begun_s = time.process_time()
    plan = dispatch(needs, stock, minutes)
    assert time.process_time() - begun_s < 15.0, "about 1.5 s; without bounds not done after 88 s"
    assert plan == dispatch(needs[::-1], stock, minutes)
    assert 0.0 < plan.travel_gap < 0.1, "said, and slight"
    for item in ("bag", "pump", "board"):
        wanted = sum(need.quantity for need in needs if need.item == item)
        there = sum(quantity for (_, held), quantity in stock.items() if held == item)
        assert sum(sent.quantity for sent in plan.shipments if sent.item == item) == min(wanted, there)


def test_a_search_that_is_cut_short_still_sends_the_most(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(solve, "TIME_LIMIT_S", 0.0)
    needs = [Need(f"s{k}", BAG, 7 + k, math.inf, 0.0, 1.0 + k) for k in range(30)]
    minutes = {(d, need.space): 10.0 + k for d in ("a", "b") for k, need in enumerate(needs)}
    plan = dispatch(needs, {("a", BAG): 100.0, ("b", BAG): 101.0}, minutes)
    assert sum(sent.quantity for sent in plan.shipments) == 201
    assert plan.travel_gap > 0.0


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
def test_no_plan_sends_what_is_not_there_or_keeps_back_what_helps(seed: int) -> None:
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
        late = minutes[shipment.depot, shipment.space] + need.deploy_min - need.due_min
        assert shipment.late_min == pytest.approx(max(late, 0.0))
        assert shipment.leave_within_min == pytest.approx(max(-late, 0.0))
    for key, need in by_need.items():
        brought = sum(s.quantity for s in plan.shipments if (s.space, s.item) == key)
        open_ = sum(u.quantity for u in plan.unmet if (u.space, u.item) == key)
        assert brought + open_ == need.quantity
        spare = [
            d
            for d in depots
            if stock[d, need.item] > sum(s.quantity for s in plan.shipments if (s.depot, s.item) == (d, need.item))
            and (d, need.space) in minutes
        ]
        assert not (open_ and spare), "left open although a depot could still bring it"
