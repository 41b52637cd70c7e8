"""What a run tells about itself: lines for people, JSON lines for a view, and the statistics at its end."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TextIO

from simulators.driver import Played
from simulators.steps import Run, rfc3339
from undercroft.errors import BadInput

LINE_EVERY_S = 2.0


def stats_of(run: Run, played: Played) -> dict[str, Any]:
    """Return the statistics of a finished run; `readings_expected` is what the database must hold afterwards."""
    return {
        "scenario": run.name,
        "label": run.label,
        "seed": run.seed,
        "messages_published": played.messages_published,
        "clock_messages": played.clocks,
        "readings_expected": played.readings_expected,
        "dead_letters_expected": played.dead_letters_expected,
        "first_clock": None if played.first_clock is None else rfc3339(played.first_clock),
        "last_clock": None if played.last_clock is None else rfc3339(played.last_clock),
        "last_seq": played.last_seq,
        "simulated_seconds": played.simulated_s,
        "peak_at": None if run.peak_at is None else rfc3339(run.peak_at),
        "rain_total_mm": round(played.rain_total_mm, 1),
        "wall_seconds": round(played.wall_s, 3),
    }


def write_stats(stats: dict[str, Any], path: Path) -> None:
    """Write the statistics as JSON."""
    path.write_text(json.dumps(stats, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


def open_progress(path: Path) -> TextIO:
    """Open the file for progress lines, emptied; ``/dev/fd/N`` works too."""
    try:
        return path.open("w", encoding="utf-8", buffering=1)
    except OSError as error:
        raise BadInput(f"{path}: --progress: cannot be written: {error.strerror or error}") from error


def progress_line(played: Played) -> str:
    """Return one JSON line for a view that follows the run."""
    state = {
        "now": None if played.last_clock is None else rfc3339(played.last_clock),
        "rain_mm_h": round(played.rain_mm_h, 2),
        "rain_total_mm": round(played.rain_total_mm, 2),
        "published": played.messages_published,
        "seq": played.last_seq,
        "done": played.done,
    }
    return json.dumps(state) + "\n"


def shows(progress: TextIO | None, lines: TextIO = sys.stderr) -> Callable[[Played], None]:
    """Return what shows a run as it goes: every step to the progress file, a line for people every two seconds."""
    shown_s, shown = time.monotonic(), 0

    def show(played: Played) -> None:
        nonlocal shown_s, shown
        if progress is not None:
            progress.write(progress_line(played))
        now_s = time.monotonic()
        if played.done or now_s - shown_s >= LINE_EVERY_S:
            rate = (played.messages_published - shown) / max(now_s - shown_s, 1e-9)
            when = "-" if played.last_clock is None else rfc3339(played.last_clock)
            lines.write(
                f"{when}  rain {played.rain_mm_h:5.1f} mm/h  {played.rain_total_mm:6.1f} mm  "
                f"{played.messages_published} messages  {rate:.0f}/s\n"
            )
            shown_s, shown = now_s, played.messages_published

    return show
