"""Sessions that the broker keeps for ingest: what each was subscribed to, and which of them nobody serves any more."""

from __future__ import annotations

from dataclasses import dataclass

from undercroft.store.connection import Connection, translated_errors
from undercroft.store.sql import sql


@dataclass(frozen=True, slots=True)
class Subscription:
    """One session of the broker."""

    client_id: str
    filters: tuple[str, ...]


def remember_subscription(connection: Connection, lane: str, share: str, asked: Subscription) -> tuple[str, ...]:
    """Write down what a session is about to ask for; return what it asked for before and shall not have any more."""
    with translated_errors():
        row = connection.execute(
            sql("remember_subscription"),
            {"client_id": asked.client_id, "lane": lane, "share": share, "filters": list(asked.filters)},
        ).fetchone()
    assert row is not None  # noqa: S101 - an upsert returns its row
    return tuple(topic_filter for topic_filter in row["filters"] if topic_filter not in asked.filters)


def fetch_former(connection: Connection, lane: str, share: str) -> list[Subscription]:
    """Return the sessions of a lane that belong to another arrangement of workers than ``share``."""
    with translated_errors():
        rows = connection.execute(sql("fetch_former_subscriptions"), {"lane": lane, "share": share}).fetchall()
    return [Subscription(row["client_id"], tuple(row["filters"])) for row in rows]


def forget_subscription(connection: Connection, client_id: str) -> None:
    """Forget a session that the broker does not keep any more."""
    with translated_errors():
        connection.execute(sql("forget_subscription"), {"client_id": client_id})
