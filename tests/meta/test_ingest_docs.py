"""What `docs/operations/ingest.md` tells an operator is what ingest counts, flags, buries and tells."""

from __future__ import annotations

import re
from pathlib import Path

from ingest import canary, device_health, health
from ingest.metrics import Metrics
from ingest.reasons import Reason
from undercroft.quality import QualityTest

DOCUMENT = Path(__file__).parents[2] / "docs" / "operations" / "ingest.md"
PREFIX = "undercroft_ingest_"


def rows_of(heading: str) -> list[list[str]]:
    """Cells of the tables under a heading, without their heads."""
    text = DOCUMENT.read_text(encoding="utf-8").split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    rows = [line.strip("|").split(" | ") for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row] for row in rows[2:]]


def test_every_dead_letter_reason_is_explained() -> None:
    told = [name for row in rows_of("Dead letters") for name in re.findall(r"`(\w+)`", row[0])]
    assert sorted(told) == sorted(reason.value for reason in Reason)


def test_every_counter_is_explained() -> None:
    families = list(Metrics().registry.collect())
    names = [family.name + ("_total" if family.type == "counter" else "") for family in families]
    told = [re.match(r"`(\w+)", row[0]) for row in rows_of("Counters")]
    assert sorted(PREFIX + match[1] for match in told if match) == sorted(n for n in names if n.startswith(PREFIX))
    text = DOCUMENT.read_text(encoding="utf-8")
    assert [name for name in names if f"`{name}`" not in text and not name.startswith(PREFIX)] == []


def test_every_quality_bit_is_explained() -> None:
    told = {int(row[0]): row[1].replace("-", " ") for row in rows_of("Quality")}
    assert told == {int(bit): str(bit.name).lower().replace("_", " ") for bit in QualityTest}


def test_every_condition_is_explained() -> None:
    told = {re.sub(r".*/", "", name) for row in rows_of("Caps and what ails ingest") for name in [row[0].strip("`")]}
    written = {
        match
        for module in (health, device_health, canary)
        for match in re.findall(
            r'(?:Condition\(\s*f?|: str = |[A-Z] = )"([a-z]+(?:-[a-z]+)+)', _source(module.__file__)
        )
    }
    letters = {"dead-letter-table", "dead-letter-bytes", "dead-letter-rate"}
    assert {"ingest-lag", "broker-away", "canary-late"} | letters <= written
    assert written | device_health.NAMES <= told


def _source(path: str | None) -> str:
    assert path is not None
    return Path(path).read_text(encoding="utf-8")
