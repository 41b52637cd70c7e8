"""Readings behind a level that a person corrected since: the level is the engine's and still counts them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from api.spaces.schemas import CorrectedOut
from undercroft.quality import Quality

_WORDS_ZH = {
    Quality.GOOD: "合格",
    Quality.UNKNOWN: "未检",
    Quality.SUSPECT: "可疑",
    Quality.FAIL: "不合格",
    Quality.MISSING: "缺测",
}


def asked_of(reasons: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """Return which readings these reasons rest on, each once.

    Examples
    --------
    >>> asked_of([{"sensor": "a:water_depth_m", "observed_at": "2026-07-01T00:00:00Z"}, {"rule": "blind"}])
    {'sensors': ['a:water_depth_m'], 'observed_at': ['2026-07-01T00:00:00Z']}
    """
    read = {(each["sensor"], each["observed_at"]) for each in reasons if each.get("sensor") and each.get("observed_at")}
    return {"sensors": [sensor for sensor, _ in sorted(read)], "observed_at": [at for _, at in sorted(read)]}


def corrected_of(row: Mapping[str, Any]) -> CorrectedOut:
    """Return a corrected reading in words."""
    quality, by, why = Quality(row["quality"]), row["flagged_by"], row["flag_reason"]
    return CorrectedOut(
        **row,
        text_zh=(
            f"{row['sensor']} 的读数已由 {by} 更正为“{_WORDS_ZH[quality]}”（{why}）；"
            "引擎按到达时的标志研判，等级仍计入该读数"
        ),
        text_en=(
            f"The reading of {row['sensor']} was flagged {quality.name.lower()} by {by} ({why}); "
            "the engine goes by the flag at arrival, so the level still counts it"
        ),
    )
