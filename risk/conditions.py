"""Alarms of devices and of the system, from the conditions that ingest, canary and devices tell. Pure.

A condition comes as an act ``system_condition`` in the commit order, so a replay finds it where it was. Its subject
is ``system/<name>`` or ``device/<id>/<name>``, its body ``{is_active, value, threshold, unit, detail}``, and
``is_worse`` where what held already has to be looked at again. Every system condition is an alarm of its own; those of
one device make one alarm. Evidence here is somebody's word, told at the
change and not in samples: there is no on-delay and no off-delay, and nothing but that word ends a condition.
People acknowledge and shelve these alarms as they do those of spaces, under the same rules.
"""

from __future__ import annotations

from collections.abc import Container, Iterable
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from risk.arrays import iso
from risk.asked import acknowledge_refused, shelving_of, storm_end_us
from risk.condition_words import severity_of, words_of
from risk.output import CLEARED, RAISED, REASON_ADDED, SEVERITY_DOWN, SEVERITY_UP, AlarmEvent, AlarmRow
from risk.warnings import Act

KIND = "system_condition"
REFUSED, ACKNOWLEDGED, SHELVED, UNSHELVED = "refused", "acknowledged", "shelved", "unshelved"


@dataclass(frozen=True, slots=True)
class Told:
    """A condition that holds: its severity, what was told of it, and when. [microseconds since 1970]"""

    severity: int
    told_us: int
    body: dict[str, Any]


