"""What undoes a stand-down: evidence that came after it, of whatever kind. Pure.

An alarm is stood down when its own evidence can no longer come back: the sensor is washed away, and what it last said
holds for ever. Whatever says anew that there is danger undoes it, and the alarm is raised on all that holds:

- a word on water inside: a level sensor there that stands in 2 cm or more, or a float switch over the floor that is
  lifted, good or doubtful, that came after the act or was taken after it by its device's clock, which may be off;
- a field report of the space that says so: water at yellow or above, a barrier that does not close, a pump that stands;
- a rain warning that covers it, entered anew;
- any other rule (rain, a neighbour that stands in, a barrier) that reaches more than it did when the alarm was stood
  down, or than it has fallen to since.

A forecast, a leak and a pump that does not cope begin at the water inside, which is what was stood down, so they count
only with a word on water, which undoes the stand-down by itself (docs/decisions/0033).

Water at an entrance tells nothing of the inside: it raises by its own rules and undoes nothing, but where these reach
more than they did (`risk.street_alone`, docs/decisions/0046).

A sensor that is heard and dry is no danger, nor is what says nothing of water: stock, power, a device that is online
or gone. Silence alone is no evidence: that the space turns blind in the rain in which it was stood down follows from
what the officer knew. The next rain finds it without eyes, and that is told;
what neighbours stood in for it before is told anew. Where no gauge says that the rain has ended, one lasts twelve
hours. That somebody reports the place dry, or
the barrier closed, undoes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from risk.alarms import FAMILY_BITS
from risk.arrays import NEVER_US, BoolArray, SiteArrays
from risk.evidence import NOT_CLOSED, Seen
from risk.floats import trip_m
from risk.reports import said_in, severity_of_depth
from risk.rules import Views
from risk.sensors import FLOAT
from risk.state import BLIND, FAMILIES, FORECAST, LEAK, PUMP, WARNING, EngineState
from risk.thresholds import LEAST_ALARM_SEVERITY, ONE_RAIN_S, WET_DEPTH_M
from risk.warnings import Act, covers, warning_of

FROM_INSIDE = np.isin(np.arange(len(FAMILIES)), (PUMP, FORECAST, LEAK))
"""Families that go on from the water which was stood down."""

MOST = 4
"""Red: nothing reaches more."""


def stood_down(state: EngineState, row: int, act: Act) -> None:
    """Note that the alarm of a space was stood down, and what every family of rules had said by then."""
    already = state.stood_down_us[row]
    state.stood_down_us[row], state.stood_down_seq[row] = act.acted_us, act.commit_seq
    state.stood_down_tick_us[row] = state.tick_us
    had_part = (state.alarm_families[row] & FAMILY_BITS) != 0
    known = 0 if already == NEVER_US else state.stood_down_on[row]
    state.stood_down_on[row] = np.maximum(np.where(had_part, state.alarm_severity[row], 0), known)
    state.stood_down_on[row, BLIND] = MOST


def held_down(state: EngineState, arrays: SiteArrays, views: Views, seen: Seen, acts: Iterable[Act]) -> BoolArray:
    """Return the spaces whose alarm was stood down and that nothing has undone since; the others are lifted."""
    down = state.stood_down_us != NEVER_US
    rows = np.flatnonzero(down)
    if not rows.size:
        return np.asarray(down, np.bool_)
    told, came = _told_of(arrays, views, acts, state), said_since(state, arrays)
    for row in rows.tolist():
        known, reached = state.stood_down_on[row], views.candidate[:, row]
        in_rain = bool(views.rain.in_rain[row])
        counts = ~FROM_INSIDE & (in_rain | (np.arange(len(FAMILIES)) != BLIND))
        worse = bool(((reached > known) & (reached >= LEAST_ALARM_SEVERITY) & counts).any())
        if worse or row in told or _tells_of_water(state, arrays, seen, row, came):
            state.stood_down_us[row] = NEVER_US
            down[row] = False
        else:
            looked_at = known[BLIND] == MOST
            is_one_rain = in_rain and state.tick_us - int(state.stood_down_tick_us[row]) < ONE_RAIN_S.value * 1e6
            state.stood_down_on[row] = np.minimum(known, np.maximum(reached, views.lasting[:, row]))
            state.stood_down_on[row, BLIND] = MOST if looked_at and is_one_rain else 0
            if looked_at and not is_one_rain:
                state.stand_ins.pop(arrays.spaces[row].id, None)  # the next rain has its own
    return np.asarray(down, np.bool_)


def said_since(state: EngineState, arrays: SiteArrays) -> BoolArray:
    """Tell which sensors spoke after a stand-down of their space: in a tick after it, or taken later. Shape (S,)."""
    down_us, down_tick_us = state.stood_down_us[arrays.s_space], state.stood_down_tick_us[arrays.s_space]
    since = (state.evidence_tick_us > down_tick_us) | (state.evidence_us > down_us)
    return np.asarray((arrays.s_space >= 0) & (down_us != NEVER_US) & since)


def _tells_of_water(state: EngineState, arrays: SiteArrays, seen: Seen, row: int, came: BoolArray) -> bool:
    """Tell whether a sensor inside a space stood down has told of water since."""
    levels = np.flatnonzero((arrays.l_space == row) & ~arrays.l_outside)
    sensors = arrays.l_sensor[levels]
    most_m = np.where(state.good_tick_us[sensors] == state.tick_us, seen.peak_m[levels], state.x[sensors])
    if (came[sensors] & (most_m >= WET_DEPTH_M.value)).any():
        return True
    inside = (arrays.s_space == row) & (arrays.s_role == FLOAT) & (arrays.s_entrance < 0)
    return any(trip_m(arrays, s) >= 0.0 for s in np.flatnonzero(inside & came & (state.x >= 0.5)).tolist())


def _told_of(arrays: SiteArrays, views: Views, acts: Iterable[Act], state: EngineState) -> set[int]:
    """Return the spaces of which people told something, of danger, after their alarm was stood down."""
    found: set[int] = set()
    for act in acts:
        if (
            act.kind == "field_report"
            and (space := arrays.space_index.get(act.subject.removeprefix("space/"))) is not None
        ):
            rows = [space] if _says_danger(arrays, views, space, act) else []
        elif (warning := warning_of(act)) is not None:
            raised = np.flatnonzero(views.candidate[WARNING] >= LEAST_ALARM_SEVERITY).tolist()
            rows = [row for row in raised if covers(warning, arrays, row)]
        else:
            continue
        found |= {row for row in rows if act.commit_seq > int(state.stood_down_seq[row])}
    return found


def _says_danger(arrays: SiteArrays, views: Views, space: int, act: Act) -> bool:
    entrance = str(act.body.get("entrance") or "")
    for what, report in said_in(arrays, space, act):
        match what:
            case "depth":
                if severity_of_depth(arrays, space, entrance, report.value, views.closed) >= LEAST_ALARM_SEVERITY:
                    return True
            case "barrier":
                if report.value in NOT_CLOSED:
                    return True
            case "pump":
                if report.value < 0.5:
                    return True
    return False
