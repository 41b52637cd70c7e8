"""The keys that the duty log was ever signed with: a file beside the key that is only added to, one public key a line.

A line is written before its key signs anything. Each key is introduced by a signature of the one before; one that took
over without, since that one was lost, is named by every verification.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from duty.log.dutylog import TrustedKey, instant, key_id_of
from undercroft.errors import BadInput


def public_path(key: Path) -> Path:
    """Return where the public parts of a key, and of those before it, are kept."""
    return key.with_name(key.name + ".public")


def next_path(key: Path) -> Path:
    """Return where a new key lies until it is in the place of the old one."""
    return key.with_name(key.name + ".next")


def trusted_keys(path: Path) -> tuple[TrustedKey, ...]:
    """Return the keys of a file, the one in use last; none while there is no file.

    Raises
    ------
    BadInput
        If the file cannot be read, or a line is no key, or not introduced by the one before as it says.
    """
    try:
        lines = path.read_bytes().splitlines()
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise BadInput(f"{path}: {error.strerror}") from error
    found: list[TrustedKey] = []
    for number, line in enumerate(lines, 1):
        try:
            row = orjson.loads(line)
            public = Ed25519PublicKey.from_public_bytes(bytes.fromhex(row["public"]))
            since = None if row["from"] is None else datetime.fromisoformat(row["from"])
            by = bytes.fromhex(row["by"])
            if by and since is not None:
                found[-1].public.verify(by, _introduction(public, since))
        except InvalidSignature:
            raise BadInput(f"{path}: line {number}: the signature of the key before is not good") from None
        except (ValueError, KeyError, TypeError, IndexError) as error:
            raise BadInput(f"{path}: line {number} is no public key of the duty log: {error!r}") from error
        if found:
            found[-1] = TrustedKey(found[-1].public, found[-1].since, since, is_introduced=found[-1].is_introduced)
        found.append(TrustedKey(public, since, None, is_introduced=bool(by) or number == 1))
    return tuple(found)


def introduce(
    path: Path, public: Ed25519PublicKey, since: datetime | None, by: Ed25519PrivateKey | None = None
) -> None:
    """Add a key at the end, on the disk before this returns, introduced by the one before where it is there.

    Raises
    ------
    BadInput
        If the file cannot be written.
    """
    signature = by.sign(_introduction(public, since)) if by is not None and since is not None else b""
    row = {
        "key_id": key_id_of(public), "public": public.public_bytes_raw().hex(),
        "from": None if since is None else instant(since), "by": signature.hex(),
    }  # fmt: skip
    _write(path, os.O_APPEND, orjson.dumps(row) + b"\n")


def write_private(path: Path, private: Ed25519PrivateKey) -> None:
    """Write a key for its owner alone; what stood there is gone."""
    path.parent.mkdir(parents=True, exist_ok=True)
    _write(path, os.O_TRUNC, private.private_bytes_raw())


def not_introduced(keys: Sequence[TrustedKey]) -> tuple[str, ...]:
    """Return what has to be said of keys that took over from a lost one."""
    return tuple(
        f"key {key_id_of(key.public)} took over on {instant(key.since)} without a signature of the key before it (lost)"
        for key in keys
        if not key.is_introduced and key.since is not None
    )


def _introduction(public: Ed25519PublicKey, since: datetime) -> bytes:
    return f"undercroft duty log key {public.public_bytes_raw().hex()} from {instant(since)}".encode()


def _write(path: Path, how: int, text: bytes) -> None:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | how, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise BadInput(f"{path}: {error.strerror}") from error
