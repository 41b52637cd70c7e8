"""One tick of the engine: readings and acts in, assessments and alarm events out. No I/O, no clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np

from risk.ahead import Nowcast, Question, taken
from risk.ahead_asked import asked
from risk.ahead_site import SiteAhead, site_ahead
from risk.alarm_output import alarm_output
from risk.alarms import AlarmView, Change, step
from risk.arrays import BoolArray, FloatArray, IntArray, SiteArrays, from_us
from risk.assess import assess, due
from risk.barriers_out import barriers_out, entrances_out
from risk.conditions import ConditionOutput, fold_conditions
from risk.departed import end_departed, note_departures
from risk.emptied import with_people_gone
from risk.evidence import Samples, fold
from risk.facts.fact import Context
from risk.firstout import first_out, open_by_basin
from risk.laid_down import standing
from risk.left import NOTHING, Left
from risk.lifecycle import LifeEvent, follow, in_service, is_storm, take_acts
from risk.nowcast_failed import told_of_nowcast
from risk.output import TickOutput
from risk.past.ask import PastOfSite
from risk.past.inforce import Past
from risk.rain_kept import keep_rain
from risk.replaced import hand_over, left_behind
from risk.reports import ended_reports, fold_reports
from risk.rules import Views, evaluate
from risk.score import ScoreStatics, dynamic_factors, score_of, score_statics
from risk.set_back import not_ahead, set_back, told_of_clock
from risk.shortage import Needs, Reach, fold_movements, reach_of, requirements, shortage_of_spaces, stock_in_hand
from risk.standdown import held_down
from risk.state import EngineState, carried_over, forget_forecasts, fresh_state
from risk.statics import SiteStatics, statics_of
from risk.street_alone import street_alone
from risk.suppression import suppress
from risk.warnings import Act, fold_warnings
from risk.without import parts_without, state_without
from undercroft.site.model import Site
from undercroft.site.places import devices_of

ENGINE_VERSION = "18"
"""Part of every snapshot: a snapshot of another version is not read, the tick log is folded again instead.

9: stand-ins for blind spaces raise levels and alarms; stock is part of the memory. 10: a switch that flaps and a pump
without good word or power count no more.
11: a probable orange raises orange; what lies ahead is calibrated. 12: calibrated anew, orange from 0.6; no probability
where a barrier that is not heard decides; what people say of pumps and who is gone counts.
14: a lifted float switch raises; the alarm of a space that left the site ends; a library of past floods foresees spaces
that only their own water tells of; what tells of danger ends a stand-down.
15: a sensor that an import moves leaves its word behind; the newer of a sensor's and a person's count holds;
reports and stand-ins count in the score; a failed barrier is not waited for;
a gauge, a pump or a sensor with a library that falls silent makes nothing less likely; a pump that stands lifts
nothing; a space that fills is rising; what a clock that is behind says after a stand-down counts.
16: the depth that each reporter entered last counts; a warning whose basin or street is gone covers the district;
a barrier that is overtopped, failed or in an unknown state is missing in the shortage, and not waited for;
where the rise inside tells what comes in, a pump that nothing says to run lifts nothing more;
a sensor that an import takes out counts as one that fell silent; the clock may be set back.
17: only who came in a sensor's place speaks for it after an import; kept rain counts in the score until an hour is
measured; a reported depth ends by its place's sensors, a name alone corrects none; an order's last minute is before
orange by any rule, and before red; rain beside nonsense is not lost; a dry word undoes no stand-down.
18: rain beside nonsense of several sorts is not lost, and an hour of rain is an hour at any pace;
an expired report ends by a dry word from each spot of its place, where one dead sensor keeps nothing;
water at the entrance of a space stood down raises by its own rules, and does not bring back what was stood down;
who comes after an import may have come for one that an earlier one took out; a neighbour taken out stands in;
where the inside alone tells what comes, a probability is bent as measured floods bend it.
"""

DAY_HOURS = range(7, 20)
"""Hours of local time at which ``people_day`` are there."""


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a tick covers: the commit order up to and with ``up_to``, at ``tick_us``; a nowcast that was finished.

    ``nowcast_error``: why one failed in its place.
    """

    tick_seq: int
    tick_us: int
    up_to: int
    run_seq: int | None = None
    samples: Samples = field(default_factory=Samples.none)
    acts: tuple[Act, ...] = ()
    nowcast: Nowcast | None = None
    nowcast_error: str | None = None


@dataclass(frozen=True, slots=True)
class Plant:
    """A site version made ready: its arrays and what follows from them."""

    arrays: SiteArrays
    statics: SiteStatics
    scores: ScoreStatics
    zone: ZoneInfo
    ahead: SiteAhead
    basin_of_device: Mapping[str, str]
    needs: Needs
    reach: Reach


