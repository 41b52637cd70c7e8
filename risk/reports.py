"""Field reports: what a person saw at a place, as an act in the commit order.

An act of kind ``field_report`` has subject ``space/<id>`` and body ``{"entrance": id or null, "depth_m": number,
"barrier": state, "pump": "running" or "stopped", "closed": bool, "evacuated": bool, "by": name, "observed_at",
"expires_at": RFC 3339, "note", "phone"}``, with at least one of depth, barrier, pump, closed and evacuated.

A report is evidence of quality UNKNOWN: it may raise, it never lowers.

- *Depth* has the severity of the water thresholds there (family ``report``), without on-delay. Of each reporter what
  was entered last counts, whenever it was seen: a later entry corrects the earlier. The worst of all reporters counts.
  It ends when it has expired **and** every spot of that very place (inside, or that entrance; `risk.spots`) has said
  well since that it is dry, by one of its level sensors, and none of them tells of water; or the alarm of the space is
  stood down. Neither silence, nor what was measured elsewhere, nor what somebody else found dry ends it. Below yellow,
  where there is no alarm to stand down, an expired one also ends with any report of the place that was seen since.
- *Barrier*: the report of an entrance that was seen last counts until it expires; its reporter may correct it.
  ``deployed`` closes an entrance whose switches are silent, missing or unsure. A switch that said open, deploying,
  overtopped or failed wins over all that was seen before it had fallen silent (3 missed intervals after that word):
  its silence later does not prove the person right. Any other reported state opens a closed one.
- *A reporter* is a phone number, or the operator who enters what he saw himself. A name alone tells nobody from
  another: what came under one corrects nothing, and each depth told under it counts for itself.
- *Pump, closed, evacuated*: the latest report of its place counts until it expires; see `risk.said`.

A report that an order's confirmation made is taken back by the same words with ``taken_back`` true: where it still
stands, known by its note, it is forgotten, and nobody knows; what somebody else said since stays.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from risk.arrays import NEVER_US, BoolArray, IntArray, SiteArrays, iso, to_us
from risk.evidence import NOT_CLOSED, flapping, said_by_switches
from risk.floats import trip_m
from risk.levels import entrance_index, least_at
from risk.sensors import FLOAT
from risk.spots import of_one_spot
from risk.state import EngineState, FieldReport
from risk.thresholds import LEAST_ALARM_SEVERITY, WET_DEPTH_M
from risk.warnings import Act
from undercroft.instants import is_meant
from undercroft.quantities import BARRIER_STATE_BY_WORD, BarrierState

MOST_DEPTH_M = 50.0

PUMP_WORDS = {"running": 1.0, "stopped": 0.0}


def fold_reports(state: EngineState, arrays: SiteArrays, acts: Iterable[Act]) -> BoolArray:
    """Take acts of kind ``field_report`` in commit order; return the spaces that they speak of.

    A report of a place that this site does not have, or without a usable value, says nothing; one whose times cannot
    be meant was seen when it was entered. What comes here was checked at the door, and may not stop the engine even so.
    """
    touched = np.zeros(arrays.n_spaces, np.bool_)
    for act in sorted(acts, key=lambda act: act.commit_seq):
        if act.kind != "field_report":
            continue
        space = arrays.space_index.get(act.subject.removeprefix("space/"))
        if space is None:
            continue
        for what, report in said_in(arrays, space, act):
            key = key_of(arrays.spaces[space].id, str(act.body.get("entrance") or ""), what, report, act.commit_seq)
            known = state.reports.get(key)
            if act.body.get("taken_back") is True:
                if known is None or known.note != report.note:
                    continue
                del state.reports[key]
            elif _counts(known, report):
                state.reports[key] = report
            else:
                continue
            touched[space] = True
            state.written_signature[space] = -2
    return touched


def key_of(space_id: str, entrance_id: str, what: str, report: FieldReport, commit_seq: int) -> str:
    """Return under what name a report is kept: a depth of each reporter, one word of all else, per place.

    A depth of somebody of whom only a name is known is kept by itself.
    """
    who = report.reporter or f"entry:{commit_seq}:{report.by}"
    return "/".join((space_id, entrance_id, what, *([who] if what == "depth" else [])))


def reporter_of(by: str, author: str, phone: str) -> str:
    """Return who reports, as far as that tells people apart: by phone, else the operator himself; empty for a name.

    Examples
    --------
    >>> reporter_of("Guard", "li", "0755 8320-1234"), reporter_of("li", "li", ""), reporter_of("Guard", "li", "")
    ('phone:075583201234', 'operator:li', '')
    """
    digits = "".join(filter(str.isdigit, phone))
    if digits:
        return f"phone:{digits}"
    return f"operator:{author}" if by == author else ""


def place_of(key: str) -> tuple[str, str, str]:
    """Return space, entrance (empty for none) and what a kept report speaks of."""
    space_id, entrance_id, what = key.split("/", 3)[:3]
    return space_id, entrance_id, what


def _has_entrance(arrays: SiteArrays, space: int, entrance: object) -> bool:
    if not isinstance(entrance, str | None):
        return False
    return not entrance or entrance_index(arrays, space, entrance) >= 0


def said_in(arrays: SiteArrays, space: int, act: Act) -> list[tuple[str, FieldReport]]:
    """Return what a report says of its space, by what it speaks of; nothing where its entrance is not there."""
    body = act.body
    if not _has_entrance(arrays, space, body.get("entrance")):
        return []
    observed_us = min(_instant_us(body.get("observed_at"), act.acted_us), act.acted_us)
    expires_us = _instant_us(body.get("expires_at"), observed_us + 3_600_000_000)
    by, note = str(body.get("by") or act.author), str(body.get("note") or "")
    told = (by, act.author, observed_us, expires_us, note, reporter_of(by, act.author, str(body.get("phone") or "")))
    found = []
    depth = body.get("depth_m")
    if isinstance(depth, int | float) and not isinstance(depth, bool) and 0.0 <= depth <= MOST_DEPTH_M:
        found.append(("depth", FieldReport(float(depth), *told)))
    barrier = BARRIER_STATE_BY_WORD.get(str(body.get("barrier")))
    if barrier is not None and body.get("entrance"):
        found.append(("barrier", FieldReport(float(barrier), *told)))
    others = {"pump": PUMP_WORDS.get(str(body.get("pump")))}
    others |= {name: _flag(body.get(name)) for name in ("closed", "evacuated")}
    found += [(name, FieldReport(value, *told)) for name, value in others.items() if value is not None]
    return found


def _flag(value: object) -> float | None:
    return float(value) if isinstance(value, bool) else None


def _instant_us(value: object, default_us: int) -> int:
    if not isinstance(value, str):
        return default_us
    try:
        found = datetime.fromisoformat(value)
        return to_us(found) if is_meant(found) else default_us
    except (ValueError, TypeError):
        return default_us


def _counts(known: FieldReport | None, new: FieldReport) -> bool:
    """Tell whether a report takes the place of the one known: the same reporter's, whenever seen, or one not older."""
    return known is None or (new.reporter == known.reporter != "") or new.observed_us >= known.observed_us


