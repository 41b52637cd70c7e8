"""Observed floods run storm by storm: each asks a library of floods that had ended, at its true time."""

from __future__ import annotations

from datetime import timedelta

import numpy as np

from risk.arrays import to_us
from risk.hindcast.compare import floodnet_cases, road_ticks
from risk.hindcast.floodnet_csv import Event
from risk.hindcast.history import DAY_S, START, each_alone, storm_by_storm, storms
from risk.nowcast.track import Track
from tests.unit.risk_nowcast.floods import rain_flood


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
