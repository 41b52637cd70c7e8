"""Nonsense among the words of a rain counter: it hides no rain that the true words tell of, and is no rain itself."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from risk.arrays import FloatArray, SiteArrays, to_us
from risk.evidence import Samples, fold
from risk.state import fresh_state
from tests.unit.risk.builders import START, site, underpass
from undercroft.rain_counter import most_mm

ARRAYS = SiteArrays.from_site(site(underpass()), START)
RAIN = ARRAYS.sensor_index["rain-1:rain_total_mm"]
WINDOWS_US = np.array([5, 10, 60]) * 60_000_000
GOOD, SUSPECT = 1, 3

Word = tuple[int, float, int]
"""Second, value [mm], quality."""


def depths(words: list[Word], at_s: set[int]) -> dict[int, FloatArray]:
    """Return what the engine takes for the rain of 5, 10 and 60 min after each of some words. [mm]"""
    state, found = fresh_state(ARRAYS, 1), {}
    for second, value, quality in sorted(words):
        at_us = to_us(START) + second * 1_000_000
        one = Samples(np.array([RAIN]), np.array([at_us]), np.array([value]), np.array([quality], np.int8))
        fold(state, ARRAYS, one, at_us)
        if second in at_s:
            found[second] = state.acc_mm[0].copy()
    return found


def true_words(start_mm: float, steps: list[tuple[int, float]]) -> list[Word]:
    words = [(0, start_mm, GOOD)]
    for minutes, mm in steps:
        words.append((words[-1][0] + 60 * minutes, words[-1][1] + mm, GOOD))
    return words


def nonsense(true: list[Word], drawn: list[tuple[int, float, str, float, int]]) -> list[Word]:
    """Return words that do not fit the true one before: over 5 mm below it, or more than an hour can bring above."""
    found: dict[int, Word] = {}
    for which, share, kind, size, quality in drawn:
        place = which % (len(true) - 1)
        (from_s, stands, _), (to_s, *_) = true[place], true[place + 1]
        second = from_s + 1 + int(share * (to_s - from_s - 2))
        value = {"fixed": size, "below": stands * min(size / 30_000.0, 1.0), "above": stands + 400.0 + size}[kind]
        if value < stands - 5.0 or value > stands + 400.0:
            found[second] = (second, value, quality)
    return list(found.values())


sort = st.one_of(
    st.tuples(st.just("fixed"), st.sampled_from([0.0, 1.0, 25.0, 9999.0, 9999.5, 65535.0])),
    st.tuples(st.sampled_from(["below", "above"]), st.floats(0.0, 30_000.0)),
)
words_of_nonsense = st.lists(
    st.tuples(st.integers(0, 11), st.floats(0.0, 1.0), sort, st.sampled_from([GOOD, GOOD, SUSPECT])).map(
        lambda drawn: (drawn[0], drawn[1], *drawn[2], drawn[3])
    ),
    max_size=14,
)
steps = st.lists(st.tuples(st.integers(1, 8), st.sampled_from([0.0, 0.5, 1.0, 7.0, 30.0])), min_size=1, max_size=7)


@settings(max_examples=150, deadline=None)
@example(
    start_mm=300.0,
    steps=[(11, 35.0), (1, 1.0)],
    drawn=[(0, 0.9, "fixed", 9999.0, GOOD), (1, 0.5, "fixed", 0.0, GOOD)],
)
@example(
    start_mm=300.0,
    steps=[(8, 30.0), (1, 1.0)],
    drawn=[(0, 0.5, "fixed", 0.0, GOOD), (0, 0.9, "fixed", 9999.0, GOOD)],
)
@example(
    start_mm=300.0,
    steps=[(8, 30.0), (1, 1.0)],
    drawn=[(0, n / 9, "fixed", value, GOOD) for n, value in enumerate((9999.0, 9999.5, 0.0, 1.0, 65535.0, 65535.0))],
)
@given(start_mm=st.sampled_from([8.0, 40.0, 300.0, 1200.0]), steps=steps, drawn=words_of_nonsense)
def test_nonsense_of_any_sorts_hides_no_rain_and_makes_no_more_than_can_fall(
    start_mm: float, steps: list[tuple[int, float]], drawn: list[tuple[int, float, str, float, int]]
) -> None:
    true = true_words(start_mm, steps)
    at_s = {second for second, *_ in true}
    alone, beside = depths(true, at_s), depths(true + nonsense(true, drawn), at_s)
    for second in sorted(at_s):
        assert (beside[second] >= alone[second] - 1e-6).all(), (
            f"lost at {second} s: {beside[second]} of {alone[second]}"
        )
        assert (beside[second] <= most_mm(WINDOWS_US)).all(), f"more than can fall at {second} s: {beside[second]}"


@settings(max_examples=60, deadline=None)
@given(
    start_mm=st.sampled_from([300.0, 1200.0]),
    steps=steps,
    drawn=st.lists(st.tuples(st.integers(0, 11), st.floats(0.0, 1.0), st.sampled_from([GOOD, SUSPECT])), max_size=14),
)
def test_words_that_cannot_be_are_no_rain(
    start_mm: float, steps: list[tuple[int, float]], drawn: list[tuple[int, float, int]]
) -> None:
    """Each over 305 mm, the most of an hour, above the true word and above every other: none bears another out."""
    true = true_words(start_mm, steps)
    odd = [(which, share, "above", 1000.0 * number, how) for number, (which, share, how) in enumerate(drawn[::-1])]
    at_s = {second for second, *_ in true}
    words = nonsense(true, odd)
    apart = sorted(value for _, value, _ in words)
    assert all(above - below > 305.0 for below, above in pairwise(apart))
    alone, beside = depths(true, at_s), depths(true + words, at_s)
    for second in at_s:  # all of it lies within the hour
        assert beside[second][2] == pytest.approx(alone[second][2], abs=1e-6)


def test_an_hour_of_rain_is_an_hour_at_any_pace() -> None:
    """By hand: 1 mm a minute for 70 minutes, told every 10, 24, 30 or 60 s: 60 mm in the last hour."""
    for pace_s in (10, 24, 30, 60):
        words = [(second, 300.0 + second / 60.0, GOOD) for second in range(0, 4201, pace_s)]
        assert depths(words, {4200})[4200] == pytest.approx([5.0, 10.0, 60.0])
