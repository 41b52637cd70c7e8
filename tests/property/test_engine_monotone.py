"""More rain, more water or a faster rise is never a lower level, a lower score or a later threshold."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from risk.nowcast.block import STEP_S
from risk.nowcast.ensemble import nowcast
from risk.nowcast.layout import Now
from tests.property.test_engine import OUT, RAIN, UP
from tests.unit.risk.builders import Crank, guarded, site, underpass
from tests.unit.risk_nowcast.test_kernel import drawn


def scores(crank: Crank) -> dict[str, float]:
    return {entry.space_id: entry.score for output in crank.outputs for entry in output.assessments}


@settings(max_examples=30)
@given(
    mm=st.lists(st.sampled_from([0.0, 0.1, 0.5, 1.0, 2.0, 4.0, 6.0]), min_size=3, max_size=40),
    more=st.floats(1.0, 5.0),
    depth=st.sampled_from([0.0, 0.04, 0.12, 0.2]),
)
def test_more_rain_is_never_a_lower_level_alarm_or_score(mm: list[float], more: float, depth: float) -> None:
    """Millimetres per minute, and the same rain times at least 1, on the same water."""
    less, extra = (Crank(site(underpass(), guarded("s", "car_park"))) for _ in range(2))
    for minute, total in enumerate(np.cumsum(mm).tolist()):
        water = [(UP, minute, depth), (OUT, minute, depth)]
        less.tick(minute, *water, (RAIN, minute, total))
        extra.tick(minute, *water, (RAIN, minute, total * more))
        assert (extra.engine.state.alarm_severity >= less.engine.state.alarm_severity).all()
    assert all(extra.levels[name] >= level for name, level in less.levels.items())
    last = len(mm)  # a score that was written is the one of now
    for crank in (less, extra):
        crank.engine.state.due_us[:] = 0
        crank.tick(last)
    assert all(scores(extra)[name] >= score for name, score in scores(less).items())


def with_more(now: Now, higher_m: float, faster: float, wetter: float, fuller: float) -> Now:
    """Return more water outside and inside, a faster rise, more rain."""
    return replace(
        now,
        outside_m=now.outside_m + higher_m,
        rise_m_min=np.where(now.rise_m_min > 0.0, now.rise_m_min * faster, now.rise_m_min),
        rain_mm_h=now.rain_mm_h * wetter,
        volume_m3=now.volume_m3 * fuller,
        unseen_m3_min=now.unseen_m3_min * faster,
    )


@settings(max_examples=60)
@given(
    seed=st.integers(0, 2**32 - 1),
    higher_m=st.floats(0.0, 0.5),
    faster=st.floats(1.0, 4.0),
    wetter=st.floats(1.0, 4.0),
    fuller=st.floats(1.0, 3.0),
)
def test_no_member_reaches_a_threshold_later_with_more_of_anything(
    seed: int, higher_m: float, faster: float, wetter: float, fuller: float
) -> None:
    """Without pumps: one that starts a minute sooner can hold more back, so no balance with a switch is monotone."""
    layout, now = drawn(seed, 6)
    layout = replace(layout, pump_m3_s=np.zeros_like(layout.pump_m3_s))
    more = with_more(now, higher_m, faster, wetter, fuller)
    less, extra = nowcast(layout, now), nowcast(layout, more)
    slack_min = 0.01  # 32-bit floats
    assert (extra.member_min <= less.member_min + slack_min).all()
    assert (extra.likely_min <= less.likely_min + slack_min).all()
    assert (extra.probability >= less.probability - 1e-9).all()
    helps = np.isfinite(extra.last_order_min) & np.isfinite(less.last_order_min)
    assert (extra.last_order_min <= less.last_order_min + slack_min)[helps].all()


@settings(max_examples=60)
@given(
    seed=st.integers(0, 2**32 - 1),
    higher_m=st.floats(0.0, 0.5),
    faster=st.floats(1.0, 4.0),
    wetter=st.floats(1.0, 4.0),
    fuller=st.floats(1.0, 3.0),
    stronger=st.floats(0.1, 10.0),
)
def test_with_pumps_more_of_anything_is_never_less_water_but_for_the_band_of_their_switches(
    seed: int, higher_m: float, faster: float, wetter: float, fuller: float, stronger: float
) -> None:
    """Members in which pumps run, too.

    More water can be less than less only while its pump runs and the other's stands: then the one is over its
    off-volume and the other was under its on-volume. So it is never less by more than that band and what pumps lift in
    a step: it reaches a threshold that much lower no later. Where pumps fail, it is never less at all.
    """
    layout, now = drawn(seed, 6)
    layout = replace(layout, pump_m3_s=layout.pump_m3_s * stronger)
    band_m3 = (layout.pump_on_m3 - layout.pump_off_m3).max(axis=1) + layout.pump_m3_s.sum(axis=1) * STEP_S
    lower = replace(layout, target_m3=layout.target_m3 - band_m3)
    more = with_more(now, higher_m, faster, wetter, fuller)
    less, extra, nearly = nowcast(layout, now), nowcast(layout, more), nowcast(lower, more)
    slack_min = 0.01  # 32-bit floats
    assert (nearly.member_min <= less.member_min + slack_min).all()
    assert (extra.member_min[:, :, :, 1] <= less.member_min[:, :, :, 1] + slack_min).all()


@settings(max_examples=40, deadline=None)
@given(
    grows_mm=st.lists(st.floats(0.0, 30.0), min_size=2, max_size=25),
    odd=st.sets(st.integers(0, 24), max_size=6),
    wrong_mm=st.sampled_from([0.0, 9999.0]),
    good=st.booleans(),
)
def test_what_cannot_be_hides_no_rain(grows_mm: list[float], odd: set[int], wrong_mm: float, good: bool) -> None:
    """A counter, each minute; some words are one sort of nonsense. Where the newest is sound, no rain is missing."""
    totals = []
    for nonsense in (set[int](), odd):
        crank, total = Crank(site(underpass()), nowcast=False), 1000.0
        for minute, grows in enumerate(grows_mm):
            total += grows
            wrong = wrong_mm if minute in nonsense and 0 < minute < len(grows_mm) - 1 else None
            quality = 1 if good or wrong is None else 2
            crank.tick(minute, ("rain-1:rain_total_mm", minute, total if wrong is None else wrong, quality))
        totals.append((crank.engine.state.total_mm[0], crank.engine.state.sure_total_mm[0]))
    assert max(totals[1]) >= max(totals[0]) - 1e-6
