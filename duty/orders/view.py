"""An order as whoever looks is told: how much time is left, what is seen against its confirmation. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from duty.orders.command import TEAM_OF_FOUR, Command
from duty.orders.contradiction import Seen, disagreement, reported_against
from duty.orders.orders import ENDED, GOING, Order, order_of

TALLY_OVER = timedelta(hours=24)
"""Over which time orders that have ended are counted."""

SILENT_AFTER_INTERVALS = 3
"""Missed intervals of the device after which a sensor is silent (docs/risk.md), whatever a site sets for `blind`."""


def standing(row: Mapping[str, Any], now: datetime, zone: ZoneInfo | None = None) -> dict[str, Any]:
    """Return an order with its clock, and with the disagreement as the sensors, and whoever looked since, have it now.

    Parameters
    ----------
    row : mapping
        Of the statement ``read_orders``.
    now : datetime
        In a run, the run's.
    zone : ZoneInfo or None
        Of the times in words, which name the offset; None is UTC.

    Returns
    -------
    dict
        ``left_s`` is negative when the time is over, None while no clock runs; ``holds`` tells whether a confirmation
        still counts, None where there is none; ``expired`` that it no longer does while the incident goes on: somebody
        has to look again, and confirm again.
    """
    order = order_of(row)
    until = order.confirmed_until
    due_at = order.due_at if order.state in GOING else None
    shown = {name: value for name, value in row.items() if name not in {"seen", "said", "within_s", "goes_on"}}
    return shown | {
        "left_s": None if due_at is None else (due_at - now).total_seconds(),
        "is_late": order.is_late(now),
        "confirmed_until": until,
        "holds": None if until is None else now < until,
        "expired": bool(row["goes_on"]) and order.has_expired(now),
        "disagreement": None if until is None else _against(order, row, now, zone),
    }


def _against(order: Order, row: Mapping[str, Any], now: datetime, zone: ZoneInfo | None) -> str | None:
    reported = reported_against(order.proof, order.entrance, row["said"], zone)
    counting = _counting(row["seen"], order.changed_at, now)
    found = disagreement(order.proof, counting, now, zone), reported
    return "; ".join(text for text in found if text) or None


def _counting(seen: Iterable[Mapping[str, Any]], confirmed_at: datetime, now: datetime) -> list[Seen]:
    """Return what counts against a confirmation: of a sensor that was not yet silent then, or was heard since.

    The engine has the same rule (`risk.reports`): once a switch was silent, who saw the place counts. A device that is
    out of service says nothing.
    """
    return [
        Seen(entry["value"], datetime.fromtimestamp(entry["observed_s"], UTC)) for entry in seen
        if confirmed_at.timestamp() <= entry["observed_s"] + SILENT_AFTER_INTERVALS * entry["interval_s"]
        and (entry["out_until_s"] is None or entry["out_until_s"] <= now.timestamp())
    ]  # fmt: skip


def waits(shown: Mapping[str, Any]) -> bool:
    """Whether an order as it is shown waits for somebody: it goes on, or is contradicted, or expired."""
    return shown["state"] not in ENDED or shown["disagreement"] is not None or shown["expired"]


AGAINST = "与确认不符 DISAGREEMENT {words}"
EXPIRED = "确认有效至 {until}，已过期，请重新确认 confirmed until {until}, now expired: confirm again"


def expiry(shown: Mapping[str, Any], local: Callable[[datetime], str]) -> str:
    """Return what is said of a confirmation that expired, its time as ``local`` writes it; else nothing."""
    return EXPIRED.format(until=local(shown["confirmed_until"])) if shown["expired"] else ""


def against(shown: Mapping[str, Any]) -> str:
    """Return what is said of a confirmation that is contradicted; else nothing."""
    return AGAINST.format(words=shown["disagreement"]) if shown["disagreement"] else ""


def four(shown: Mapping[str, Any]) -> Command:
    """Return who leads an order as it is shown."""
    return Command(*(shown[name] for name in TEAM_OF_FOUR))