def ended_reports(state: EngineState, arrays: SiteArrays, tick_us: int) -> None:
    """Forget the reports that have ended."""
    for key, report in sorted(state.reports.items()):
        if tick_us < report.expires_us:
            continue
        space_id, _, what = place_of(key)
        space = arrays.space_index[space_id]
        stood_down = state.stood_down_us[space] != NEVER_US
        if what != "depth" or stood_down or _found_dry(state, arrays, key) or _notice_is_over(state, arrays, key):
            del state.reports[key]
            state.written_signature[space] = -2


def _found_dry(state: EngineState, arrays: SiteArrays, key: str) -> bool:
    """Tell whether every spot of the place of a report has said well since it expired that it is dry; one at least.

    Where exactly a person stood is not known, so a spot that is silent may be the one. At one spot a sensor that is
    dead is outlived by another; one that tells of water, well or not, is not.
    """
    space_id, entrance_id, _ = place_of(key)
    space, expired_us = arrays.space_index[space_id], state.reports[key].expires_us
    here = (arrays.l_space == space) & (arrays.l_entrance == entrance_index(arrays, space, entrance_id))
    sensors = arrays.l_sensor[here & ~arrays.s_left[arrays.l_sensor]]
    wet = state.held[sensors] >= WET_DEPTH_M.value
    if not sensors.size or (wet & (state.evidence_us[sensors] >= expired_us)).any():
        return False
    entrance = entrance_index(arrays, space, entrance_id)
    switches = np.flatnonzero((arrays.s_role == FLOAT) & (arrays.s_space == space) & (arrays.s_entrance == entrance))
    if any(state.held[s] >= 0.5 and trip_m(arrays, s) >= 0.0 for s in switches.tolist()):
        return False
    dry = ~wet & (state.good_us[sensors] >= expired_us) & (state.good_run[sensors] > 0)
    say_so = [arrays.sensors[s] for s in sensors[dry].tolist()]
    return all(any(of_one_spot(arrays.sensors[s], other) for other in say_so) for s in sensors.tolist())


