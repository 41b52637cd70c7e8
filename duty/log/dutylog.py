"""The duty log: entries are added, never changed; each hashes the one before; heads are signed outside the database.

The chain alone only tells that entries fit together: who can write the table can write it anew. A signed head says how
the chain stood, with a key that the database does not have. It is kept in a file outside the database too, and printed
in handovers and reports, since whoever owns the database can drop the heads that are in it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from undercroft.errors import BadInput

FIRST_LINK = bytes(32)


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry; a correction names the entry it corrects and leaves it as it is."""

    entry_no: int
    at: datetime
    kind: str
    author: str
    subject: str
    body: Mapping[str, Any] = field(default_factory=dict)
    corrects: int | None = None


@dataclass(frozen=True, slots=True)
class Chained:
    """An entry with its place in the chain."""

    entry: Entry
    previous: bytes
    sha256: bytes


@dataclass(frozen=True, slots=True)
class Head:
    """How the chain stood: the newest entry and its hash, signed."""

    entry_no: int
    sha256: bytes
    signed_at: datetime
    occasion: str
    key_id: str
    signature: bytes

    @property
    def fingerprint(self) -> str:
        """The hash as it is printed, in groups that can be read aloud."""
        text = self.sha256.hex()[:32]
        return " ".join(text[start : start + 4] for start in range(0, len(text), 4))

    @property
    def printed(self) -> str:
        """Entry and fingerprint as handovers and reports print them, and as `printed_head` reads them."""
        return f"{self.entry_no}: {self.fingerprint}"


@dataclass(frozen=True, slots=True)
class Printed:
    """A head as it stands on paper: entry and the first 32 hex digits of the hash."""

    entry_no: int
    digits: str


_PRINTED = re.compile(r"\s*([1-9][0-9]{0,17})\s*:\s*((?:[0-9a-fA-F]\s*){32})")


def printed_head(text: str) -> Printed:
    """Read a head from paper, with or without the spaces.

    Raises
    ------
    BadInput
        If it is none.

    Examples
    --------
    >>> printed_head("17: 0000 1111 2222 3333 4444 5555 6666 AAAA")
    Printed(entry_no=17, digits='0000111122223333444455556666aaaa')
    """
    found = _PRINTED.fullmatch(text)
    if found is None:
        raise BadInput(f"--head {text!r}: write ENTRY:FINGERPRINT as printed, the number and 32 hex digits")
    return Printed(int(found[1]), "".join(found[2].split()).lower())