def plant_of(site: Site, instant: datetime, left: Left = NOTHING) -> Plant:
    """Return a site, and what imports left behind, made ready with the thresholds in force at an instant."""
    arrays = SiteArrays.from_site(site, instant, left)
    statics = statics_of(arrays)
    zone = ZoneInfo(site.district.timezone)
    basins = {device.id: place.basin or "" for place, device in devices_of(site)}
    ahead, needs = (
        site_ahead(arrays, statics.storage),
        requirements(arrays.spaces, dict.fromkeys(range(arrays.n_spaces), ())),
    )
    return Plant(arrays, statics, score_statics(arrays), zone, ahead, basins, needs, reach_of(site, arrays.spaces))


@dataclass(frozen=True, slots=True)
class Engine:
    """Memory, site, and the library of floods in force. `tick` uses an engine up and returns the next one."""

    state: EngineState
    plant: Plant
    past: PastOfSite | None = None

    @classmethod
    def start(cls, site: Site, site_commit_seq: int, instant: datetime) -> Engine:
        """Return an engine that has seen nothing yet."""
        plant = plant_of(site, instant)
        return _with_shortage(cls(fresh_state(plant.arrays, site_commit_seq), plant))


def with_site(engine: Engine, site: Site, site_commit_seq: int, instant: datetime) -> Engine:
    """Return the engine on another version of the site; what both versions know keeps its memory."""
    old = engine.plant.arrays
    plant = plant_of(site, instant, left_behind(engine.state, old, engine.plant.statics, site))
    state = carried_over(engine.state, old, plant.arrays, site_commit_seq)
    before, after = (engine.state, old), (state, plant.arrays)
    keep_rain(before, after, hand_over(before, after))
    note_departures(before, after)
    state.written_signature[:] = -1
    return _with_shortage(Engine(state, plant, _past_on(engine, plant)))


def with_what_stands(engine: Engine) -> Engine:
    """Return the engine without the left sensors and entrances of which nothing stands any more after a tick."""
    arrays, state = engine.plant.arrays, engine.state
    if not arrays.left or (left := standing(state, arrays, engine.plant.statics.heirs)) == arrays.left:
        return engine
    kept, parts = parts_without(arrays, engine.plant.statics, engine.plant.ahead, left)
    past = None if engine.past is None else replace(engine.past, rows=engine.past.rows[kept.levels])
    return _with_shortage(Engine(state_without(state, kept), replace(engine.plant, **parts), past))


def with_past(engine: Engine, past: Past | None) -> Engine:
    """Return the engine with another library of floods in force, or with none."""
    engine.state.library = 0 if past is None else past.version
    arrays = engine.plant.arrays
    return replace(engine, past=None if past is None else PastOfSite.on(past, arrays))


def _past_on(engine: Engine, plant: Plant) -> PastOfSite | None:
    """Return the library in force on another version of the site."""
    return None if engine.past is None else PastOfSite.on(engine.past.past, plant.arrays)


def _with_shortage(engine: Engine) -> Engine:
    """Work out anew what spaces lack, from the stock in hand and the barriers that close nothing any more."""
    arrays = engine.plant.arrays
    stock = stock_in_hand(engine.state, arrays)
    out = requirements(arrays.spaces, entrances_out(engine.state, arrays))
    engine.state.shortage[:] = shortage_of_spaces(
        arrays.spaces, engine.plant.reach, {**engine.plant.needs, **out}, stock
    )
    return engine


def with_thresholds_of(engine: Engine, tick_us: int) -> Engine:
    """Return the engine with the threshold sets in force at a tick; the same engine where these are."""
    if engine.plant.arrays.valid_from_us <= tick_us < engine.plant.arrays.valid_until_us:
        return engine
    forget_forecasts(engine.state)
    return replace(engine, plant=plant_of(engine.plant.arrays.site, from_us(tick_us), engine.plant.arrays.left))


def _with_left_before(engine: Engine, tick_us: int) -> Engine:
    """Return the engine with no sensor taken out after a tick: the clock was set back since."""
    left = engine.plant.arrays.left
    if all(one.since_us <= tick_us for one in left.sensors):
        return engine
    before = tuple(replace(one, since_us=min(one.since_us, tick_us - 1)) for one in left.sensors)
    plant = plant_of(engine.plant.arrays.site, from_us(tick_us), replace(left, sensors=before))
    return replace(engine, plant=plant)


def question(engine: Engine, among: BoolArray | None = None) -> Question:
    """Return what the ensemble is asked of the memory as it stands after the last tick, of some spaces or of all."""
    return asked(engine.state, engine.plant.arrays, engine.plant.statics, engine.plant.ahead, engine.past, among)


@dataclass(frozen=True, slots=True)
class Decision:
    """What a tick decided: levels, scores and alarms, and which spaces are to be written. Words come in `write_up`.

    It looks into the engine's memory, so it is written up before the next tick is taken.
    """

    inputs: Inputs
    plant: Plant
    context: Context
    changes: list[Change]
    happened: list[LifeEvent]
    conditions: ConditionOutput
    score: FloatArray
    factors: dict[str, FloatArray]
    by_day: bool
    due: IntArray


