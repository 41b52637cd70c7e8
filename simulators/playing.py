"""A run played with the broker and the database of the settings: what every command that publishes shares."""

from __future__ import annotations

import signal
import sys
from contextlib import ExitStack
from dataclasses import replace
from itertools import chain
from pathlib import Path

from simulators.driver import play
from simulators.mqtt import publisher
from simulators.stats import open_progress, shows, stats_of, write_stats
from simulators.steps import Run, rfc3339
from undercroft.clock import SystemClock
from undercroft.errors import BadInput
from undercroft.model import Mode
from undercroft.settings import Settings
from undercroft.stack.beside import exercise_beside, running_beside
from undercroft.store.run import Progress, engine_progress

CLIENT_ID = "undercroft-simulate"


def speed_asked_for(text: str) -> float | None:
    """Return simulated seconds per second; None for ``max``."""
    if text == "max":
        return None
    try:
        speed = float(text)
    except ValueError:
        speed = 0.0
    if not speed > 0.0:
        raise BadInput(f"--speed {text}: expected a number above 0, or max")
    if not 0.001 <= speed <= 1e6:
        raise BadInput(f"--speed {text}: expected a number from 0.001 to 1000000, or max")
    return speed


def play_run(run: Run, speed: float | None, *, stats: Path | None, progress: Path | None) -> None:
    """Play a run through the broker of the settings, behind the engine of their database if there is one.

    Without a broker there, through that of the exercise that ``undercroft up`` runs in DATA_DIR.

    Raises
    ------
    BadInput
        If there is no broker, the database is a live one, or it has heard another run, or this one to its end.
    """
    mqtt_url, database_url = _broker_and_database(Settings())
    if stats is not None and not stats.absolute().parent.is_dir():
        raise BadInput(f"{stats}: --stats: there is no folder {stats.absolute().parent}")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    with ExitStack() as stack:
        newest_seq = None
        if database_url is not None:
            newest_seq = stack.enter_context(engine_progress(database_url))
            run = not_over(run, newest_seq)
        lines = stack.enter_context(open_progress(progress)) if progress is not None else None
        broker = stack.enter_context(publisher(mqtt_url, CLIENT_ID))
        played = play(run, broker, SystemClock(), speed=speed, progress=newest_seq, show=shows(lines))
    if stats is not None:
        write_stats(stats_of(run, played), stats)


def not_over(run: Run, progress: Progress) -> Run:
    """Return the run, looked at: an exercise's clock never goes back, and what does not go on from it is not heard.

    The same run may begin again from its start, as after an interruption: what was heard before counts once.

    Raises
    ------
    BadInput
        If the exercise has heard another run, or this one to its end.
    """
    last = progress.newest_clock()
    first = next(run.steps, None)
    if first is None or last is None:
        return run if first is None else replace(run, steps=chain([first], run.steps))
    goes_on = first.seq > last.seq and first.now >= last.now
    again = progress.clock_of(first.seq) == first.now and run.end > last.now
    if not (goes_on or again):
        raise BadInput(
            f"this exercise has run already: its clock stands at {rfc3339(last.now)} and never goes back, so nothing of"
            f" {run.name} ({rfc3339(first.now)} to {rfc3339(run.end)}) would be judged; start `undercroft"
            " up --mode exercise` in another UNDERCROFT_DATA_DIR, or empty this one with `undercroft db reset` and"
            " start it again"
        )
    return replace(run, steps=chain([first], run.steps))


def has_broker() -> bool:
    """Tell whether there is a broker to play to: that of the settings, or of the exercise that runs in DATA_DIR."""
    settings = Settings()
    if settings.mqtt_url is not None:
        return True
    found = running_beside(settings.data_dir)
    return found is not None and found.mode == Mode.EXERCISE


def _broker_and_database(settings: Settings) -> tuple[str, str | None]:
    named = None if settings.database_url is None else settings.database_url.get_secret_value()
    if settings.mqtt_url is not None:
        return settings.mqtt_url.get_secret_value(), named
    found = exercise_beside(settings.data_dir)
    return found.mqtt_url, named or found.database_url