def instant(at: datetime) -> str:
    """Return an instant as it is hashed: UTC, microseconds always there."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def link(previous: bytes, entry: Entry) -> bytes:
    """Return the hash of an entry behind the hash of the one before."""
    text = orjson.dumps(
        {
            "entry_no": entry.entry_no, "at": instant(entry.at), "kind": entry.kind, "author": entry.author,
            "subject": entry.subject, "body": entry.body, "corrects": entry.corrects,
        },
        option=orjson.OPT_SORT_KEYS,
    )  # fmt: skip
    return hashlib.sha256(previous + text).digest()


def head_message(entry_no: int, sha256: bytes, signed_at: datetime, occasion: str) -> bytes:
    """Return what is signed."""
    return f"undercroft duty log {entry_no} {sha256.hex()} {instant(signed_at)} {occasion}".encode()


def key_id_of(public: Ed25519PublicKey) -> str:
    """Return the name of a key: the first 16 hex digits of its hash."""
    return hashlib.sha256(public.public_bytes_raw()).hexdigest()[:16]


def sign_head(newest: Chained, signed_at: datetime, occasion: str, key: Ed25519PrivateKey) -> Head:
    """Return the signed head of a chain that ends with this entry."""
    message = head_message(newest.entry.entry_no, newest.sha256, signed_at, occasion)
    signature = key.sign(message)
    return Head(newest.entry.entry_no, newest.sha256, signed_at, occasion, key_id_of(key.public_key()), signature)


@dataclass(frozen=True, slots=True)
class TrustedKey:
    """A key whose heads are believed, until it was retired; ``is_introduced`` by the key before, or the first."""

    public: Ed25519PublicKey
    since: datetime | None = None
    until: datetime | None = None
    is_introduced: bool = True


@dataclass(frozen=True, slots=True)
class Verdict:
    """What verification found.

    Attributes
    ----------
    heads, kept : int
        Signed heads in the database, and those kept outside it.
    covered : int
        The newest entry that a good signed head vouches for.
    """

    entries: int
    heads: int
    covered: int
    problems: tuple[str, ...]
    kept: int = 0


def verify(
    chain: Iterable[Chained], heads: Sequence[Head], keys: Iterable[TrustedKey], kept: Sequence[Head] = (),
    printed: Sequence[Printed] = (),
) -> Verdict:  # fmt: skip
    """Check every link and every signed head.

    Parameters
    ----------
    chain : iterable of Chained
        All entries in order.
    heads : sequence of Head
        The signed heads of the database.
    keys : iterable of TrustedKey
        Keys that are trusted; a head of another key, or of a retired one signed later, is a problem.
    kept : sequence of Head
        The signed heads that were kept outside the database.
    printed : sequence of Printed
        Heads from paper.
    """
    problems: list[str] = []
    hashes = _check_links(chain, FIRST_LINK, 1, problems)
    every = list(dict.fromkeys([*heads, *kept]))
    covered = _check_heads(every, {key_id_of(key.public): key for key in keys}, hashes, problems)
    for paper in printed:
        there = hashes.get(paper.entry_no)
        if there is None:
            problems.append(f"printed head {paper.entry_no}: entries up to it are gone")
        elif not there.hex().startswith(paper.digits):
            problems.append(f"printed head {paper.entry_no}: an entry up to it was changed after it was printed")
    return Verdict(len(hashes), len(heads), covered, tuple(problems), len(kept))


def verify_since(tail: Sequence[Chained], heads: Sequence[Head], keys: Iterable[TrustedKey]) -> tuple[str, ...]:
    """Check what came since a signed head: return what is wrong of its signature, its entry, and the links behind it.

    What was changed before it stays to be found: its hash, and so every later one, is of what stood there when it was
    signed.

    Parameters
    ----------
    tail : sequence of Chained
        The entries from the one that the heads sign on; without heads the whole log.
    heads : sequence of Head
        The newest heads, all of one entry.
    """
    problems: list[str] = []
    begins = tail[0] if tail and heads else None
    previous, first_no = (begins.previous, begins.entry.entry_no) if begins else (FIRST_LINK, 1)
    hashes = _check_links(tail, previous, first_no, problems)
    _check_heads(heads, {key_id_of(key.public): key for key in keys}, hashes, problems)
    return tuple(problems)


def _check_links(chain: Iterable[Chained], previous: bytes, expected_no: int, problems: list[str]) -> dict[int, bytes]:
    """Return the hash that each entry has behind the one before."""
    hashes: dict[int, bytes] = {}
    for chained in chain:
        number = chained.entry.entry_no
        if number != expected_no:
            problems.append(f"entry {expected_no} is missing: {number} follows")
        if chained.previous != previous:
            problems.append(f"entry {number} does not follow the one before")
        if link(chained.previous, chained.entry) != chained.sha256:
            problems.append(f"entry {number} was changed")
        hashes[number] = link(previous, chained.entry)
        previous, expected_no = hashes[number], number + 1
    return hashes


def _check_heads(
    heads: Sequence[Head], keys: dict[str, TrustedKey], hashes: dict[int, bytes], problems: list[str]
) -> int:
    covered = 0
    for head in heads:
        key = keys.get(head.key_id)
        if key is None:
            problems.append(f"head {head.entry_no} is signed by the unknown key {head.key_id}")
            continue
        try:
            key.public.verify(head.signature, head_message(head.entry_no, head.sha256, head.signed_at, head.occasion))
        except InvalidSignature:
            problems.append(f"head {head.entry_no}: the signature is not good")
            continue
        if key.until is not None and head.signed_at > key.until:
            problems.append(f"head {head.entry_no} is signed by key {head.key_id} after that was retired")
        elif head.entry_no not in hashes:
            problems.append(f"head {head.entry_no}: entries up to it are gone")
        elif hashes[head.entry_no] != head.sha256:
            problems.append(f"head {head.entry_no}: an entry up to it was changed after it was signed")
        else:
            covered = max(covered, head.entry_no)
    return covered
