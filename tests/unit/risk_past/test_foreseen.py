"""What a library foresees: like floods from like moments, the same as the hindcast's own forecast, and by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from risk.ahead import answered
from risk.arrays import NEVER_US
from risk.engine import question
from risk.explained import explained
from risk.nowcast.moments import describe
from risk.nowcast.surroundings import look_around
from risk.past.foreseen import from_now, times_min
from risk.past.inforce import LEAST_FLOODS
from risk.past.known import Known, counts_for_age, drawn
from risk.past.library import PastSensor, library_of
from risk.past.present import Wet, described, present
from risk.past.traces import CROSSED_M
from tests.unit.risk.builders import Crank, Reading
from tests.unit.risk_nowcast.floods import rain_flood, season, tidal_flood
from tests.unit.risk_past.kit import SENSOR, days_before, flood, library, of_tracks, rises, road


def rising_to(crank: Crank, depths_m: list[float]) -> Crank:
    for minute, depth in enumerate(depths_m):
        crank.tick(minute, (SENSOR, minute, depth))
    return crank


def foreseen(crank: Crank) -> tuple[float, float, int]:
    """Probability of orange within 30 min, likely minutes to it, and the floods behind them."""
    found = answered(question(crank.engine))
    return float(found.probability[0, 0, 1]), float(found.times_min[0, 0, 1]), int(found.floods[0])


def test_a_site_whose_floods_stop_short_is_told_apart_from_one_whose_floods_go_on() -> None:
    """The same ten minutes of a centimetre each; past floods all stood at 11 cm, or all went on to 40 cm."""
    now = rises(0.10)[:11]
    stops, goes_on = (rising_to(road(library([peak] * 30)), now) for peak in (0.11, 0.40))
    plain = rising_to(road(None), now)
    (p_stops, t_stops, n_stops), (p_on, t_on, n_on) = foreseen(stops), foreseen(goes_on)
    assert p_stops < 0.35
    assert p_on > 0.7
    assert t_on == pytest.approx(5.0, abs=2.0)  # 5 cm are missing, at 1 cm a minute
    assert t_stops > 30.0
    assert n_stops > 5
    assert n_on > 5
    assert foreseen(plain)[2] == 0


def test_too_few_floods_say_nothing_and_the_answer_is_that_of_no_library_to_the_last_bit() -> None:
    now = rises(0.10)[:11]
    few = rising_to(road(library([0.4] * (LEAST_FLOODS - 1))), now)
    other = rising_to(road(library([0.4] * 30, sensor="elsewhere:water_depth_m")), now)
    plain = answered(question(rising_to(road(None), now).engine))
    for crank in (few, other):
        found = answered(question(crank.engine))
        for name in ("times_min", "probability", "members", "order_min", "floods"):
            assert np.array_equal(getattr(found, name), getattr(plain, name), equal_nan=True)


def test_tidal_floods_of_which_no_moment_is_kept_say_nothing() -> None:
    """25 of 1.3 cm: enough floods, but a tidal site is judged from 1.5 cm on."""
    low = [flood(days_before(50 - k), [0.0, 0.013, 0.013, 0.01]) for k in range(25)]
    tidal = library_of([PastSensor(SENSOR, 0.0, 0.0, tidal=True)], low)
    now = rises(0.05)[:6]
    found, plain = (answered(question(rising_to(road(past), now).engine)) for past in (tidal, None))
    assert found.floods.tolist() == [0]
    assert np.array_equal(found.probability, plain.probability, equal_nan=True)


@pytest.mark.parametrize(
    ("peak_m", "doubt"), [(0.40, (SENSOR, 11, 0.0, 3)), (0.40, ("up-lvl:online", 11, 0.0, 1)), (0.11, None)]
)
def test_doubt_and_silence_leave_the_last_answer_as_the_least(peak_m: float, doubt: Reading | None) -> None:
    """A library speaks of what is heard well; after that the greater of its last answer and of no library counts."""
    crank, plain = (rising_to(road(past), rises(0.10)[:11]) for past in (library([peak_m] * 30), None))
    last = foreseen(crank)
    assert last[2] > 0
    for minute in (11, 12) if doubt else (60, 61):
        for one in (crank, plain):
            one.tick(minute, *([doubt] if doubt and minute == 11 else []))
        without, found = foreseen(plain), foreseen(crank)
        assert found == (max(last[0], without[0]), min(last[1], without[1]), last[2]), f"minute {minute}"
    told = explained(crank.engine, question(crank.engine), "up")
    assert told is not None
    assert ({w.formula for w in told.weighed}, told.library, told.past) == ({"kept"}, None, ())
    crank.tick(62, ("up-lvl:online", 62, 1.0), (SENSOR, 62, 0.10))
    told = explained(crank.engine, question(crank.engine), "up")
    assert told is not None
    assert {w.formula for w in told.weighed} == {"past"}, "heard well again"


def test_every_flood_behind_a_figure_is_named_and_a_reason_counts_them() -> None:
    crank = rising_to(road(library([0.40] * 30)), rises(0.12)[:13])
    found = explained(crank.engine, question(crank.engine), "up")
    assert found is not None
    assert found.library == 1
    assert sum(one.weight for one in found.past) == pytest.approx(1.0, abs=0.01)
    assert {one.sensor for one in found.past} == {SENSOR}
    assert len({one.started_at for one in found.past}) == foreseen(crank)[2]
    assert found.past[0].foreseen_m == pytest.approx(0.40, abs=0.03)
    assert {one.formula for one in found.weighed} == {"past"}
    texts = [
        (reason["text_en"], reason["text_zh"])
        for output in crank.outputs
        for event in output.events
        for reason in event.reasons
        if reason["rule"] == "orange-within-30min"
    ]
    assert any("past floods" in en and "次历史积水" in zh for en, zh in texts)


def test_times_by_hand() -> None:
    """0.2 within 5 and 0.6 within 10 min: 0.05 after 1.25 min, 0.5 after 8.75; 0.95 never."""
    chance = np.array([[[0.2, 0.6, 0.6, 0.6, 0.6, 0.6, 0.6]] * 2])
    assert times_min(chance, (0.05, 0.5, 0.95))[0, 0].tolist() == pytest.approx([1.25, 8.75, np.inf])


def test_time_counts_from_now_by_hand() -> None:
    """0.4 within 15 and 0.6 within 20 min of a sample 3 min old: 0.52 within 15; over 5 min old counts as 5."""
    after = np.array([[0.1, 0.2, 0.4, 0.6, 0.6, 0.6, 0.7, 0.8]] * 4)
    found = from_now(after, np.array([0.0, 3.0, 5.0, 12.0]))
    assert found[0].tolist() == after[0, :7].tolist()
    assert found[1].tolist() == pytest.approx([0.16, 0.32, 0.52, 0.6, 0.6, 0.62, 0.76])
    assert found[2].tolist() == pytest.approx([0.2, 0.4, 0.6, 0.6, 0.6, 0.6 + 0.1 / 3.0, 0.8])
    assert found[3].tolist() == found[2].tolist()


def test_three_minutes_without_a_sample_bring_the_likely_time_three_minutes_nearer() -> None:
    """To a minute and a half, since the probability is known every five minutes alone."""
    crank = rising_to(road(library([0.16] * 30)), rises(0.09)[:10])
    fresh = foreseen(crank)
    crank.tick(12)
    later = foreseen(crank)
    assert later[2] == fresh[2]
    assert later[1] == pytest.approx(fresh[1] - 3.0, abs=1.5)
    told = explained(crank.engine, question(crank.engine), "up")
    assert told is not None
    assert told.inputs["past_sample_age_s"] == 180.0


def test_newer_floods_count_more() -> None:
    """By hand: three years older 1/e = 0.368, half a year exp(-1/6) = 0.846."""
    year_s = 365.25 * 86400.0
    assert counts_for_age(np.array([0.0, 2.5, 3.0]) * year_s) == pytest.approx([0.3679, 0.8465, 1.0], abs=1e-4)
    assert counts_for_age(np.zeros(0)).size == 0


def test_a_member_of_an_older_flood_weighs_less() -> None:
    """Ten floods a year: what is two years older than the newest weighs exp(-2/3) = 0.513 of a like one."""
    kind = Known.of(library([0.40] * 30, apart_days=36.525)).kinds[False]
    alike = (kind.tree.data[:1], kind.rate_m_10min[:1])
    found, even = drawn(kind, *alike), drawn(replace(kind, counts=np.ones(kind.counts.size)), *alike)
    ratio = dict(zip(kind.flood[found.moment[0]].tolist(), (found.weight / even.weight)[0].tolist(), strict=True))
    assert (kind.flood.min(), kind.flood.max()) == (0, 29)
    assert all(share == pytest.approx(np.exp((flood - 29) / 30.0), rel=1e-3) for flood, share in ratio.items())
    assert kind.counts[kind.flood == 9] == pytest.approx(0.513, abs=1e-3)


@pytest.mark.parametrize("kind", ["rain", "tide"])
def test_a_moment_in_memory_is_described_as_the_same_moment_of_a_track(kind: str) -> None:
    """Half an hour of good samples is all that the engine keeps; nothing else may go into a moment."""
    past = of_tracks(season(3))
    known = Known.of(past)
    if kind == "rain":
        now, other = rain_flood(9e6, 0.3, "rain-0", 0.0), rain_flood(9e6 - 300.0, 0.25, "rain-1", 1.0)
    else:
        now, other = tidal_flood(90, 0.25), tidal_flood(90, 0.2, "tide-2", 2.0)
    row = {sensor.key: k for k, sensor in enumerate(past.sensors)}
    at = 20
    others = [of for of in (other,) if of.tidal == now.tidal]
    wet = [_in_memory(track, row[track.sensor_id], now.started_at_s + 60.0 * at) for track in (now, *others)]
    both = Wet(*(np.concatenate([getattr(one, name) for one in wet]) for name in Wet.__slots__))
    mine = both.part(np.array([0]))
    at_us = round(1e6 * (now.started_at_s + 60.0 * at))
    found, _ = described(known, present(mine, tidal=now.tidal), mine, both, at_us)
    own = [track for track in season(3) if track.sensor_id == now.sensor_id]
    own = sorted(own, key=lambda track: track.ended_at_s)
    around = look_around(now, own, [now, other], CROSSED_M)
    phase = known.clock.to_high_water_rad(now) if known.clock is not None and now.tidal else None
    expected = describe(now, around, phase)
    assert found.coordinates[0] == pytest.approx(expected.coordinates[at], abs=0.03)
    assert found.judged[0] == expected.judged[at]


def _in_memory(track: object, row: int, until_s: float) -> Wet:
    from risk.nowcast.track import Track
    from risk.state import GOOD_SLOTS

    assert isinstance(track, Track)
    upto = int(np.searchsorted(track.at_s, until_s + 1e-6, side="right"))
    at_us = np.round(1e6 * track.at_s[max(0, upto - GOOD_SLOTS) : upto]).astype(np.int64)
    depth = track.depth_m[max(0, upto - GOOD_SLOTS) : upto]
    pad = GOOD_SLOTS - at_us.size
    return Wet(
        np.array([row]), np.array([0]), np.concatenate((np.full(pad, NEVER_US), at_us))[None, :],
        np.concatenate((np.full(pad, np.nan), depth))[None, :], np.array([round(1e6 * track.started_at_s)]),
        np.array([at_us[-1]]), np.array([float(track.peak_so_far_m[upto - 1])]),
    )  # fmt: skip
