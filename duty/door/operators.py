"""Who may act, through the one door: made and disabled by an admin, the first one by whoever owns the database."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from duty.door.door import RANK, Actor, Asked, Done, Effect, log, new_token, through
from duty.door.refusals import ActInvalid, SubjectUnknown
from undercroft.plain_text import problem_of_text
from undercroft.store import duty_acts as store
from undercroft.store.connection import Connection


def owner(origin: str) -> Actor:
    """Return whoever holds the owner's login of the database: nobody by name, but known by account and machine."""
    return Actor("-", "the owner of the database", "admin", origin)


@dataclass(frozen=True, slots=True)
class Made:
    """An operator who was made; the token is stored nowhere, and is no one's where the act was done before."""

    done: Done
    token: str


def add_operator(
    connection: Connection, actor: Actor, operator_id: str, name: str, role: str, now: datetime, key: str = ""
) -> Made:
    """Make an operator, or give one a new token.

    Raises
    ------
    Refused
        By its class.
    """
    token, hashed = new_token()

    def do(at: datetime) -> Effect:
        if role not in RANK:
            raise ActInvalid(f"user add: {role!r} is not one of {', '.join(RANK)}")
        if store.OPERATOR_ID.fullmatch(operator_id) is None:
            raise ActInvalid(f"user add: id: found {operator_id[:60]!r}, expected {store.OPERATOR_ID.pattern}")
        if unfit := problem_of_text(name):
            raise ActInvalid(f"user add: name: {unfit}")
        store.add_operator(connection, operator_id, name, role, hashed, now, actor.token)
        body = {"name": name, "role": role}
        subject = f"operator/{operator_id}"
        return Effect(log(connection, "user_add", actor.operator_id, subject, body, at), detail=body)

    asked = Asked("operator", "user_add", f"operator/{operator_id[:60]}", {"name": name, "role": role}, key)
    return Made(through(connection, actor, asked, now, do), token)


def disable_operator(connection: Connection, actor: Actor, operator_id: str, now: datetime, key: str = "") -> Done:
    """Take an operator's rights away at once.

    Raises
    ------
    Refused
        By its class.
    """

    def do(at: datetime) -> Effect:
        if not store.disable_operator(connection, operator_id, now, actor.token):
            raise SubjectUnknown(f"user disable: there is no active operator {operator_id[:60]}")
        return Effect(log(connection, "user_disable", actor.operator_id, f"operator/{operator_id}", {}, at))

    asked = Asked("operator", "user_disable", f"operator/{operator_id[:60]}", {}, key)
    return through(connection, actor, asked, now, do)
