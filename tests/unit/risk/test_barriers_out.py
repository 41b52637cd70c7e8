"""A barrier that closes nothing any more: score and dispatch ask for what an entrance without a barrier takes."""

from __future__ import annotations

import pytest

from risk.shortage import stock_in_hand
from risk.snapshot import dump_state, load_state
from risk.supplies.plan import needs_of
from tests.unit.risk.builders import Crank, guarded, site
from tests.unit.risk.test_reports import report
from undercroft.quantities import BarrierState

OUT = (BarrierState.OVERTOPPED, BarrierState.FAILED, BarrierState.UNKNOWN)


def short(crank: Crank) -> float:
    return float(crank.engine.state.shortage[0])


@pytest.mark.parametrize("word", list(BarrierState))
def test_score_and_dispatch_ask_for_the_same_where_a_barrier_closes_nothing(word: BarrierState) -> None:
    """4 m by 36 cm: 45 bags, nobody has any: all of it is lacking. A barrier that can be closed takes none."""
    crank = Crank(site(guarded("s", "car_park")), nowcast=False)
    assert short(crank) == 0.0
    told = crank.tick(0, ("s-out:barrier_state", 0, float(word)), ("s-out:water_depth_m", 0, 0.0)).assessments[0]
    plant = crank.engine.plant
    stock = stock_in_hand(crank.engine.state, plant.arrays)
    assessment = {"level": told.level, "score": told.score, "evidence": told.evidence}
    needs = {one.item: one.quantity for one in needs_of(plant.arrays.spaces[0], assessment, stock)}
    assert (short(crank), needs) == ((1.0, {"sandbag": 45.0}) if word in OUT else (0.0, {}))


def test_silence_mends_no_barrier_and_a_later_word_does() -> None:
    crank = Crank(site(guarded("s", "car_park")), nowcast=False)
    crank.tick(0, ("s-out:barrier_state", 0, float(BarrierState.FAILED)))
    crank.tick(300, ("s-in:water_depth_m", 300, 0.0))
    assert short(crank) == 1.0, "silent for five hours"
    arrays = crank.engine.plant.arrays
    assert load_state(dump_state(crank.engine.state, arrays), arrays).shortage.tolist() == [1.0]
    crank.tick(301, ("s-out:barrier_state", 301, float(BarrierState.OPEN)))
    assert short(crank) == 0.0


def test_a_person_who_sees_it_failed_counts_until_the_report_expires() -> None:
    crank = Crank(site(guarded("s", "car_park")), nowcast=False)
    crank.tick(0, ("s-out:barrier_state", 0, 0.0), acts=(report(1, "s", 0, entrance="north", barrier="failed"),))
    assert short(crank) == 1.0
    crank.tick(59)
    assert short(crank) == 1.0
    crank.tick(61)
    assert short(crank) == 0.0
