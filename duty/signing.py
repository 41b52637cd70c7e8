"""The key that signs the duty log, in a file outside the database, and the log as it is stored.

A head is kept beside the key before it is kept in the database, so that a log which was written anew with its heads is
not vouched for again.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from duty.dutylog import Chained, Entry, Head, Printed, Verdict, sign_head, verify
from duty.headfile import LogOf, heads_path, keep, kept_heads, missing_in
from undercroft.errors import BadInput
from undercroft.model import Mode
from undercroft.store import duty_acts as store
from undercroft.store.connection import Connection

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class LogKey:
    """The key that signs, and where the heads signed with it are kept."""

    private: Ed25519PrivateKey
    heads: Path


def load_key(path: Path, *, make: bool) -> LogKey:
    """Return the key in a file; with ``make`` a new one is written when there is none, for its owner alone.

    Raises
    ------
    BadInput
        If there is no key, or others may read it.
    """
    try:
        if make and not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(Ed25519PrivateKey.generate().private_bytes_raw())
        if path.stat().st_mode & 0o077:
            raise BadInput(f"{path}: others may read the key; chmod 600 it")
        return LogKey(Ed25519PrivateKey.from_private_bytes(path.read_bytes()), heads_path(path))
    except (OSError, ValueError) as error:
        raise BadInput(f"{path}: no signing key: {error}") from error


def stored_chain(connection: Connection) -> list[Chained]:
    """Return the duty log."""
    return [
        Chained(
            Entry(row["entry_no"], row["at"], row["kind"], row["author"], row["subject"], row["body"], row["corrects"]),
            bytes(row["previous"]),
            bytes(row["sha256"]),
        )
        for row in store.log_entries(connection)
    ]


def stored_heads(connection: Connection) -> list[Head]:
    """Return the signed heads."""
    return [
        Head(
            row["entry_no"], bytes(row["sha256"]), row["signed_at"], row["occasion"], row["key_id"],
            bytes(row["signature"]),
        )
        for row in store.log_heads(connection)
    ]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Signed:
    """A new head; ``torn`` names a line of the heads beside the key that was not whole and was set aside."""

    head: Head
    torn: str = ""


def sign(connection: Connection, key: LogKey, occasion: str, at: datetime) -> Signed | None:
    """Sign the log as it stands and keep the head, beside the key and in the database; None while there is no entry.

    Raises
    ------
    BadInput
        If the log does not verify, or is not what the heads beside the key say: it is not vouched for.
    """
    of = log_of(connection)
    chain, heads, kept = stored_chain(connection), stored_heads(connection), kept_heads(key.heads, of)
    if not chain and not kept.heads:
        return None
    problems = kept.problems + verify(chain, heads, [key.private.public_key()], kept.heads).problems
    if problems:
        raise BadInput(f"the duty log is not signed: {problems[0]}; {key.heads} holds the heads kept outside")
    head = sign_head(chain[-1], at, occasion, key.private)
    keep(key.heads, of, [*missing_in(heads, kept), head])
    with store.transaction(connection):
        store.add_head(connection, {
            "entry_no": head.entry_no, "sha256": head.sha256, "signed_at": head.signed_at, "occasion": head.occasion,
            "key_id": head.key_id, "signature": head.signature,
        })  # fmt: skip
    return Signed(head, kept.torn)


def log_of(connection: Connection) -> LogOf:
    """Return whose log the database holds.

    Raises
    ------
    BadInput
        If it was never migrated.
    """
    row = store.log_of(connection)
    if row is None:
        raise BadInput("this database has no mode yet: run `undercroft db migrate` first")
    return LogOf(Mode(row["mode"]), row["deployment_id"], row["place"])


@dataclass(frozen=True, slots=True)
class Checked:
    """What verification found, of which log, and a line of the heads beside the key that is not whole."""

    verdict: Verdict
    log: LogOf
    torn: str = ""


def check(connection: Connection, key: LogKey, printed: Sequence[Printed] = ()) -> Checked:
    """Verify the stored log against its signed heads, those kept beside the key, and those on paper."""
    of = log_of(connection)
    kept = kept_heads(key.heads, of)
    heads = stored_heads(connection)  # before the log: what is signed meanwhile is no loss
    verdict = verify(stored_chain(connection), heads, [key.private.public_key()], kept.heads, printed)
    return Checked(replace(verdict, problems=kept.problems + verdict.problems), of, kept.torn)


def sign_hourly(key: LogKey, connection: Connection, at: datetime) -> Signed | None:
    """Sign what was added since the newest head; None when nothing was.

    Raises
    ------
    BadInput
        As `sign`; also when the log ends before the newest head beside the key.
    """
    chain, heads = stored_chain(connection), stored_heads(connection)
    kept = kept_heads(key.heads, log_of(connection))
    newest = chain[-1].entry.entry_no if chain else 0
    is_signed = not chain or (heads and heads[-1].entry_no >= newest)
    if is_signed and not kept.problems and all(head.entry_no <= newest for head in kept.heads):
        return None
    return sign(connection, key, "hourly", at)


def keep_hourly(key: LogKey, connection: Connection, at: datetime) -> None:
    """Do what `sign_hourly` does, and say in the log of the service what was set aside."""
    signed = sign_hourly(key, connection, at)
    if signed is not None and signed.torn:
        log.warning("heads_line_torn", line=signed.torn)
