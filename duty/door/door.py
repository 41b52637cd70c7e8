"""The one door: whatever a person does comes through here, from the command line, over HTTP or from a console.

`through` checks the role, runs the act's own part, and commits its effects together with the duty log, the audit and
the engine's input. A refusal changes nothing and is audited; so is a token that is nobody's. An act that carries a key
is done once, however often it is sent.
"""

from __future__ import annotations

import hashlib
import secrets
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson

from duty.door.refusals import ActInvalid, KeyReused, RoleTooLow, TokenUnknown
from duty.log import dutylog
from undercroft.errors import BadInput
from undercroft.store import duty_acts as store
from undercroft.store.connection import Connection

RANK = {"officer": 1, "leader": 2, "admin": 3}

NEEDS: Mapping[str, str] = {
    "acknowledge": "officer", "shelve": "officer", "unshelve": "officer", "in_service": "officer",
    "stand_down": "leader", "out_of_service": "leader", "rain_warning": "officer", "field_report": "officer",
    "note": "officer", "phone": "officer", "submit_report": "officer", "order": "officer", "order_step": "officer",
    "stock_movement": "officer",
    "draft_report": "officer", "export_cap": "officer",
    "handover": "officer", "absent": "officer", "roster": "leader", "operator": "admin",
}  # fmt: skip
"""The least role for each act."""

MOST_KEY_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts, and from where; the token is for what the database grants to a token alone."""

    operator_id: str
    name: str
    role: str
    origin: str
    token: str = field(default="", repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody wants done.

    Attributes
    ----------
    action : str
        As the audit names it.
    key : str
        Same key, same act: it is done once. Empty: each call is an act of its own.
    """

    kind: str
    action: str
    subject: str
    body: Mapping[str, Any]
    key: str = ""

    @property
    def sha256(self) -> bytes:
        """What tells this act from another one with the same key."""
        return hashlib.sha256(
            orjson.dumps([self.action, self.subject, dict(self.body)], option=orjson.OPT_SORT_KEYS)
        ).digest()


@dataclass(frozen=True, slots=True)
class ForEngine:
    """What the engine is to read of an act."""

    kind: str
    subject: str
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Effect:
    """What an act's own part left behind, to be committed with the rest.

    Attributes
    ----------
    detail : dict
        For the audit.
    said : dict
        For whoever acts: the order's name, a disagreement with a sensor, alarms that the act does not cover.
    """

    entry_no: int
    engine: tuple[ForEngine, ...] = ()
    detail: Mapping[str, Any] = field(default_factory=dict)
    said: Mapping[str, str | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Done:
    """What became of an act; ``commit_seq`` of the last that the engine has to read of it, if any."""

    entry_no: int
    commit_seq: int | None
    at: datetime
    order_id: str | None = None
    disagreement: str | None = None
    left_out: str | None = None
    taken: str | None = None
    repeated: bool = False

    def as_json(self) -> str:
        """Return it for machines."""
        return orjson.dumps(self, option=orjson.OPT_INDENT_2).decode()


def new_token() -> tuple[str, bytes]:
    """Return a token and the hash that is stored of it."""
    token = secrets.token_urlsafe(32)
    return token, hashlib.sha256(token.encode()).digest()


def authorise(connection: Connection, token: str, origin: str, now: datetime) -> Actor:
    """Return who holds a token.

    Raises
    ------
    TokenUnknown
        If nobody does; the audit keeps from where it was tried.
    """
    hashed = hashlib.sha256(token.encode()).digest()
    row = store.operator_by_token(connection, hashed)
    if row is None or row["disabled_at"] is not None:
        who, why = ("-", "the token is nobody's") if row is None else (row["operator_id"], "the operator is disabled")
        store.audit_unknown(connection, now, who, origin, {"why": why, "token_sha256": hashed.hex()[:16]})
        raise TokenUnknown
    return Actor(row["operator_id"], row["name"], row["role"], origin, token)


def through(
    connection: Connection, actor: Actor, asked: Asked, now: datetime, do: Callable[[datetime], Effect]
) -> Done:
    """Do an act whole, or refuse it and say so in the audit.

    Parameters
    ----------
    do : callable
        The act's own part: takes the time of the act, checks, writes, adds the entry of the duty log.

    Raises
    ------
    Refused
        By its class; see `duty.door.refusals`.
    """
    try:
        _check_role(actor, asked.kind)
        with store.transaction(connection):
            known = _answered(connection, actor, asked, now) if asked.key else None
            if known is not None:
                return known
            at = store.acting_time(connection, now)
            effect = do(at)
            store.audit(
                connection, now, actor.operator_id, actor.origin, asked.action, asked.subject, "done", effect.detail
            )
            return _finish(connection, actor, asked, effect, at)
    except BadInput as error:
        with store.transaction(connection):
            detail = {"why": str(error)}
            store.audit(
                connection, now, actor.operator_id, actor.origin, asked.action, asked.subject, "refused", detail
            )
        raise


def _check_role(actor: Actor, kind: str) -> None:
    least = NEEDS.get(kind)
    if least is None:
        raise ActInvalid(f"there is no act {kind}")
    if RANK[actor.role] < RANK[least]:
        raise RoleTooLow(f"{kind} needs the role {least}; {actor.operator_id} is {actor.role}")


def _answered(connection: Connection, actor: Actor, asked: Asked, now: datetime) -> Done | None:
    """Take the key for this act; return what became of it when it was done before. A second sender waits here."""
    if len(asked.key) > MOST_KEY_CHARACTERS:
        raise ActInvalid(f"key: found {len(asked.key)} characters, expected at most {MOST_KEY_CHARACTERS}")
    if store.take_key(connection, actor.operator_id, asked.key, asked.sha256, now):
        return None
    row = store.answer(connection, actor.operator_id, asked.key)
    if bytes(row["sha256"]) != asked.sha256:
        raise KeyReused(f"the key {asked.key} was used for another act")
    said = row["answer"]
    return Done(
        said["entry_no"], row["commit_seq"], datetime.fromisoformat(said["at"]), said["order_id"],
        said["disagreement"], said.get("left_out"), said.get("taken"), repeated=True,
    )  # fmt: skip


def _finish(connection: Connection, actor: Actor, asked: Asked, effect: Effect, at: datetime) -> Done:
    act_ids = [uuid.uuid4() for _ in effect.engine]
    said = {name: effect.said.get(name) for name in ("order_id", "disagreement", "left_out", "taken")}
    if asked.key:
        answer = {"entry_no": effect.entry_no, "at": at.isoformat(), **said}
        store.keep_answer(connection, actor.operator_id, asked.key, act_ids[-1] if act_ids else None, answer)
    seq = None
    for act_id, told in zip(act_ids, effect.engine, strict=True):  # last: the number holds up every other writer
        seq = store.insert_act(connection, act_id, told.kind, told.subject, actor.operator_id, at, told.body)
    return Done(effect.entry_no, seq, at, said["order_id"], said["disagreement"], said["left_out"], said["taken"])


def log(
    connection: Connection, kind: str, author: str, subject: str, body: dict[str, Any], at: datetime,
    corrects: int | None = None,
) -> int:  # fmt: skip
    """Add an entry to the duty log, inside a transaction; return its number."""

    def link(number: int, previous: bytes, stored: Mapping[str, Any]) -> bytes:
        return dutylog.link(previous, dutylog.Entry(number, at, kind, author, subject, stored, corrects))

    entry = {"at": at, "kind": kind, "author": author, "subject": subject, "body": body, "corrects": corrects}
    return store.append_log(connection, entry, link)
