"""Signed heads of the duty log kept outside the database: a file beside the key that is only added to.

Whoever owns the database can write log and heads anew; the lines of this file then tell that there were others. Each
line names the database that it was signed in: its id, what it was for, and its place in the server, which no statement
changes. So a live log stays the live log, whatever its database calls itself later: live there is one log to a key, and
a drill, in a database of its own, is told apart by its id.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

import orjson

from duty.log.dutylog import Head, instant
from undercroft.errors import BadInput
from undercroft.model import Mode


@dataclass(frozen=True, slots=True)
class LogOf:
    """Whose log it is: what its database is for, the id it gave itself, and where it lies in its server."""

    mode: Mode
    database: str
    place: str = ""

    def is_same_as(self, other: LogOf) -> bool:
        """Whether a head signed of this log has to stand in the other one.

        Examples
        --------
        >>> live = LogOf(Mode.LIVE, "a", "7/16384")
        >>> live.is_same_as(LogOf(Mode.EXERCISE, "b", "7/16384")), live.is_same_as(LogOf(Mode.EXERCISE, "b", "7/9"))
        (True, False)
        >>> LogOf(Mode.EXERCISE, "a", "7/9").is_same_as(LogOf(Mode.EXERCISE, "b", "7/9"))  # a drill begun anew
        False
        """
        if self.database == other.database:
            return True
        return self.mode is Mode.LIVE and (other.mode is Mode.LIVE or self.place == other.place != "")


@dataclass(frozen=True, slots=True)
class Kept:
    """What the file holds of a log.

    Attributes
    ----------
    problems : tuple of str
        Where a head was signed of a database that was for something else than this one says to be for.
    torn : str
        A last line that was not written whole; empty when there is none. It vouches for nothing.
    """

    heads: tuple[Head, ...] = ()
    problems: tuple[str, ...] = ()
    torn: str = ""


def heads_path(key: Path) -> Path:
    """Return where the heads signed with a key are kept."""
    return key.with_name(key.name + ".heads")


def torn_path(heads: Path) -> Path:
    """Return where lines that were not written whole are set aside."""
    return heads.with_name(heads.name + ".torn")


def kept_heads(path: Path, log: LogOf) -> Kept:
    """Return what is kept of a log, oldest head first; nothing while there is no file.

    Raises
    ------
    BadInput
        If the file cannot be read, or a line that was written whole is no head.
    """
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH)
            lines, tail = _split(file)
    except FileNotFoundError:
        return Kept()
    except OSError as error:
        raise BadInput(f"{path}: {error.strerror}") from error
    found: list[Head] = []
    problems: list[str] = []
    for number, line in enumerate(lines, 1):
        try:
            head, of = _read(line)
        except (ValueError, KeyError, TypeError) as error:
            raise BadInput(f"{path}: line {number} is no signed head: {error!r}") from error
        if of.is_same_as(log):
            found.append(head)
            if of.mode is not log.mode:
                problems.append(
                    f"head {head.entry_no} was signed of a log of mode {of.mode}; this database says {log.mode} now"
                )
    return Kept(tuple(found), tuple(dict.fromkeys(problems)), _torn(path, len(lines) + 1, tail))


def keep(path: Path, log: LogOf, heads: Sequence[Head]) -> None:
    """Add heads at the end, on the disk before this returns. A last line that is not whole is set aside first.

    Raises
    ------
    BadInput
        If the file cannot be written.
    """
    text = b"".join(
        orjson.dumps({
            "mode": log.mode, "database": log.database, "place": log.place, "entry_no": head.entry_no,
            "sha256": head.sha256.hex(), "signed_at": instant(head.signed_at), "occasion": head.occasion,
            "key_id": head.key_id, "signature": head.signature.hex(),
        }) + b"\n"
        for head in heads
    )  # fmt: skip
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(descriptor, "r+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            lines, tail = _split(file)
            if tail:
                _add_durably(torn_path(path), tail + b"\n")
                file.truncate(sum(len(line) + 1 for line in lines))
            _append(file, text)
    except OSError as error:
        raise BadInput(f"{path}: {error.strerror}") from error


def _split(file: BinaryIO) -> tuple[list[bytes], bytes]:
    """Return the whole lines and what stands behind them; a head that lacks but its line's end is made whole."""
    *lines, tail = file.read().split(b"\n")
    try:
        _read(tail)
    except (ValueError, KeyError, TypeError):
        return lines, tail
    if file.writable():
        _append(file, b"\n")
    return [*lines, tail], b""


def _read(line: bytes) -> tuple[Head, LogOf]:
    row = orjson.loads(line)
    head = Head(
        int(row["entry_no"]), bytes.fromhex(row["sha256"]), datetime.fromisoformat(row["signed_at"]),
        str(row["occasion"]), str(row["key_id"]), bytes.fromhex(row["signature"]),
    )  # fmt: skip
    return head, LogOf(Mode(row["mode"]), str(row["database"]), str(row.get("place", "")))


def _torn(path: Path, number: int, tail: bytes) -> str:
    if not tail:
        return ""
    return f"{path}: line {number} was not written whole; signing sets it aside in {torn_path(path).name}"


def _add_durably(path: Path, text: bytes) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "wb") as file:
        _append(file, text)


def _append(file: BinaryIO, text: bytes) -> None:
    file.seek(0, os.SEEK_END)
    file.write(text)
    file.flush()
    os.fsync(file.fileno())


def missing_in(heads: Iterable[Head], kept: Kept) -> list[Head]:
    """Return the heads that the file does not hold yet."""
    there = set(kept.heads)
    return [head for head in heads if head not in there]
