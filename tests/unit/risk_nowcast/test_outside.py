"""What must hold of the forecast whatever the floods: it knows nothing of the future, and is a probability."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from risk.hydraulics.arrays import FloatArray
from risk.nowcast.outside import OutsideNowcast, Target
from risk.nowcast.track import Track
from tests.unit.risk_nowcast.floods import season, tidal_flood

TARGET = Target(0.15, 1800.0)


def forecasts(tracks: list[Track]) -> dict[tuple[str, float], FloatArray]:
    return {(f.track.sensor_id, f.track.started_at_s): f.probability for f in OutsideNowcast(TARGET).run(tracks)}


def with_other_future(track: Track, now_s: float, rng: np.random.Generator, *, cut: bool) -> Track:
    """The same track up to now; after it nothing, or anything."""
    past = track.at_s <= now_s
    end = slice(None, int(past.sum())) if cut else slice(None)
    depth_m = np.where(past, track.depth_m, rng.uniform(0.0, 0.8, past.size))[end]
    return Track(track.sensor_id, track.started_at_s, track.time_s[end], depth_m, track.x_km, track.y_km, track.tidal)


@settings(max_examples=8)
@given(st.integers(0, 1000), st.floats(0.05, 0.95), st.booleans())
def test_the_future_never_changes_a_forecast(seed: int, share: float, cut: bool) -> None:
    floods = season(seed, tides=16, rains=8)
    busy = floods[int(share * len(floods))]
    now_s = float(busy.at_s[busy.at_s.size // 2])
    rng = np.random.default_rng(seed)
    seen = [with_other_future(f, now_s, rng, cut=cut) for f in floods if f.started_at_s <= now_s]
    whole, part = forecasts(floods), forecasts(seen)
    for track in seen:
        upto = int((track.at_s <= now_s).sum())
        key = (track.sensor_id, track.started_at_s)
        assert part[key][:upto].tolist() == whole[key][:upto].tolist()


def test_it_is_a_probability_and_certain_from_the_crossing_on() -> None:
    floods = season(1)
    for forecast in OutsideNowcast(TARGET).run(floods):
        before = forecast.track.before_crossing(0.15)
        assert np.all(forecast.probability[~before] == 1.0)
        assert np.all((forecast.probability >= 0.0) & (forecast.probability <= 1.0))


def test_the_order_of_the_file_does_not_matter() -> None:
    floods = season(3, tides=12, rains=5)
    assert {k: v.tolist() for k, v in forecasts(floods).items()} == {
        k: v.tolist() for k, v in forecasts(floods[::-1]).items()
    }


def test_a_first_flood_is_judged_by_its_trend() -> None:
    along = forecasts([tidal_flood(0, 0.3)])[("tide-1", tidal_flood(0, 0.3).started_at_s)]
    assert along[0] == 0.0
    assert 0.5 < along.max(initial=0.0, where=along < 1.0) < 1.0


def test_after_many_tides_low_and_high_ones_are_told_apart_before_the_crossing() -> None:
    """Ten minutes before it crosses, a 0.25 m tide is foreseen; at the same depth a tide that stays below is not."""
    history = [tidal_flood(2 * k, 0.08 + 0.03 * (k % 7)) for k in range(60)]
    high, low = tidal_flood(130, 0.25), tidal_flood(134, 0.135)
    found = forecasts([*history, high, low])
    on_high = found[("tide-1", high.started_at_s)]
    crossing = high.crossing_s(0.15)
    assert float(on_high[high.time_s <= crossing - 600.0][-1]) > 0.8
    assert float(found[("tide-1", low.started_at_s)].max()) < 0.5
