"""The notifier's loop: woken by ticks, decides at least every half second, restarts what the database takes away."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import structlog

from duty.channels.faults import tell_channel_faults
from duty.channels.worker import Channel, Limiter, Worker
from duty.file import DutyFile, sender_of
from duty.log.hourly import KeepSigned, signing_hourly
from duty.notify.notifier import Notifier
from duty.notify.report_watch import ReportWatch
from duty.notify.unreached import pass_on, rescue
from duty.orders.command import CommandBook
from duty.roster.gap import gap_conditions
from duty.roster.stored import load_roster
from duty.telling.addressed import Channels
from duty.telling.names import load_names
from duty.telling.texts import Style
from undercroft.clock import Clock, SteadyClock
from undercroft.errors import BadInput, StackFailed, StoreUnavailable
from undercroft.model import Mode
from undercroft.store import duty as store
from undercroft.store.commit import listen_for_ticks, wait_for_tick
from undercroft.store.conditions import list_conditions, set_condition
from undercroft.store.connection import Connection, connect
from undercroft.store.migrate import mode_of
from undercroft.store.site import latest_site
from undercroft.store.standstill import await_release

log = structlog.get_logger(__name__)

WAIT_S = 0.25
RECONNECT_AFTER_S = 1.0
BEAT_EVERY_S = 2.0
RESCUE_EVERY_S = 1.0
RESCUE_GRACE_S = 5.0
"""What waited while the notifier or the database was away may be sent first, before anybody is told past it."""
CHANNEL_LOOK_EVERY_S = 10.0
GAP_LOOK_EVERY_S = 60.0
GAP_AHEAD = timedelta(hours=24)
SITE_LOOK_EVERY_S = 2.0
ANSWER_WITHIN_S = 30.0
"""A database that lets one statement wait this long is left, and connected to anew: it may be frozen, or gone."""


@dataclass(slots=True)
class _Timers:
    beat_s: float = -1e9
    rescue_s: float = -1e9
    late_from_s: float = -1e9
    channels_s: float = -1e9
    gap_s: float = -1e9
    site_s: float = -1e9
    site_seq: int = -1


def run_duty(
    url: str, clock: Clock, stop: threading.Event, duty_file: DutyFile, environment: Mapping[str, str],
    announce_ready: Callable[[], None], keep_signed: KeepSigned | None = None,
) -> None:  # fmt: skip
    """Notify until told to stop.

    Raises
    ------
    StackFailed
        If a channel's thread ended by a fault of ours.
    """
    faults: list[str] = []
    mode = _await_mode(url, stop)
    if mode is None:
        return
    channels = channels_of_mode(duty_file, mode)
    if mode is Mode.LIVE and not channels.usable:
        log.error("nobody_can_be_told", error="the duty file names no channel: alarms are raised, and nobody is told")
    elif mode is Mode.LIVE and not channels.fallback:
        log.error("no_fallback", error="the duty file names no fallback: while the roster is empty nobody is told")
    steady = SteadyClock(clock)
    workers = _workers(url, duty_file, channels, (clock, steady), environment, stop, faults)
    for worker in workers:
        worker.start()
    said = [False]

    def ready() -> None:
        if not said[0]:
            said[0] = True
            announce_ready()

    while not stop.is_set():
        try:
            _follow(url, steady, stop, duty_file, channels, workers, ready, faults, keep_signed)
        except StoreUnavailable as error:
            log.warning("database_gone", error=str(error))
            stop.wait(RECONNECT_AFTER_S)
    for worker in workers:
        worker.join(timeout=2.0)
    if faults:
        raise StackFailed(faults[0])


def _await_mode(url: str, stop: threading.Event) -> Mode | None:
    """Return what the database is for, as soon as it answers and is not held; None when told to stop before."""
    while not stop.is_set():
        try:
            with closing(_session(url, "undercroft-duty")) as connection:
                if await_release(connection, stop.is_set, stop.wait, _say_held):
                    return mode_of(connection)
        except StoreUnavailable as error:
            log.warning("database_gone", error=str(error))
            stop.wait(RECONNECT_AFTER_S)
    return None


def _say_held(since: datetime) -> None:
    log.warning("database_held", since=since.isoformat(), until="undercroft db release")


def _session(url: str, name: str) -> Connection:
    return connect(url, application_name=name, autocommit=True, answer_within_s=ANSWER_WITHIN_S)


def channels_of_mode(duty_file: DutyFile, mode: Mode) -> Channels:
    """Return the channels that may be used: all of them live, those that the drill names in an exercise."""
    known = frozenset(channel.id for channel in duty_file.channels)
    usable = known if mode is Mode.LIVE else known & set(duty_file.drill)
    return Channels(usable, known - usable, duty_file.fallback_reach())


def _workers(
    url: str, duty_file: DutyFile, channels: Channels, clocks: tuple[Clock, SteadyClock],
    environment: Mapping[str, str], stop: threading.Event, faults: list[str],
) -> list[Worker]:  # fmt: skip
    clock, steady = clocks  # a signature has the time of day, whatever was told before
    return [
        Worker(
            url,
            Channel(
                entry.id,
                sender_of(entry, environment, lambda: clock.now().timestamp()),
                Limiter(*entry.pace),
                steady,
            ),
            stop,
            _fault_of(faults, stop),
        )
        for entry in duty_file.channels
        if entry.id in channels.usable
    ]


def _fault_of(faults: list[str], stop: threading.Event) -> Callable[[str], None]:
    """Return what a thread calls whose fault ends the service."""

    def on_fault(text: str) -> None:
        faults.append(text)
        stop.set()

    return on_fault


def _follow(  # noqa: PLR0913, PLR0917 - the loop's surroundings
    url: str, steady: SteadyClock, stop: threading.Event, duty_file: DutyFile, channels: Channels,
    workers: list[Worker], ready: Callable[[], None], faults: list[str], keep_signed: KeepSigned | None,
) -> None:  # fmt: skip
    with (
        closing(_session(url, "undercroft-duty")) as connection,
        closing(_session(url, "undercroft-duty-listener")) as listener,
        ExitStack() as beside,
    ):
        listen_for_ticks(listener)
        if not _await_lock(connection, stop):
            return
        if keep_signed is not None:
            beside.enter_context(signing_hourly(url, keep_signed, steady.now, _fault_of(faults, stop)))
        mode = mode_of(connection)
        reports = ReportWatch(duty_file.reports.limits())
        style = _style(connection, mode)
        notifier = Notifier(connection, channels, style, duty_file.intervals.policy(), reports)
        notifier.restore()
        log.info("duty_follows", mode=mode.value, channels=sorted(channels.usable), incidents=len(notifier.incidents))
        ready()
        steady.be_at_least(notifier.reached().decided_at if mode is Mode.LIVE else None)
        timers = _Timers(late_from_s=steady.monotonic_s() + RESCUE_GRACE_S)
        while not stop.is_set() and not faults:
            taken = _step(notifier, mode, steady, timers)
            if taken:
                for worker in workers:
                    worker.wake()
                continue
            wait_for_tick(listener, WAIT_S)


def _style(connection: Connection, mode: Mode) -> Style:
    try:
        site = latest_site(connection)[1]
    except BadInput:  # no site yet: no alarms either
        return Style(load_names(connection), ZoneInfo("Asia/Shanghai"), mode is Mode.EXERCISE)
    zone, book = ZoneInfo(site.district.timezone), CommandBook(site.commands)
    return Style(load_names(connection), zone, mode is Mode.EXERCISE, book)


def _step(notifier: Notifier, mode: Mode, steady: SteadyClock, timers: _Timers) -> int:
    (now, set_back), now_s = steady.now_and_set_back(), steady.monotonic_s()
    if set_back and mode is Mode.LIVE:
        notifier.set_back(now, set_back)
    if now_s - timers.site_s >= SITE_LOOK_EVERY_S:
        timers.site_s = now_s
        _keep_style(notifier, mode, timers)
    taken = notifier.step_run(now) if mode is Mode.EXERCISE else notifier.step_live(now, now)
    if now_s - timers.beat_s >= BEAT_EVERY_S:
        store.beat(notifier.connection, now)
        timers.beat_s = now_s
    if now_s - timers.rescue_s >= RESCUE_EVERY_S:
        timers.rescue_s = now_s
        at = now if mode is Mode.LIVE else notifier.reached().decided_at or now
        taken += pass_on(notifier, at, now)
        rescued = rescue(notifier, at, now, refused_only=now_s < timers.late_from_s)
        taken += rescued
        if rescued:
            log.error("nobody_reached", causes=rescued)
    # Conditions are judged by this clock and read by the engine: a run would not give the same alarm log twice.
    if mode is Mode.LIVE and now_s - timers.channels_s >= CHANNEL_LOOK_EVERY_S:
        timers.channels_s = now_s
        for condition in tell_channel_faults(notifier.connection, now, notifier.channels.fallback):
            log.warning(condition.name, holds=condition.is_active, detail=condition.detail)
    if mode is Mode.LIVE and now_s - timers.gap_s >= GAP_LOOK_EVERY_S:
        timers.gap_s = now_s
        _tell_gap(notifier.connection, now, notifier.style.zone)
    return taken


def _keep_style(notifier: Notifier, mode: Mode, timers: _Timers) -> None:
    """Take names, time zone and who leads from a site that was imported since."""
    site_seq = store.site_seq(notifier.connection)
    if site_seq != timers.site_seq:
        timers.site_seq, notifier.style = site_seq, _style(notifier.connection, mode)
        notifier.heal()


def _tell_gap(connection: Connection, now: datetime, zone: ZoneInfo) -> None:
    """Have the gaps ahead stand as alarms of the system, one a step, so that who is on duty is told before they begin.

    One that begins earlier than what was told is told again.
    """
    gaps = load_roster(connection, now, now + GAP_AHEAD).gaps(now, now + GAP_AHEAD)
    for condition, anew in gap_conditions(gaps, now, GAP_AHEAD, zone, list_conditions(connection)):
        if set_condition(connection, condition, "duty", now, anew=anew):
            log.warning(condition.name, holds=condition.is_active, detail=condition.detail)


def _await_lock(connection: Connection, stop: threading.Event) -> bool:
    told = False
    while not stop.is_set():
        if store.try_duty_lock(connection):
            return True
        if not told:
            log.info("another_notifier_runs", waiting=True)
            told = True
        stop.wait(WAIT_S)
    return False
