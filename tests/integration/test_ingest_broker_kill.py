"""Kill -9 of a real Mosquitto: it may lose what it had not saved, at most its autosave interval, and nothing else."""

from __future__ import annotations

import signal
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.integration.ingest_kit import (
    Mosquitto,
    ingest_of,
    needs_mosquitto,
    one,
    publishing,
    query,
    wait_until,
)
from tests.integration.ingest_messages import NOON_MS, rain
from undercroft.store.connection import connect

pytestmark = [needs_mosquitto, pytest.mark.slow]
CHUNK = 100
MARKER = 1_000_000


@dataclass
class Saves:
    """Watches the file in which Mosquitto keeps its sessions; each save is a new file under the old name."""

    path: Path
    count: int = 0
    _known: tuple[int, int] = field(default=(0, 0))

    def look(self) -> int:
        """Return how many saves were seen; one that was overlooked makes the count too small, which is safe."""
        if self.path.exists():
            found = self.path.stat()
            if (found.st_ino, found.st_mtime_ns) != self._known:
                self._known = (found.st_ino, found.st_mtime_ns)
                self.count += 1
        return self.count


def numbers_of(database: str) -> set[int]:
    rows = query(database, "select extract(epoch from observed_at)::float8 as at from observation")
    return {round(row["at"] - NOON_MS / 1000) for row in rows}


def publish_until(mosquitto: Mosquitto, saves: Saves, count: int) -> list[int]:
    """Publish chunk after chunk until so many saves; for each, those seen when the broker had taken it over."""
    taken_over: list[int] = []
    with publishing(mosquitto.url) as publisher:

        def is_enough() -> bool:
            first = len(taken_over) * CHUNK
            publisher.publish(rain(number) for number in range(first, first + CHUNK))
            taken_over.append(saves.look())
            return taken_over[-1] >= count

        wait_until(is_enough, f"the broker has saved its sessions {count} times")
    return taken_over


def test_a_killed_broker_loses_at_most_what_it_had_not_saved(live: str, mosquitto: Mosquitto) -> None:
    """Of two saves seen after a chunk was taken over, the second was begun after it: that chunk must be stored."""
    saves = Saves(mosquitto.folder / "mosquitto.db")
    with ingest_of(live, mosquitto.url) as ingest:
        ingest.start()
        with closing(connect(live, application_name="test")) as holder:
            holder.execute("select * from commit_counter for update")  # all of it is in flight or queued
            taken_over = publish_until(mosquitto, saves, 4)
            mosquitto.stop(signal.SIGKILL)
            last = saves.look()
        published = len(taken_over) * CHUNK
        assert published > 1000, "more than the broker hands out at once"
        mosquitto.start()
        with publishing(mosquitto.url) as publisher:
            publisher.publish([rain(MARKER)])
        wait_until(lambda: MARKER in numbers_of(live), "what came after it is stored")
        assert ingest.stop() == 0
    stored = numbers_of(live) - {MARKER}
    safe = {chunk * CHUNK + n for chunk, seen in enumerate(taken_over) if last - seen >= 2 for n in range(CHUNK)}
    assert safe
    assert safe <= stored <= set(range(published))
    lost = set(range(published)) - stored
    assert lost == set(range(published - len(lost), published)), "what is lost is the end of the queue"
    assert one(live, "select sum(stored)::int from batch") == len(stored) + 1
    assert one(live, "select count(*) from observation_conflict") == 0
    assert one(live, "select count(*) from dead_letter") == 0
