"""What ``undercroft up`` leaves in DATA_DIR for whoever plays a storm beside it: its broker, and what it is for."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

from undercroft.errors import BadInput
from undercroft.model import Mode
from undercroft.stack.broker import accepts
from undercroft.stack.datadir import DataDir

_FILE = "beside.json"


@dataclass(frozen=True, slots=True)
class Beside:
    """A running ``up`` with an embedded broker; ``database_url`` only where the database is embedded too."""

    mode: str
    mqtt_url: str = field(repr=False)
    database_url: str | None = field(repr=False, default=None)


def leave_beside(data_dir: DataDir, beside: Beside) -> None:
    """Write it, for the owner of DATA_DIR alone."""
    data_dir.write_private(data_dir.path / _FILE, json.dumps(asdict(beside)) + "\n")


def running_beside(data_dir: Path) -> Beside | None:
    """Return what runs in DATA_DIR with a broker of its own, live or an exercise; None where nothing does."""
    try:
        found = Beside(**json.loads((data_dir / _FILE).read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise BadInput(f"{data_dir / _FILE}: cannot be read: {error.strerror}") from error
    return found if _answers(found.mqtt_url) else None


def exercise_beside(data_dir: Path) -> Beside:
    """Return the exercise that runs in DATA_DIR.

    Raises
    ------
    BadInput
        If none runs there, or it is live: nothing simulated is played to a live one.
    """
    found = running_beside(data_dir)
    if found is None:
        raise BadInput(
            f"UNDERCROFT_MQTT_URL is not set, and no `undercroft up --mode exercise` with a broker runs in {data_dir}:"
            " start it first, or let `undercroft demo --scenario NAME` start everything"
        )
    if found.mode != Mode.EXERCISE:
        raise BadInput(
            f"the `undercroft up` in {data_dir} is live, and nothing simulated is played to it: start one with"
            " --mode exercise in a DATA_DIR of its own, or use `undercroft demo --scenario NAME`"
        )
    return found


def _answers(url: str) -> bool:
    parts = urlsplit(url)
    return accepts(parts.port or 0, parts.username or "", unquote(parts.password or ""))
