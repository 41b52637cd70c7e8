"""The key that signs the duty log, in a file outside the database, and the log as it is stored."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from duty.dutylog import Chained, Entry, Head, Verdict, sign_head, verify
from undercroft.errors import BadInput
from undercroft.store import duty_acts as store
from undercroft.store.connection import Connection


def load_key(path: Path, *, make: bool) -> Ed25519PrivateKey:
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
        return Ed25519PrivateKey.from_private_bytes(path.read_bytes())
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


def sign(connection: Connection, key: Ed25519PrivateKey, occasion: str, at: datetime) -> Head | None:
    """Sign the log as it stands and keep the head; None while the log is empty.

    Raises
    ------
    BadInput
        If the log does not verify: a broken chain is not vouched for.
    """
    chain, heads = stored_chain(connection), stored_heads(connection)
    if not chain:
        return None
    verdict = verify(chain, heads, [key.public_key()])
    if verdict.problems:
        raise BadInput(f"the duty log is not signed: {verdict.problems[0]}")
    head = sign_head(chain[-1], at, occasion, key)
    with store.transaction(connection):
        store.add_head(connection, {
            "entry_no": head.entry_no, "sha256": head.sha256, "signed_at": head.signed_at, "occasion": head.occasion,
            "key_id": head.key_id, "signature": head.signature,
        })  # fmt: skip
    return head


def check(connection: Connection, key: Ed25519PrivateKey) -> Verdict:
    """Verify the stored log against its signed heads."""
    return verify(stored_chain(connection), stored_heads(connection), [key.public_key()])


def sign_hourly(key: Ed25519PrivateKey, connection: Connection, at: datetime) -> Head | None:
    """Sign what was added since the newest head; None when nothing was."""
    chain, heads = stored_chain(connection), stored_heads(connection)
    if not chain or (heads and heads[-1].entry_no >= chain[-1].entry.entry_no):
        return None
    return sign(connection, key, "hourly", at)
