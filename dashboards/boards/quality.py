"""Data quality: blind, silent, flagged, missing, unreadable."""

from __future__ import annotations

from dashboards.dashboard import Dashboard
from dashboards.empty import NO_CONFLICT, NO_DEAD_LETTER, NO_LIBRARY, NO_READING, NO_SENSOR, NOT_BLIND, NOT_STALE
from dashboards.house import QUALITIES
from dashboards.panels import series, table
from dashboards.strip import strip

DASHBOARD = Dashboard(
    uid="uc-quality",
    title="数据质量 · Data quality",
    about="盲区、失联、标志、缺报、死信 · Blind, silent, flagged, missing, unreadable.",
    panels=(
        *strip(),
        table("blind_spaces", "盲区 · Blind spaces", NOT_BLIND, width=12, height=9),
        table("stale_sensors", "失联传感器 · Silent sensors", NOT_STALE, width=12, height=9),
        series("flags", "质量标志 · Flags", NO_READING, "count", signs=QUALITIES),
        table("gaps", "到报率 · Received against expected", NO_SENSOR, width=12, height=9),
        table("dead_letters", "死信 · Dead letters", NO_DEAD_LETTER, width=12, height=9),
        table("conflicts", "冲突 · Conflicts", NO_CONFLICT, width=12, height=9),
        table("flood_libraries", "历史积水库 · Libraries of past floods", NO_LIBRARY, width=24, height=6),
    ),
)
