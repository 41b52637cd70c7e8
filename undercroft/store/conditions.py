"""What ails the system, or a device: told by who sees it, in commit order, as an act ``system_condition``."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime

import orjson
from psycopg.rows import DictRow

from undercroft.store.commit import take_commit_seq
from undercroft.store.connection import Connection, translated_errors
from undercroft.store.sql import sql

KIND = "system_condition"
SYSTEM = "system"


def device_subject(device_id: str) -> str:
    """Return the subject of a device."""
    return f"device/{device_id}"


@dataclass(frozen=True, slots=True)
class Condition:
    """A limit that is reached, or no longer."""

    name: str
    is_active: bool
    value: float
    threshold: float
    unit: str
    detail: str
    subject: str = SYSTEM
    """`SYSTEM`, or that of a device."""
    is_worse: bool = False
    """Whether it held already and somebody has to look again: the engine says so in the alarm's log."""


def set_condition(
    connection: Connection, condition: Condition, author: str, now: datetime, *, anew: bool = False
) -> bool:  # fmt: skip
    """Record a condition if it changed, in a transaction of its own; tell whether it did.

    Parameters
    ----------
    anew : bool
        Whether to record what holds already too, since its words changed; one that is worse is recorded anyway.
    """
    parameters = {
        "subject": condition.subject,
        "name": condition.name,
        "is_active": condition.is_active,
        "value": condition.value,
        "threshold": condition.threshold,
        "unit": condition.unit,
        "detail": condition.detail,
        "changed_at": now,
    }
    with translated_errors(), connection.transaction():
        anew = anew or condition.is_worse
        if connection.execute(sql("set_condition"), parameters | {"anew": anew}).fetchone() is None:
            return False
        body = {key: value for key, value in parameters.items() if key not in {"subject", "name", "changed_at"}}
        body |= {"is_worse": True} if condition.is_worse else {}
        connection.execute(
            sql("insert_quality_act"),
            {
                "act_id": uuid.uuid4(),
                "commit_seq": take_commit_seq(connection),
                "kind": KIND,
                "subject": f"{condition.subject}/{condition.name}",
                "author": author,
                "acted_at": now,
                "body": orjson.dumps(body).decode(),
            },
        )
    return True


def device_health(connection: Connection, now: datetime) -> list[DictRow]:
    """Return each device of the site that was heard: when, its interval, the tests that its newest readings met."""
    with translated_errors():
        return connection.execute(sql("device_health"), {"now": now}).fetchall()


def list_conditions(connection: Connection) -> list[DictRow]:
    """Return every condition that ever was, by subject and name."""
    with translated_errors():
        return connection.execute(sql("list_conditions")).fetchall()
