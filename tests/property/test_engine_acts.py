"""Human acts are inputs like readings: the same acts in the same order give the same log, whatever else happened."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from risk.arrays import from_us, to_us
from risk.engine import Engine, plant_of
from risk.snapshot import dump_state, load_state
from risk.warnings import Act
from tests.property.test_engine import GATE, IN, OUT, RAIN, UP, a_site, log_of
from tests.unit.risk.builders import START, Crank

KINDS = ("rain_warning", "field_report", "acknowledge", "shelve", "unshelve", "stand_down", "out_of_service")

act = st.tuples(
    st.sampled_from(KINDS),
    st.sampled_from(["up", "s"]),
    st.sampled_from([0.0, 0.06, 0.16, 0.31]),
    st.sampled_from(["yellow", "orange", "red", "ended"]),
    st.sampled_from(["open", "deployed", "failed"]),
    st.integers(1, 12),
)
reading = st.tuples(
    st.sampled_from([UP, OUT, IN, GATE, RAIN]),
    st.floats(-1.5, 0.0),
    st.sampled_from([0.0, 0.05, 0.16, 0.29, 3.0]),
    st.sampled_from([1, 1, 1, 3, 4]),
)
ticks = st.lists(
    st.tuples(st.lists(reading, max_size=5), st.lists(act, max_size=3)),
    min_size=1,
    max_size=14,
)


def made(entry: tuple[Any, ...], seq: int, minute: int) -> Act:
    kind, space, depth, colour, barrier, minutes = entry
    at = START + timedelta(minutes=minute)
    bodies: dict[str, tuple[str, dict[str, Any]]] = {
        "rain_warning": (f"warning/{space}", {"state": "ended"} if colour == "ended" else {"colour": colour}),
        "field_report": (
            f"space/{space}",
            {
                "entrance": "north" if space == "s" else None, "depth_m": depth, "barrier": barrier, "by": colour,
                "observed_at": at.isoformat(), "expires_at": (at + timedelta(minutes=minutes)).isoformat(),
            },
        ),
        "out_of_service": (f"device/{space}-out", {"reason": "test", "minutes": minutes}),
    }  # fmt: skip
    subject, body = bodies.get(kind, (f"space/{space}", {"reason": "test", "minutes": minutes, "evidence": "seen"}))
    return Act(seq, kind, subject, "desk", to_us(at), body)


def play(
    feed: list[Any], *, restore_at: int | None = None, turned: bool = False, reordered: bool = False
) -> tuple[bytes, bytes]:
    crank = Crank(a_site())
    seq = 0
    for number, (readings, entries) in enumerate(feed):
        minute = number + 1
        if number == restore_at:
            data = dump_state(crank.engine.state, crank.engine.plant.arrays)
            plant = plant_of(a_site(), from_us(crank.engine.state.tick_us) if number else START)
            crank.engine = Engine(load_state(data, plant.arrays), plant)
        acts = tuple(made(entry, seq + place, minute) for place, entry in enumerate(entries, 1))
        seq += len(acts)
        rows = [(key, round(minute + at, 1), value, quality) for key, at, value, quality in readings]
        crank.tick(minute, *(rows[::-1] if turned else rows), acts=acts[::-1] if reordered else acts)
    return log_of(crank.outputs), dump_state(crank.engine.state, crank.engine.plant.arrays)


@settings(max_examples=30, deadline=None)
@given(feed=ticks, at=st.integers(0, 13))
def test_log_with_acts_survives_a_restart_and_any_order_of_arrival(feed: list[Any], at: int) -> None:
    plain = play(feed)
    assert play(feed, restore_at=at) == plain
    assert play(feed, turned=True, reordered=True) == plain


@settings(max_examples=20, deadline=None)
@given(feed=ticks, depth=st.sampled_from([0.06, 0.16, 0.31]), space=st.sampled_from(["up", "s"]))
def test_a_reported_depth_never_lowers_the_level_of_its_tick(feed: list[Any], depth: float, space: str) -> None:
    quiet, told = Crank(a_site()), Crank(a_site())
    for number, (readings, _) in enumerate(feed):
        minute = number + 1
        rows = [(key, round(minute + at, 1), value, quality) for key, at, value, quality in readings]
        last = number == len(feed) - 1
        entry = ("field_report", space, depth, "", None, 60)
        quiet.tick(minute, *rows)
        told.tick(minute, *rows, acts=(made(entry, 1, minute),) if last else ())
    for name, level in quiet.levels.items():
        assert told.levels[name] >= level
