"""What people read: where water stands against an edge, and where a number comes from."""

from __future__ import annotations

import re

import pytest

from risk.wording import phrase
from undercroft.default_thresholds import DEFAULT_THRESHOLDS

WORDS = {"place_en": "at south ramp", "place_zh": "南坡道", "barrier": "open"}


@pytest.mark.parametrize(
    ("value", "english", "chinese"),
    [
        (0.03, "water 3 cm below the crest (limit: 15 cm below the crest)", "水面距挡水坎仅 3 cm(阈值:距挡水坎 15 cm)"),
        (
            -0.03,
            "water 3 cm above the crest (limit: 15 cm below the crest)",
            "水面已高出挡水坎 3 cm(阈值:距挡水坎 15 cm)",
        ),
        (
            -0.004,
            "water 0 cm below the crest (limit: 15 cm below the crest)",
            "水面距挡水坎仅 0 cm(阈值:距挡水坎 15 cm)",
        ),
    ],
)
def test_water_over_an_open_crest_is_above_it(value: float, english: str, chinese: str) -> None:
    en, zh = phrase("barrier-not-deployed", value, 0.15, WORDS)
    assert en == f"Barrier needed at south ramp but open: {english}"
    assert zh == f"南坡道需要挡水而挡板敞开,{chinese}"


def test_freeboard_used_up_is_said_as_water_above() -> None:
    en, zh = phrase("freeboard", -0.12, 0.05, WORDS)
    assert en == "Water at south ramp stands 12 cm above the crest (limit: 5 cm below the crest)"
    assert zh == "南坡道水面已高出挡水坎 12 cm(阈值:距挡水坎 5 cm)"


def test_a_step_says_what_it_raises() -> None:
    en, zh = phrase("barrier-not-deployed", -0.32, 0.15, WORDS | {"raises": (3, 4)})
    assert en == (
        "Barrier needed at south ramp but open: raises orange to red;"
        " water 32 cm above the crest (limit: 15 cm below the crest)"
    )
    assert zh == "南坡道需要挡水而挡板敞开:由橙色升为红色,水面已高出挡水坎 32 cm(阈值:距挡水坎 15 cm)"
    assert phrase("pump-not-coping", 7.0, 5.0, {"raises": (2, 3)})[0].endswith("still rises: raises yellow to orange")


def test_forecast_need_says_that_water_rises() -> None:
    en, zh = phrase("barrier-not-deployed", 0.12, 0.15, WORDS | {"forecast": 15.0})
    assert "expected in 15 min: water 12 cm below the crest (limit" in en
    assert "预计 15 分钟后水面距挡水坎仅 12 cm" in zh


@pytest.mark.parametrize("row", DEFAULT_THRESHOLDS, ids=lambda row: f"{row.rule}-{row.kind}-{row.severity}")
def test_sources_can_be_recognised_by_who_reads_them(row: object) -> None:
    source = row.source  # type: ignore[attr-defined]
    assert 10 < len(source) <= 90
    assert not re.match(r"\d\.\d", source), "a section of a sheet that readers do not have"
