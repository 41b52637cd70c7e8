"""Observed floods run storm by storm: each asks a library of floods that had ended, at its true time."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

import risk.hindcast.compare as compare_module
import risk.hindcast.history as history_module
from risk.ahead import Question
from risk.arrays import BoolArray, to_us
from risk.engine import Engine, question
from risk.hindcast.compare import floodnet_cases, road_ticks
from risk.hindcast.floodnet_csv import Event
from risk.hindcast.history import DAY_S, START, each_alone, storm_by_storm, storms
from risk.nowcast.track import Track
from risk.past.known import Known
from risk.past.traces import Traces
from tests.unit.risk_nowcast.floods import rain_flood, tidal_flood
from tests.unit.risk_past.kit import of_tracks


def event(track: Track) -> Event:
    at = (START + timedelta(seconds=track.started_at_s)).replace(tzinfo=None)
    return Event(track.sensor_id, at.isoformat(), at, track)


def a_year() -> list[Event]:
    """A flood of 13 cm every ten days, the last with a neighbour five minutes later."""
    floods = [rain_flood(10 * DAY_S * day + 3600.0, 0.13) for day in range(30)]
    return [event(track) for track in (*floods, rain_flood(290 * DAY_S + 3900.0, 0.13, "rain-2", 1.0))]


def test_no_flood_of_later_is_in_a_library_and_every_flood_is_run_once() -> None:
    events = a_year()
    (batch,) = storm_by_storm(events, 30)
    history = batch.history
    assert history is not None
    assert sorted(batch.ids.tolist()) == list(range(31))
    for road, k in enumerate(batch.ids.tolist()):
        past = history.pasts[history.of_road[road]]
        began_us = to_us(START) + round(1e6 * events[k].track.started_at_s)
        known = [flood.ended_us for flood in past.library.floods]
        assert max(known, default=0) < began_us
        learned_s = events[k].track.started_at_s // (30 * DAY_S) * 30 * DAY_S
        assert len(known) == sum(one.track.ended_at_s <= learned_s for one in events)
        assert history.shift_us[road] + round(1e6 * batch.offset_s[road]) == round(1e6 * events[k].track.started_at_s)
    assert list(storms(events))[-1] == [29, 30]


def test_a_site_that_always_stopped_short_is_given_less_false_alarms() -> None:
    """Without history the last floods of 13 cm raise orange by forecast; with two dozen like them known they do not."""
    events = a_year()
    with_it, alone = (
        floodnet_cases(events, of, (), 0.15, 3) for of in (storm_by_storm(events, 30), each_alone(events))
    )
    (batch,) = storm_by_storm(events, 30)
    foreseen = [int(tick.answer.floods.max(initial=0)) for tick in road_ticks(events, batch, ())]
    assert max(foreseen) > 10
    assert np.isnan(with_it.crossing_s).all()
    assert np.isfinite(with_it.fired_s).sum() < np.isfinite(alone.fired_s).sum()


def test_what_was_made_for_one_library_changes_nothing_in_another() -> None:
    """Rain and tides, overlapping neighbours; the later library has floods that overlapped those of the earlier one."""
    rain = [rain_flood(10 * DAY_S * k + 1200.0 * place, 0.1 + 0.01 * k, f"rain-{place}", float(place))
            for k in range(12) for place in range(3)]  # fmt: skip
    tide = [tidal_flood(k, 0.2 + 0.01 * k) for k in range(1, 30)]
    tracks = sorted([*rain, *tide], key=lambda one: one.ended_at_s)
    shared = Traces()
    for upto in (20, 21, 40, len(tracks)):
        library = of_tracks(tracks[:upto])
        first, alone = Known.of(library, shared), Known.of(library)
        assert first.mean_peak_m.tolist() == alone.mean_peak_m.tolist()
        for kind in (False, True):
            one, other = first.kinds[kind], alone.kinds[kind]
            assert one.tree.data.tolist() == other.tree.data.tolist()
            for name in ("rise_m", "rate_m_10min", "flood", "sample"):
                assert getattr(one, name).tolist() == getattr(other, name).tolist()


def test_floods_that_are_over_are_not_asked_about_and_nothing_else_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first flood's samples end while the road is under water."""
    first, *rest = a_year()
    track = first.track
    cut = Track(track.sensor_id, track.started_at_s, track.time_s[:20], track.depth_m[:20], 0.0, 0.0, tidal=False)
    events = [event(cut), *rest]

    def run() -> tuple[list[float], int, list[float]]:
        asked, said = 0, list[float]()
        (batch,) = storm_by_storm(events, 30)
        ends = [events[k].track.time_s[-1] for k in batch.ids.tolist()] + batch.offset_s
        for tick in road_ticks(events, batch, ()):
            asked += tick.asked.spaces.size
            running = tick.now_s <= ends[tick.answer.spaces]
            said += tick.answer.probability[running].ravel().tolist()
        return floodnet_cases(events, storm_by_storm(events, 30), (), 0.15, 3).fired_s.tolist(), asked, said

    def of_all(engine: Engine, among: BoolArray | None = None) -> Question:
        del among
        return question(engine)

    fired, asked, said = run()
    monkeypatch.setattr(compare_module, "question", of_all)
    fired_of_all, asked_of_all, said_of_all = run()
    np.testing.assert_array_equal(fired, fired_of_all)
    np.testing.assert_allclose(said, said_of_all, rtol=1e-12)
    assert asked < asked_of_all


def test_a_storm_is_foreseen_the_same_alone_and_beside_storms_of_other_months(monkeypatch: pytest.MonkeyPatch) -> None:
    events = a_year()

    def foreseen() -> dict[tuple[int, int], list[float]]:
        found = {}
        for batch in storm_by_storm(events, 30):
            for tick in road_ticks(events, batch, ()):
                for row, road in enumerate(tick.answer.spaces.tolist()):
                    at_s = round(tick.now_s - float(batch.offset_s[road]))
                    found[int(batch.ids[road]), at_s] = tick.answer.probability[row].ravel().tolist()
        return found

    together = foreseen()
    monkeypatch.setattr(history_module, "EVENTS_AT_ONCE", 1)
    assert len(list(storm_by_storm(events, 30))) == 30
    alone = foreseen()
    assert alone.keys() == together.keys()
    np.testing.assert_allclose([alone[key] for key in together], list(together.values()), rtol=1e-12)
