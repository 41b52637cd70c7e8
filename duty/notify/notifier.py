"""From the alarm log to queued messages: one transaction for what was read, what was decided and what is to be sent."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import structlog

from duty.incidents.codec import from_json
from duty.incidents.devices_apart import begins_anew, carried, left_over
from duty.incidents.incidents import NEWS, Incident, fold, is_of_space, opened, settled
from duty.incidents.rows import event_of, incident_row
from duty.late.late_text import write_late, write_late_reports
from duty.late.lateness import Reminded, remind
from duty.late.unfinished_text import write_no_order, write_undone
from duty.model import ENDS, AlarmEventIn, Person, Policy, Reason
from duty.notify.late_orders import late_orders, reminded_row
from duty.notify.order_watch import OrderWatch
from duty.notify.report_watch import ReportWatch
from duty.notify.set_back import incident_set_back
from duty.roster.roster import Roster
from duty.roster.stored import load_roster
from duty.telling.addressed import Channels, end_rows, late_rows, rows_of
from duty.telling.decide import Cause, due, is_over, open_elsewhere
from duty.telling.ended import write_end
from duty.telling.texts import Style
from undercroft.store import duty as store
from undercroft.store import duty_late
from undercroft.store.connection import Connection

log = structlog.get_logger(__name__)

TICKS_AT_ONCE = 200
ROSTER_AROUND = timedelta(days=8)

NOT_OF_ALARMS = ENDS | frozenset({Reason.ORDER_LATE, Reason.REPORT_LATE, Reason.PROBE})
TOLD = frozenset(Reason) - NOT_OF_ALARMS
"""Reasons after which somebody waits for the end: whatever told of an open alarm."""


@dataclass(slots=True)
class Notifier:
    """Reads the alarm log, decides, and queues; the connection is in autocommit and holds the lock of the notifier."""

    connection: Connection
    channels: Channels
    style: Style
    policy: Policy = field(default_factory=Policy)
    reports: ReportWatch = field(default_factory=ReportWatch)
    orders: OrderWatch = field(default_factory=OrderWatch)
    incidents: dict[str, Incident] = field(default_factory=dict)
    progress: store.Progress | None = None
    beyond_help: set[str] = field(default_factory=set)
    """Causes of which the fallback was told, or would have been if there were one."""
    untold: set[str] = field(default_factory=set)
    """Incidents that nobody can be told of: said in the log once, not at every repetition."""

    def restore(self) -> None:
        """Take up where the last transaction ended."""
        self.progress = store.progress(self.connection)
        rows = store.open_incidents(self.connection)
        self.incidents = {row["basin_id"]: from_json(row["state"]) for row in rows}
        self.reports.restore(self.connection)
        self.heal()

    def heal(self) -> None:
        """Take in what was missed of the alarms of open incidents; end those of spaces that left the site.

        An alarm keeps the incident it began in, so nothing is missed. Incidents of a notifier that looked for an alarm
        in the basin where its place lies now are put right, and one whose place is gone can end.
        """
        reached = self.reached()
        held = [note for incident in self.incidents.values() for note in incident.open_alarms]
        pairs = [(note.subject, note.occurrence) for note in held]
        if pairs and reached.decided_at is not None:
            rows = store.events_of(self.connection, pairs, reached.tick_seq)
            gone = store.gone(self.connection, [subject for subject, _ in pairs])
            self._fold(rows, reached.decided_at, {}, {})
            for note in held:
                if note.subject in gone:
                    home = self._homes()[note.subject, note.occurrence]
                    end = AlarmEventIn(note.subject, note.occurrence, 0, "cleared", 0, reached.decided_at)
                    self.incidents[home] = fold(self.incidents[home], end)
            for basin, incident in self.incidents.items():
                self.incidents[basin] = settled(incident, reached.decided_at)

    def _homes(self) -> dict[tuple[str, int], str]:
        """Return, of each alarm of an open incident, the basin of that incident."""
        return {
            (note.subject, note.occurrence): basin
            for basin, incident in self.incidents.items()
            for note in incident.alarms
        }

    def step_run(self, beat_at: datetime) -> int:
        """Decide at every tick of a run that was not read yet, as if each had just happened; return how many."""
        ticks = self._ticks()
        if ticks:
            self._take([(tick["tick_seq"], tick["tick_at"]) for tick in ticks], beat_at)
        return len(ticks)

    def step_live(self, now: datetime, beat_at: datetime) -> int:
        """Decide now, on everything that was alarmed; return how many ticks were read."""
        before = self.reached().tick_seq
        newest = max(store.newest_tick(self.connection), before)
        self._take([(newest, now)], beat_at)
        return newest - before

    def set_back(self, now: datetime, by: timedelta) -> None:
        """Go on at an earlier time, with every wait as far along as it was: the clock was ahead and was set right."""
        before = self.reached()
        log.warning("clock_set_back", by_s=round(by.total_seconds()), now=now.isoformat())
        self.incidents = {basin: incident_set_back(entry, by) for basin, entry in self.incidents.items()}
        self.reports.set_back(by)
        store.save_decisions(
            self.connection, store.Progress(before.tick_seq, now, before.deployment_id),
            [incident_row(entry, None) for entry in self.incidents.values()], [], now, (),
            lambda connection: duty_late.set_back(connection, now, by),
        )  # fmt: skip
        self.restore()

    def reached(self) -> store.Progress:
        """Return how far the alarm log was read."""
        if self.progress is None:
            self.restore()
        assert self.progress is not None  # noqa: S101 - restore sets it
        return self.progress

    def _ticks(self) -> list[dict[str, Any]]:
        return store.ticks_after(self.connection, self.reached().tick_seq, TICKS_AT_ONCE)

    def _take(self, moments: list[tuple[int, datetime]], beat_at: datetime) -> None:
        before = self.reached()
        last_seq, last_at = moments[-1]
        rows = store.events(self.connection, before.tick_seq, last_seq) if last_seq > before.tick_seq else []
        late = late_orders(self.connection, last_at)
        if not rows and not self.incidents and not late and not self.reports.asked:
            self.save(store.Progress(last_seq, last_at, before.deployment_id), [], [], beat_at)
            return
        roster = self.roster(moments[0][1], last_at)
        presses = self.reports.look(self.connection, last_at)
        changed: dict[str, Incident] = {}
        closed: dict[str, datetime] = {}
        messages: list[dict[str, Any]] = []
        for tick_seq, at in moments:
            events = [row for row in rows if row["tick_seq"] <= tick_seq]
            rows = rows[len(events) :]
            self._fold(events, at, changed, closed)
            for basin, incident in sorted(self.incidents.items()):
                after, causes = due(incident, at, len(roster.chain(at)), self.policy)
                for decided in causes:
                    cause = self._end(decided, basin) if ENDS & set(decided.reasons) else decided
                    messages += self.messages(cause, basin, roster.chain(at), before.deployment_id)
                    if ENDS & set(cause.reasons):
                        messages += self._end_to_others(cause, basin, messages, before.deployment_id)
                if after is not incident:
                    self.incidents[basin] = changed[after.incident_id] = after
                if is_over(after, at, self.policy):
                    closed[after.incident_id] = at
                    changed[after.incident_id] = self.incidents.pop(basin)
                    left = left_over(after, at)
                    if left is not None:
                        self.incidents[basin] = changed[left.incident_id] = left
            messages += self._remind(late, at, roster.chain(at), before.deployment_id)
            if self.reports.looked_at is None:  # an incident became grave just now
                presses = self.reports.look(self.connection, last_at)
            if presses:
                messages += self._press(at, roster.chain(at), before.deployment_id)
        messages += self._ask(last_at, roster.chain(last_at), before.deployment_id, changed)
        saved = [incident_row(incident, closed.get(incident.incident_id)) for incident in changed.values()]
        reminded = [
            reminded_row(waits) for waits in late.values() if waits.at is not None and waits.at >= moments[0][1]
        ]
        self.save(store.Progress(last_seq, last_at, before.deployment_id), saved, messages, beat_at, reminded)

    def save(
        self,
        reached: store.Progress,
        incidents: Iterable[dict[str, Any]],
        messages: list[dict[str, Any]],
        beat_at: datetime,
        reminded: Sequence[dict[str, Any]] = (),
    ) -> None:
        """Commit what was decided, all of it or nothing."""
        clocks = self.reports.rows()
        store.save_decisions(
            self.connection, reached, list(incidents), messages, beat_at, reminded,
            lambda connection: duty_late.save_report_clocks(connection, clocks),
        )  # fmt: skip
        self.progress = reached
        if messages:
            log.info("messages_queued", count=len(messages), tick_seq=reached.tick_seq)

    def _remind(
        self, late: dict[str, Reminded], at: datetime, chain: tuple[Person, ...], deployment_id: str
    ) -> list[dict[str, Any]]:
        """Return a row for every way to reach those who are told that an order is late; its owner too, when on duty."""
        found = []
        for order_id, waits in list(late.items()):
            told = remind(waits, at, len(chain), self.policy)
            if told is None:
                continue
            late[order_id] = told
            written = write_late(told, at, self.style)
            rows = late_rows(
                told.cause, told.order.incident_id, Reason.ORDER_LATE, int(told.order.severity), told.step,
                told.order.owner, written, at, chain, self.channels, deployment_id, told.order.subject,
            )  # fmt: skip
            found += rows
            log.warning("order_late", order=order_id, reminders=told.times, messages=len(rows))
        return found

    def _ask(
        self, at: datetime, chain: tuple[Person, ...], deployment_id: str, changed: dict[str, Incident]
    ) -> list[dict[str, Any]]:
        """Return a row for every way to reach those who are told that somebody said "mine", and it is not done."""
        if not self.orders.look(self.connection, self.incidents.values(), at):
            return []
        found = []
        for basin, incident in sorted(self.incidents.items()):
            after, asked = self.orders.asked(incident, at, len(chain), self.policy, self.style.zone)
            named = self.style.basin(basin)
            for told in asked:
                written = (write_undone if told.undone else write_no_order)(told, incident, named, at, self.style)
                rows = late_rows(
                    told.cause, incident.incident_id, told.reason, int(told.severity), told.step, told.owner, written,
                    at, chain, self.channels, deployment_id, told.subjects,
                )  # fmt: skip
                found += rows
                log.warning(told.reason.value, incident=incident.incident_id, about=told.about, messages=len(rows))
            if after is not incident:
                self.incidents[basin] = changed[incident.incident_id] = after
        return found

    def _press(self, at: datetime, chain: tuple[Person, ...], deployment_id: str) -> list[dict[str, Any]]:
        """Return a row for every way to reach those who are told that reports are late; who drafted one too."""
        found = []
        for told in self.reports.late(self.incidents.values(), at, len(chain), self.policy):
            asked = told.asked
            written = write_late_reports(told, self.style.basin(asked.basin), at, self.style)
            rows = late_rows(
                told.cause, asked.incident_id, Reason.REPORT_LATE, int(asked.severity), told.step, asked.author,
                written, at, chain, self.channels, deployment_id, f"incident/{asked.incident_id}",
            )  # fmt: skip
            found += rows
            log.warning("report_late", incident=asked.incident_id, reports=len(told.clocks), messages=len(rows))
        return found

    def _end(self, cause: Cause, basin: str) -> Cause:
        """Return an end with what is open elsewhere: no all clear while an alarm of a space of the basin is open.

        Such an alarm is in the incident that it began in, of another basin: its space was moved.
        """
        others = [entry for name, entry in self.incidents.items() if name != basin]
        spaces = [note.subject for entry in others for note in entry.open_alarms if is_of_space(note.subject)]
        here = Reason.ALL_CLEAR in cause.reasons and basin in store.basins_of(self.connection, spaces)
        reasons = (Reason.ENDED,) * len(cause.reasons) if here else cause.reasons
        return replace(cause, reasons=reasons, elsewhere=open_elsewhere(self.incidents, basin))

    def _end_to_others(
        self, cause: Cause, basin: str, queued: Sequence[dict[str, Any]], deployment_id: str
    ) -> list[dict[str, Any]]:
        """Return the end for everybody whom the incident told, but for those told of it as being on duty now."""
        mine = [row for row in queued if row["incident_id"] == cause.incident_id]
        just_told = (row for row in mine if row["cause"] != cause.key and row["reason"] in TOLD)
        told = [*store.told(self.connection, cause.incident_id, TOLD), *just_told]
        written = write_end(cause, cause.reasons[0], self.style.basin(basin), self.style)
        return end_rows(cause, told, mine, written, self.channels, deployment_id)

    def _fold(
        self, rows: Sequence[dict[str, Any]], at: datetime, changed: dict[str, Incident], closed: dict[str, datetime]
    ) -> None:
        homes = self._homes() if rows else {}
        for row in rows:
            event = event_of(row)
            event = replace(event, at=min(event.at, at))  # the engine's clock was ahead: no wait begins in the future
            basin = homes.get((event.subject, event.occurrence), row["basin_id"])  # it keeps the incident it began in
            incident = self.incidents.get(basin)
            if incident is None:
                if event.kind not in NEWS:
                    continue  # an act on an alarm of an incident that has ended
                incident = opened(basin, event)
                closed.pop(incident.incident_id, None)
            elif begins_anew(incident, event, self.policy.linger):
                changed[incident.incident_id], closed[incident.incident_id] = incident, at
                incident = carried(incident, opened(basin, event))
            self.incidents[basin] = changed[incident.incident_id] = fold(incident, event)
            homes[event.subject, event.occurrence] = basin
            self.reports.note(self.incidents[basin], event)

    def roster(self, starts_at: datetime, ends_at: datetime) -> Roster:
        """Return the roster around a stretch of time."""
        return load_roster(self.connection, starts_at - ROSTER_AROUND, ends_at + ROSTER_AROUND)

    def messages(self, cause: Cause, basin: str, chain: tuple[Person, ...], deployment_id: str) -> list[dict[str, Any]]:
        """Return a row for every address of everybody who is told; say so where that is nobody."""
        found = rows_of(cause, self.style.basin(basin), chain, self.channels, self.style, deployment_id)
        if not found and cause.incident_id not in self.untold:
            log.error("nobody_to_tell", incident=cause.incident_id, cause=cause.key)
        (self.untold.discard if found else self.untold.add)(cause.incident_id)
        return found
