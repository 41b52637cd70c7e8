"""Signed heads of the duty log kept outside the database: a file beside the key that is only added to.

Whoever owns the database can write log and heads anew; the lines of this file then tell that there were others. A
drill's log lives in a database of its own and is told apart by that database's id; live there is one log to a key.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import orjson

from duty.dutylog import Head, instant
from undercroft.errors import BadInput
from undercroft.model import Mode
from undercroft.store.sensors import Deployment


def heads_path(key: Path) -> Path:
    """Return where the heads signed with a key are kept."""
    return key.with_name(key.name + ".heads")


def kept_heads(path: Path, log: Deployment) -> list[Head]:
    """Return the heads kept of a log, oldest first; none while there is no file.

    Raises
    ------
    BadInput
        If the file cannot be read, or a line of it is no head.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{path}: {error}") from error
    found = []
    for number, line in enumerate(lines, 1):
        try:
            row = orjson.loads(line)
            head = Head(
                int(row["entry_no"]), bytes.fromhex(row["sha256"]), datetime.fromisoformat(row["signed_at"]),
                str(row["occasion"]), str(row["key_id"]), bytes.fromhex(row["signature"]),
            )  # fmt: skip
            mode, database = Mode(row["mode"]), str(row["database"])
        except (ValueError, KeyError, TypeError) as error:
            raise BadInput(f"{path}: line {number} is no signed head: {error!r}") from error
        if mode is log.mode and (mode is Mode.LIVE or database == log.deployment_id):
            found.append(head)
    return found


def keep(path: Path, log: Deployment, heads: Sequence[Head]) -> None:
    """Add heads at the end, on the disk before this returns.

    Raises
    ------
    BadInput
        If the file cannot be written.
    """
    text = b"".join(
        orjson.dumps({
            "mode": log.mode, "database": log.deployment_id, "entry_no": head.entry_no, "sha256": head.sha256.hex(),
            "signed_at": instant(head.signed_at), "occasion": head.occasion, "key_id": head.key_id,
            "signature": head.signature.hex(),
        }) + b"\n"
        for head in heads
    )  # fmt: skip
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise BadInput(f"{path}: {error.strerror}") from error
