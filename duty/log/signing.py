"""The key that signs the duty log, in a file outside the database, and the log as it is stored.

A head is kept beside the key before it is kept in the database, so that a log which was written anew with its heads is
not vouched for again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from duty.log.dutylog import (
    Chained,
    Entry,
    Head,
    Printed,
    TrustedKey,
    Verdict,
    key_id_of,
    sign_head,
    verify,
    verify_since,
)
from duty.log.headfile import Kept, LogOf, heads_path, keep, kept_heads, missing_in
from duty.log.keyring import introduce, next_path, not_introduced, public_path, trusted_keys, write_private
from undercroft.errors import BadInput
from undercroft.model import Mode
from undercroft.store import duty_acts as store
from undercroft.store.connection import Connection

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class LogKey:
    """The key that signs, where the heads signed with it are kept, and all keys that signed before, itself last."""

    private: Ed25519PrivateKey
    heads: Path
    trusted: tuple[TrustedKey, ...]


def load_key(path: Path, *, make: bool) -> LogKey:
    """Return the key in a file; with ``make`` the first one is written when there was none ever, for its owner alone.

    Raises
    ------
    BadInput
        If there is no key, or others may read it, or it is not the one that was in use last.
    """
    try:
        signed_with = [kept for kept in (public_path(path), heads_path(path)) if kept.exists()]
        if not path.exists() and signed_with:
            raise BadInput(f"{path}: the signing key is missing, though {signed_with[0].name} is there: {_PUT_BACK}")
        if make and not path.exists():
            write_private(path, Ed25519PrivateKey.generate())
        if path.stat().st_mode & 0o077:
            raise BadInput(f"{path}: others may read the key; chmod 600 it")
        private = Ed25519PrivateKey.from_private_bytes(path.read_bytes())
        known = trusted_keys(public_path(path))
        if known and known[-1].public != private.public_key() and _begun(path, known[-1]):
            next_path(path).replace(path)  # a rotation that was cut off
            private = Ed25519PrivateKey.from_private_bytes(path.read_bytes())
        if known and known[-1].public != private.public_key():
            last = key_id_of(known[-1].public)
            raise BadInput(f"{path}: this is not key {last}, which {public_path(path).name} has last: {_PUT_BACK}")
        if not known:
            known = (TrustedKey(private.public_key()),)
            if make:
                introduce(public_path(path), private.public_key(), None)
        return LogKey(private, heads_path(path), known)
    except (OSError, ValueError) as error:
        raise BadInput(f"{path}: no signing key: {error}") from error


_PUT_BACK = "put it back, or if it is lost begin a new one with `undercroft log rotate-key --lost`"


def _begun(path: Path, newest: TrustedKey) -> bool:
    waiting = next_path(path)
    return waiting.exists() and (
        Ed25519PrivateKey.from_private_bytes(waiting.read_bytes()).public_key() == newest.public
    )


def key_of(path: Path, connection: Connection) -> LogKey:
    """Return the key to sign a database's log with; the first one is made when nothing was signed there either.

    Raises
    ------
    BadInput
        As `load_key`.
    """
    if not path.exists() and stored_heads(connection):
        raise BadInput(f"{path}: the signing key is missing, though the log was signed before: {_PUT_BACK}")
    return load_key(path, make=True)


def rotate(connection: Connection, path: Path, at: datetime, *, lost: bool) -> tuple[LogKey, Signed | None]:
    """Sign with the key a last time, put a new one in its place, introduced by it, and sign with that.

    Parameters
    ----------
    lost : bool
        Whether the old key is gone: the new one takes over without its signature, and every verification says so.

    Raises
    ------
    BadInput
        If the log does not verify, the old key is there though it is said to be lost, or it left no public part.
    """
    old = None
    if not lost:
        old = key_of(path, connection).private
        sign(connection, key_of(path, connection), "key retired", at)
    elif path.exists():
        raise BadInput(f"{path}: the key is there: rotate without --lost, or move it away when it must not sign again")
    elif not trusted_keys(public_path(path)):
        raise BadInput(f"{public_path(path)}: no public part of the lost key: what it signed cannot be checked")
    heads = (*kept_heads(heads_path(path), log_of(connection)).heads, *stored_heads(connection))
    newest = max([at, *(head.signed_at for head in heads)])  # a clock that was ahead makes no head one of a retired key
    since = newest + timedelta(microseconds=1)
    new = Ed25519PrivateKey.generate()
    write_private(next_path(path), new)
    introduce(public_path(path), new.public_key(), since, old)
    next_path(path).replace(path)
    key = load_key(path, make=False)
    return key, sign(connection, key, "new key", since)


def stored_chain(connection: Connection, first_no: int = 1) -> list[Chained]:
    """Return the duty log, whole or from an entry on."""
    return [
        Chained(
            Entry(row["entry_no"], row["at"], row["kind"], row["author"], row["subject"], row["body"], row["corrects"]),
            bytes(row["previous"]),
            bytes(row["sha256"]),
        )
        for row in store.log_entries(connection, first_no)
    ]


def stored_heads(connection: Connection, first_no: int = 1) -> list[Head]:
    """Return the signed heads, all or from those of an entry on."""
    return [
        Head(
            row["entry_no"], bytes(row["sha256"]), row["signed_at"], row["occasion"], row["key_id"],
            bytes(row["signature"]),
        )
        for row in store.log_heads(connection, first_no)
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
    problems = kept.problems + verify(chain, heads, key.trusted, kept.heads).problems
    return _vouched(connection, key, of, kept, heads, chain[-1:], problems, occasion, at)


def _vouched(  # noqa: PLR0913, PLR0917 - what was read, and what was found of it
    connection: Connection, key: LogKey, of: LogOf, kept: Kept, heads: Sequence[Head], newest: Sequence[Chained],
    problems: Sequence[str], occasion: str, at: datetime,
) -> Signed:  # fmt: skip
    if problems:
        raise BadInput(f"the duty log is not signed: {problems[0]}; {key.heads} holds the heads kept outside")
    head = sign_head(newest[-1], at, occasion, key.private)
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
    """What verification found, of which log, a line of the heads beside the key that is not whole, and other notes."""

    verdict: Verdict
    log: LogOf
    torn: str = ""
    notes: tuple[str, ...] = ()


def check(connection: Connection, key: LogKey, printed: Sequence[Printed] = ()) -> Checked:
    """Verify the stored log against its signed heads, those kept beside the key, and those on paper."""
    of = log_of(connection)
    kept = kept_heads(key.heads, of)
    heads = stored_heads(connection)  # before the log: what is signed meanwhile is no loss
    verdict = verify(stored_chain(connection), heads, key.trusted, kept.heads, printed)
    return Checked(
        replace(verdict, problems=kept.problems + verdict.problems), of, kept.torn, not_introduced(key.trusted)
    )


def sign_hourly(key: LogKey, connection: Connection, at: datetime) -> Signed | None:
    """Sign what came since the newest head; None when nothing did. What stood before is left to `sign` and `check`.

    Raises
    ------
    BadInput
        If what came since the newest head does not follow from it, or the log ends before it.
    """
    of = log_of(connection)
    kept = kept_heads(key.heads, of)
    heads = stored_heads(connection, max((head.entry_no for head in kept.heads), default=1))
    last_no = max((head.entry_no for head in (*kept.heads, *heads)), default=0)
    newest = list(dict.fromkeys(head for head in (*kept.heads, *heads) if head.entry_no == last_no))
    tail = stored_chain(connection, max(last_no, 1))
    if not tail and not newest:
        return None
    problems = kept.problems + verify_since(tail, newest, key.trusted)
    if not problems and any(head.entry_no == tail[-1].entry.entry_no for head in heads):
        return None
    return _vouched(connection, key, of, kept, heads, tail[-1:], problems, "hourly", at)


def keep_hourly(path: Path, connection: Connection, at: datetime) -> None:
    """Do what `sign_hourly` does with the key that is there now; say in the service's log what was set aside."""
    signed = sign_hourly(key_of(path, connection), connection, at)
    if signed is not None and signed.torn:
        log.warning("heads_line_torn", line=signed.torn)