def tick(engine: Engine, inputs: Inputs) -> tuple[Engine, TickOutput]:
    """Take one tick: decide and write up.

    Parameters
    ----------
    engine : Engine
        On the site version in force at ``inputs.up_to``.
    inputs : Inputs
        Sensor indices are those of ``engine.plant.arrays``.

    Returns
    -------
    Engine
        To be used for the next tick.
    TickOutput
        What is to be written, in an order that depends on nothing but the inputs.
    """
    engine, decision = decide(engine, inputs)
    output = write_up(decision)
    return with_what_stands(engine), output


def decide(engine: Engine, inputs: Inputs) -> tuple[Engine, Decision]:
    """Decide levels and alarms. The engine handed in is used up; inputs count as a set, whatever their order.

    Parameters
    ----------
    engine : Engine
        On the site version in force at ``inputs.up_to``.
    inputs : Inputs
        Sensor indices are those of ``engine.plant.arrays``.

    Returns
    -------
    Engine
        To be used for the next tick.
    Decision
        To be written up before the next tick.
    """
    inputs = replace(inputs, acts=not_ahead(inputs.acts, inputs.tick_us))
    if inputs.nowcast is not None:
        taken(engine.state, inputs.nowcast)
    engine = _with_left_before(with_thresholds_of(engine, inputs.tick_us), inputs.tick_us)
    state, plant = engine.state, engine.plant
    arrays = plant.arrays
    of_clock = told_of_clock(state.conditions, state.tick_us, inputs.tick_us, inputs.up_to)
    of_nowcast = told_of_nowcast(
        state.conditions, inputs.nowcast_error, is_made=inputs.nowcast is not None,
        tick_us=inputs.tick_us, up_to=inputs.up_to,
    )  # fmt: skip
    if inputs.tick_us < state.tick_us:
        set_back(state, inputs.tick_us)
    if inputs.nowcast is not None:  # made under a clock that was ahead, it may be done after that was set right
        np.minimum(state.ahead_us, inputs.tick_us, out=state.ahead_us)
    state.tick_seq, state.tick_us, state.up_to = inputs.tick_seq, inputs.tick_us, inputs.up_to
    if inputs.acts:
        fold_warnings(state.warnings, inputs.acts)
    happened = take_acts(state, arrays, inputs.acts, inputs.tick_us)
    devices = plant.basin_of_device
    said = (*inputs.acts, *of_clock, *of_nowcast)
    told = fold_conditions(state.conditions, said, inputs.tick_us, devices, storm=is_storm(state))
    if state.departed:
        told.output.take(*end_departed(state, inputs.tick_us))
    counted, out = state.held[arrays.s_stock], barriers_out(state, arrays)
    seen = fold(state, arrays, in_service(state, arrays, inputs.samples, inputs.tick_us), inputs.tick_us)
    moved = fold_movements(state, arrays, inputs.acts)
    if inputs.acts:
        np.logical_or(seen.touched, fold_reports(state, arrays, inputs.acts), out=seen.touched)
    if state.reports:
        ended_reports(state, arrays, inputs.tick_us)
    recounted = not np.array_equal(counted, state.held[arrays.s_stock], equal_nan=True)
    if moved or recounted or not np.array_equal(out, barriers_out(state, arrays)):
        _with_shortage(engine)
    views = evaluate(state, arrays, plant.statics, seen, inputs.tick_us)
    open_before = state.alarm_severity > 0
    down = held_down(state, arrays, views, seen, inputs.acts)
    views = street_alone(state, arrays, plant.statics, seen, views, down)
    context = Context(state, arrays, plant.statics, views, seen, inputs.tick_us)
    changes = step(state, arrays, _alarm_view(views), inputs.tick_us)
    changes = first_out(changes, open_before, arrays)
    happened += follow(state, changes)
    if state.conditions:
        suppress(told, open_by_basin(state.alarm_severity, arrays), devices)
    dynamic = dynamic_factors(state, arrays, views)
    by_day = from_us(inputs.tick_us).astimezone(plant.zone).hour in DAY_HOURS
    if state.reports:
        plant = replace(plant, scores=with_people_gone(plant.scores, state, arrays))
    score: FloatArray = score_of(dynamic, plant.scores, by_day=by_day)
    return engine, Decision(
        inputs, plant, context, changes, happened, told.output, score, dynamic, by_day, due(context, score)
    )


def write_up(decision: Decision) -> TickOutput:
    """Return a decision in words and numbers, for alarms that changed and spaces that are due."""
    inputs, context = decision.inputs, decision.context
    events, alarms = alarm_output(context, decision.changes, decision.happened)
    events += decision.conditions.events
    alarms += decision.conditions.alarms.values()
    factors = (decision.factors, decision.plant.scores, decision.by_day)
    assessments = assess(context, decision.due, decision.score, factors)
    named = (inputs.tick_seq, inputs.tick_us, inputs.up_to, inputs.run_seq, context.state.nowcast_id or None)
    return TickOutput(*named, context.state.library, assessments, events, alarms, inputs.nowcast_error)


def _alarm_view(views: Views) -> AlarmView:
    return AlarmView(views.candidate, views.below, views.lasting, views.steady, views.heard_us)
