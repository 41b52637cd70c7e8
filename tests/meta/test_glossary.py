"""The glossary has every state, quantity, rule and reason code that the code has."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingest.reasons import Reason
from undercroft.model import Mode, Severity, SpaceKind
from undercroft.quality import Quality, QualityTest
from undercroft.quantities import QUANTITIES, BarrierState
from undercroft.rules import RULE_UNITS

GLOSSARY = (Path(__file__).parents[2] / "docs" / "glossary.md").read_text(encoding="utf-8")

CODES = [
    *QUANTITIES,
    *RULE_UNITS,
    *(kind.value for kind in SpaceKind),
    *(state.word for state in BarrierState),
    *(mode.value for mode in Mode),
    *(reason.value for reason in Reason),
    *(str(test.name).lower() for test in QualityTest),
]


@pytest.mark.parametrize("code", CODES)
def test_every_code_is_in_the_glossary(code: str) -> None:
    assert f"`{code}`" in GLOSSARY


def test_numbered_scales_are_in_the_glossary() -> None:
    for severity in Severity:
        assert f"| {severity.value} | {severity.word} |" in GLOSSARY
    for quality in Quality:
        assert f"| {quality.value} `{quality.name.lower()}` |" in GLOSSARY


def test_rules_have_their_units_in_the_glossary() -> None:
    rows = [line for line in GLOSSARY.splitlines() if line.startswith("| `")]
    for rule, unit in RULE_UNITS.items():
        assert any(f"`{rule}`" in row and f"| {unit} |" in row for row in rows), rule
