"""A device's status is a condition: what it said last within a tick, whatever the order of arrival."""

from __future__ import annotations

from itertools import permutations

from risk.presence import devices_by_status, presence_acts

DEVICES = devices_by_status({1: "d1:online", 2: "d1:water_depth_m", 3: "d2:online"})


def test_only_status_sensors_count() -> None:
    assert DEVICES == {1: "d1", 3: "d2"}
    assert presence_acts([(2, 10, 0.0)], DEVICES, 7, lambda _: 0) == []


def test_the_last_word_counts_in_any_order_and_the_worse_of_two_at_once() -> None:
    said = [(1, 10, 1.0), (1, 20, 0.0), (1, 20, 1.0), (3, 5, 1.0), (3, 4, 0.0)]
    for order in permutations(said):
        acts = presence_acts(order, DEVICES, 7, lambda _: 0)
        assert [(act.subject, act.body["is_active"], act.acted_us) for act in acts] == [
            ("device/d1/offline", True, 20),
            ("device/d2/offline", False, 5),
        ]


def test_a_word_older_than_the_last_one_is_history() -> None:
    said = [(1, 10, 0.0), (3, 10, 0.0)]
    acts = presence_acts(said, DEVICES, 7, {1: 11, 3: 10}.__getitem__)
    assert [act.subject for act in acts] == ["device/d2/offline"]