@dataclass(frozen=True, slots=True)
class ConditionAlarm:
    """The alarm of a device or of the system; severity 0 is "no alarm". Times are microseconds since 1970."""

    occurrence: int = 0
    events: int = 0
    severity: int = 0
    peak: int = 0
    raised_us: int = 0
    acknowledged: bool = False
    latched: bool = False
    shelved_us: int | None = None
    suppressed_by: str | None = None
    """The alarm that this one follows from; see `risk.suppression`."""
    told: dict[str, Told] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Return the alarm as plain values."""
        return asdict(self)

    @classmethod
    def from_json(cls, body: dict[str, Any]) -> ConditionAlarm:
        """Return what `as_json` gave."""
        told = {name: Told(**entry) for name, entry in body["told"].items()}
        return cls(**{**body, "told": told})


Conditions = dict[str, ConditionAlarm]


@dataclass(slots=True)
class ConditionOutput:
    """What a tick says of devices and the system: events in order, and the alarms that they touched."""

    events: list[AlarmEvent] = field(default_factory=list)
    alarms: dict[tuple[str, int], AlarmRow] = field(default_factory=dict)

    def take(self, events: Iterable[AlarmEvent], alarms: Iterable[AlarmRow]) -> None:
        """Add what happened to alarms of other subjects that no space of the site stands for."""
        self.events.extend(events)
        self.alarms |= {(alarm.subject, alarm.occurrence): alarm for alarm in alarms}


def fold_conditions(
    conditions: Conditions, acts: Iterable[Act], tick_us: int, devices: Container[str], *, storm: bool
) -> ConditionFold:
    """Take the acts of a tick in commit order, let shelvings that expired end, and return what happened.

    What is told of a device that the site does not have says nothing, and the alarm of one that it has no longer ends.

    Parameters
    ----------
    conditions : dict
        Alarm by subject; changed in place.
    devices : container of str
        Those of the site.
    storm : bool
        Whether shelving is short now.
    """
    fold = ConditionFold(conditions, tick_us, storm)
    for subject, alarm in sorted(conditions.items()):
        if alarm.severity and _is_gone(subject, devices):
            fold.end(subject, {"by": "the device is no longer in the site"}, {})
        elif bool(alarm.told) is not (alarm.severity > 0):
            fold.settle(subject)
    for act in sorted(acts, key=lambda act: act.commit_seq):
        if act.kind == KIND:
            if not _is_gone(_split(act.subject)[0], devices):
                fold.take(act)
        elif act.subject in conditions and act.kind in _ACTS:
            fold.answer(act)
    for subject, alarm in sorted(conditions.items()):
        if alarm.shelved_us is not None and alarm.shelved_us <= tick_us:
            fold.say(subject, UNSHELVED, {"by": "expiry"}, shelved_us=None)
        elif storm and alarm.shelved_us is not None and storm_end_us(alarm.shelved_us, tick_us) < alarm.shelved_us:
            until_us = storm_end_us(alarm.shelved_us, tick_us)
            fold.say(subject, SHELVED, {"by": "storm", "until": iso(until_us)}, shelved_us=until_us)
    return fold


def _is_gone(subject: str, devices: Container[str]) -> bool:
    kind, _, name = subject.partition("/")
    return kind == "device" and name not in devices


@dataclass(slots=True)
class ConditionFold:
    """The alarms of devices and of the system within a tick, and what was said of them so far."""

    conditions: Conditions
    tick_us: int
    storm: bool
    output: ConditionOutput = field(default_factory=ConditionOutput)

    def take(self, act: Act) -> None:
        """Take what was told of a condition."""
        subject, name = _split(act.subject)
        alarm = self.conditions.get(subject, ConditionAlarm())
        told = {other: entry for other, entry in alarm.told.items() if other != name}
        if act.body.get("is_active") is True:
            told[name] = Told(severity_of(name), act.acted_us, dict(act.body))
        elif name not in alarm.told:
            return
        severity = max((entry.severity for entry in told.values()), default=0)
        now: dict[str, Any] = {"told": told, "severity": severity}
        anew = {"acknowledged": False, "latched": False}
        if alarm.severity == 0:
            self.say(subject, RAISED, {}, **now, **anew, **self._first(alarm, severity))
        elif severity > alarm.severity:
            self._end_shelving(subject, alarm, "rising severity")
            self.say(subject, SEVERITY_UP, {}, **now, **anew, peak=max(alarm.peak, severity))
        elif severity == 0:
            self.end(subject, {}, told)
        elif severity < alarm.severity:
            self.say(subject, SEVERITY_DOWN, {}, **now)
        elif len(told) > len(alarm.told) or act.body.get("is_worse") is True:
            self._end_shelving(subject, alarm, "another reason")
            self.say(subject, REASON_ADDED, {}, **now, **anew)
        else:
            self.keep(subject, replace(alarm, told=told))

    def settle(self, subject: str) -> None:
        """Raise or end an alarm that another version of the engine left otherwise than what is told of it."""
        alarm = self.conditions[subject]
        if not alarm.told:
            self.end(subject, {"by": "an upgrade of the engine: nothing is told of it"}, {})
            return
        severity = max(entry.severity for entry in alarm.told.values())
        anew = {"severity": severity, "acknowledged": False, "latched": False}
        self.say(subject, RAISED, {}, **anew, **self._first(alarm, severity))

    def _end_shelving(self, subject: str, alarm: ConditionAlarm, by: str) -> None:
        if alarm.shelved_us is not None:
            self.say(subject, UNSHELVED, {"by": by}, shelved_us=None)

    def _first(self, alarm: ConditionAlarm, severity: int) -> dict[str, Any]:
        return {"occurrence": alarm.occurrence + 1, "raised_us": self.tick_us, "peak": severity}

    def end(self, subject: str, detail: dict[str, Any], told: dict[str, Told]) -> None:
        """End an alarm; it is latched where nobody had acknowledged it."""
        alarm = self.conditions[subject]
        lasted = {"peak_severity": alarm.peak, "lasted_s": (self.tick_us - alarm.raised_us) // 1_000_000}
        self.say(
            subject, CLEARED, lasted | detail, told=told, severity=0, latched=not alarm.acknowledged, shelved_us=None,
            suppressed_by=None,
        )  # fmt: skip

    def answer(self, act: Act) -> None:
        """Do what a person asks of an alarm, or say why not."""
        alarm = self.conditions[act.subject]
        refusal: str | None = None
        if act.kind == "acknowledge":
            refusal = acknowledge_refused(alarm.severity, acknowledged=alarm.acknowledged, latched=alarm.latched)
            if refusal is None:
                detail = {"author": act.author, "comment": str(act.body.get("comment", ""))}
                self.say(act.subject, ACKNOWLEDGED, detail, acknowledged=True, latched=False)
        elif act.kind == "shelve":
            shelving = shelving_of(act, alarm.severity, self.tick_us, storm=self.storm)
            if isinstance(shelving, str):
                refusal = shelving
            else:
                self.say(act.subject, SHELVED, shelving.detail, shelved_us=shelving.until_us)
        elif alarm.shelved_us is None:
            refusal = "it is not shelved"
        else:
            self.say(act.subject, UNSHELVED, {"by": act.author}, shelved_us=None)
        if refusal is not None:
            self.say(act.subject, REFUSED, {"act": act.kind, "author": act.author, "why": refusal})

    def say(self, subject: str, kind: str, detail: dict[str, Any], **changed: Any) -> None:
        """Change an alarm, and write the event that says so."""
        before = self.conditions.get(subject, ConditionAlarm())
        alarm = self.conditions[subject] = replace(before, events=before.events + 1, **changed)
        said = _reasons(alarm) if kind in _TOLD_WITH_REASONS else []
        self.output.events.append(
            AlarmEvent(subject, alarm.events, alarm.occurrence, kind, alarm.severity, said, detail)
        )
        if kind != REFUSED:
            self.keep(subject, alarm, before.severity, self.tick_us if kind == CLEARED else None)

    def keep(self, subject: str, alarm: ConditionAlarm, was: int = 0, cleared_us: int | None = None) -> None:
        """Have an alarm stand as it is, in the words of what is told of it now."""
        self.conditions[subject] = alarm
        row = _row(subject, alarm, was, cleared_us, _reasons(alarm))
        self.output.alarms[subject, alarm.occurrence] = row


def _row(
    subject: str, alarm: ConditionAlarm, was: int, cleared_us: int | None, reasons: list[dict[str, Any]]
) -> AlarmRow:
    return AlarmRow(
        subject=subject,
        occurrence=alarm.occurrence,
        subject_kind=subject.partition("/")[0],
        severity=alarm.severity or was or alarm.peak,
        peak_severity=alarm.peak,
        active=alarm.severity > 0,
        raised_us=alarm.raised_us,
        cleared_us=cleared_us,
        reasons=reasons,
        acknowledged=alarm.acknowledged,
        latched=alarm.latched,
        shelved_us=alarm.shelved_us,
        suppressed_by=alarm.suppressed_by,
    )


def _split(subject: str) -> tuple[str, str]:
    """Return the subject of the alarm and the name of the condition.

    Examples
    --------
    >>> _split("system/ingest-lag"), _split("device/d1/offline")
    (('system/ingest-lag', 'ingest-lag'), ('device/d1', 'offline'))
    """
    whole, _, name = subject.rpartition("/")
    return (subject, name) if whole == "system" else (whole, name)


def _reasons(alarm: ConditionAlarm) -> list[dict[str, Any]]:
    """Return what is told of an alarm, worst first, in the form of every reason."""
    listed = sorted(alarm.told.items(), key=lambda entry: (-entry[1].severity, entry[0]))
    return [_reason(name, told) for name, told in listed]


def _reason(name: str, told: Told) -> dict[str, Any]:
    text_en, text_zh = words_of(name, told.body)
    return {
        "rule": name,
        "severity": told.severity,
        "value": told.body.get("value"),
        "unit": told.body.get("unit"),
        "threshold": told.body.get("threshold"),
        "source": "default (proposal)",
        "sensor": None,
        "observed_at": iso(told.told_us),
        "text_en": text_en,
        "text_zh": text_zh,
    }


_ACTS = frozenset({"acknowledge", "shelve", "unshelve"})
_TOLD_WITH_REASONS = frozenset({RAISED, SEVERITY_UP, SEVERITY_DOWN, REASON_ADDED})
