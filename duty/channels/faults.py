"""A channel that refuses, or takes nothing any more, is an alarm of the system of its own: ``system/channel-<id>``."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from duty.model import Reach, Reason
from duty.senders.http import UNKNOWN_CODE_TRIES
from undercroft.model import Severity
from undercroft.store import duty as store
from undercroft.store.conditions import SYSTEM, Condition, list_conditions, set_condition
from undercroft.store.connection import Connection

PREFIX = "channel-"
DEAD_AFTER = timedelta(minutes=2)
"""How long a channel may take nothing of what is tried on it: default (proposal); a grey-listed mail takes minutes."""

REFUSAL_COUNTS_FOR = timedelta(hours=1)
"""How long the refusal of an address stands that neither roster nor fallback use any more."""

PROBED_EVERY = timedelta(minutes=10)
"""How long after its last refusal an address in use is tried again, when nothing else is to be told there."""

PROBE = (
    "【通道检查】曾被拒收，现再试发，无需处理 channel check: messages were refused, this is another try; nothing to do"
)

MOST_ERROR_CHARACTERS = 200
MOST_NAMED = 12
"""So many of those whose addresses refuse are named."""
ID = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")


def conditions_of(rows: Iterable[Mapping[str, Any]], told: Iterable[str], now: datetime) -> list[Condition]:
    """Return the conditions of channels: those that hold, and those that were told and hold no longer.

    Parameters
    ----------
    rows : iterable of mapping
        Of ``duty_channel_faults``.
    told : iterable of str
        Names of conditions that stand.
    """
    found = [condition for row in rows if (condition := _condition(row, now)) is not None]
    bad = {condition.name for condition in found}
    over = sorted(name for name in told if name.startswith(PREFIX) and name not in bad)
    return found + [Condition(name, False, 0.0, 0.0, "addresses", "") for name in over]


def _condition(row: Mapping[str, Any], now: datetime) -> Condition | None:
    if ID.fullmatch(row["channel"]) is None:
        return None  # a roster's own word; its messages have failed, with their reason
    name, error = PREFIX + row["channel"], row["error"][:MOST_ERROR_CHARACTERS]
    if row["refused"] > 0:
        people = sorted(set(row["people"].splitlines()))
        named = ", ".join(people[:MOST_NAMED]) + (" …" if len(people) > MOST_NAMED else "")
        detail = f"{row['channel']}: {row['refused']} addresses refused ({named}): {error}"
        return Condition(name, True, float(row["refused"]), 1.0, "addresses", detail)
    waited_s = 0.0 if row["waits_since"] is None else (now - row["waits_since"]).total_seconds()
    if waited_s < DEAD_AFTER.total_seconds():
        return None
    detail = f"{row['channel']}: nothing taken for {waited_s:.0f} s: {error}"
    return Condition(name, True, round(waited_s, 1), DEAD_AFTER.total_seconds(), "s", detail)


def news_of(condition: Condition, known: Mapping[str, Any] | None, *, another: bool = False) -> Condition | None:
    """Return what is to be told of a condition, or None: more addresses are worse, fewer have other words.

    As many that are somebody else's are worse too: whom it was told for can be reached again, and another cannot.

    Parameters
    ----------
    known : mapping or None
        What was told of it last, a row of ``list_conditions``; None: nothing stands.
    another : bool
        Whether an address refuses that did not at the last look.
    """
    if known is None or not condition.is_active:
        return condition if condition.is_active != (known is not None) else None
    refused = known["value"] if known["unit"] == condition.unit == "addresses" else 0.0
    if condition.unit == "addresses" and (condition.value > refused or another):
        return replace(condition, is_worse=True)
    same = condition.unit == known["unit"] and (condition.unit == "s" or condition.value == known["value"])
    return None if same else condition


def tell_channel_faults(connection: Connection, now: datetime, fallback: Iterable[Reach] = ()) -> list[Condition]:
    """Have each channel that refuses or is dead stand as an alarm of the system; return what changed.

    An address that goes on refusing is tried again every `PROBED_EVERY`, so that a channel that was mended is seen to
    be, though no alarm is to be told there. Which addresses refused at the last look stands in the store, and is
    brought up to date once the news was told: a notifier that starts again tells of another one too.

    Parameters
    ----------
    now : datetime
        The notifier's time.
    fallback : iterable of Reach
        Addresses that are used whoever is on duty.
    """
    known = list_conditions(connection)
    told = {row["name"]: row for row in known if row["is_active"] and row["subject"] == SYSTEM}
    used = [(reach.channel, reach.address) for reach in fallback]
    rows = store.channel_faults(
        connection, now, now - REFUSAL_COUNTS_FOR, now - PROBED_EVERY, used, UNKNOWN_CODE_TRIES
    )  # fmt: skip
    store.queue_messages(connection, probes(rows, now), now)
    refusing = {PREFIX + row["channel"]: frozenset(row["addresses"]) for row in rows}
    before = store.refusing(connection)
    known_of = before or {}
    another = {name for name, addresses in refusing.items() if not addresses <= known_of.get(name, addresses)}
    found = (
        news_of(condition, told.get(condition.name), another=condition.name in another)
        for condition in conditions_of(rows, told, now)
    )
    changed = [news for news in found if news is not None and set_condition(connection, news, "duty", now, anew=True)]
    if refusing != before:
        store.remember_refusing(connection, refusing)
    return changed


def probes(rows: Iterable[Mapping[str, Any]], now: datetime) -> list[dict[str, Any]]:
    """Return a message for every address that is to be tried again, of the rows of ``duty_channel_faults``."""
    found = []
    for row in rows:
        for address in row["to_probe"]:
            cause = f"probe/{row['channel']}/{address}#{now:%Y%m%dT%H%M%S}"
            found.append({
                "key": hashlib.sha256(cause.encode()).hexdigest()[:32], "cause": cause, "incident_id": "",
                "reason": Reason.PROBE.value, "step": 0, "severity": int(Severity.NORMAL), "person_id": "probe",
                "channel": row["channel"], "address": address, "title": PROBE, "body": PROBE, "decided_at": now,
                "state": "queued", "error": None, "subjects": "", "also_for": "",
            })  # fmt: skip
    return found