def _notice_is_over(state: EngineState, arrays: SiteArrays, key: str) -> bool:
    """Tell whether a depth below yellow, of which there is no alarm to stand down, has expired and was looked at."""
    space_id, entrance_id, what = place_of(key)
    space, ended = arrays.space_index[space_id], state.reports[key]
    open_ = np.zeros(len(arrays.entrances), np.bool_)
    if severity_of_depth(arrays, space, entrance_id, ended.value, open_) >= LEAST_ALARM_SEVERITY:
        return False
    return any(
        place_of(other) == (space_id, entrance_id, what) and report.observed_us >= ended.expires_us
        for other, report in state.reports.items()
    )


def with_reported_barriers(
    state: EngineState, arrays: SiteArrays, fresh: BoolArray, closed: BoolArray, asked: Mapping[int, tuple[int, ...]]
) -> BoolArray:
    """Return the barriers known to be deployed, by switches and by people; neither outdoes a switch that flaps."""
    if not state.reports:
        return closed
    closed = closed.copy()
    for key, report in sorted(state.reports.items()):
        name, entrance_id, what = place_of(key)
        if what != "barrier":
            continue
        entrance = entrance_index(arrays, arrays.space_index[name], entrance_id)
        if report.value != float(BarrierState.DEPLOYED):
            closed[entrance] = False
        elif arrays.entrances[entrance].entrance.barrier is not None:
            switches = np.array(asked.get(entrance, ()), np.int64)
            denied = _denied(state, arrays, switches, report.observed_us) or bool(
                (fresh[switches] & np.isin(state.value[switches], NOT_CLOSED)).any()
            )
            closed[entrance] = not denied and not flapping(state, switches).any()
    return closed


def _denied(state: EngineState, arrays: SiteArrays, switches: IntArray, seen_us: int) -> bool:
    """Tell whether a switch said that it does not close, and was not yet silent when a person saw it closed."""
    said_us = state.denied_us[switches]
    silent_us = said_us + arrays.stale_us(arrays.s_stale_intervals)[switches]
    return bool(((said_us != NEVER_US) & (seen_us <= silent_us)).any())


def known_not_closed(state: EngineState, arrays: SiteArrays, fresh: BoolArray) -> BoolArray:
    """Tell at which entrances a fresh switch, or a person, says that the barrier does not close it. Shape (E,)."""
    known = said_by_switches(state, arrays, fresh, NOT_CLOSED)
    for key, report in state.reports.items():
        name, entrance_id, what = place_of(key)
        if what == "barrier" and report.value in NOT_CLOSED:
            known[entrance_index(arrays, arrays.space_index[name], entrance_id)] = True
    return known


def reported_severity(state: EngineState, arrays: SiteArrays, closed: BoolArray) -> NDArray[np.int8]:
    """Return the severity of the depths that people reported. Shape (N,)."""
    severity = np.zeros(arrays.n_spaces, np.int8)
    for key, report in sorted(state.reports.items()):
        name, entrance_id, what = place_of(key)
        if what == "depth":
            space = arrays.space_index[name]
            reached = severity_of_depth(arrays, space, entrance_id, report.value, closed)
            severity[space] = max(int(severity[space]), reached)
    return severity


def severity_of_depth(arrays: SiteArrays, space: int, entrance_id: str, depth_m: float, closed: BoolArray) -> int:
    """Return the severity of a depth at an entrance, or inside (no entrance), by the water thresholds there. [m]"""
    entrance = entrance_index(arrays, space, entrance_id)
    shut = entrance >= 0 and bool(closed[entrance])
    least, _ = least_at(arrays, space, entrance, closed=shut)
    return max((row + 1 for row in range(4) if depth_m >= least[row]), default=0)


def shown_reports(reports: Mapping[str, FieldReport], space_id: str) -> list[dict[str, Any]]:
    """Return the reports of a space as an assessment's evidence shows them."""
    found = []
    for key, report in sorted(reports.items()):
        name, entrance, what = place_of(key)
        if name == space_id:
            found.append(
                {
                    "entrance": entrance or None,
                    "depth_m" if what == "depth" else what: _shown(what, report.value),
                    "by": report.by,
                    "observed_at": iso(report.observed_us),
                    "expires_at": iso(report.expires_us),
                    "note": report.note,
                }
            )
    return found


def _shown(what: str, value: float) -> object:
    match what:
        case "depth":
            return value
        case "barrier":
            return BarrierState(int(value)).word
        case "pump":
            return "running" if value >= 0.5 else "stopped"
    return value >= 0.5
