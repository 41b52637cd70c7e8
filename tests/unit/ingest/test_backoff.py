"""Waits double, stay under their bound, and start again after a success."""

from __future__ import annotations

import random

from ingest.backoff import FIRST_S, LONGEST_S, Backoff


def test_waits_grow_within_their_bounds_and_reset() -> None:
    backoff = Backoff(random.Random(7))
    waits = [backoff.next_s() for _ in range(12)]
    for failures, wait_s in enumerate(waits):
        bound = min(LONGEST_S, FIRST_S * 2**failures)
        assert bound / 2 <= wait_s <= bound
    backoff.reset()
    assert backoff.next_s() <= FIRST_S


def test_two_workers_that_fail_together_do_not_return_together() -> None:
    assert Backoff(random.Random(1)).next_s() != Backoff(random.Random(2)).next_s()


def test_a_long_outage_does_not_overflow() -> None:
    backoff = Backoff(random.Random(7))
    assert all(backoff.next_s() <= LONGEST_S for _ in range(5000))
