"""As-of rewind: what the duty officer saw at the end of the range; later arrivals are left out."""

from __future__ import annotations

from dashboards.dashboard import Dashboard
from dashboards.empty import NO_ALARM, NO_JUDGEMENT, NO_READING, NO_SPACE, NOT_LATE
from dashboards.panels import stat, table
from dashboards.strip import strip

DASHBOARD = Dashboard(
    uid="uc-rewind",
    title="回看 · As-of rewind",
    about="时段末那一刻值班员所见：后来才到的不算 · What was seen at the end of the range; late arrivals are left out.",
    panels=(
        *strip(),
        table("rewind_tick", "当时的研判 · The judgement then", NO_JUDGEMENT, height=4),
        stat("level_counts", "当时各级数量 · Levels then", NO_SPACE, width=24),
        table("worst_spaces", "当时最险 · Worst then", NO_SPACE, height=10),
        table("alarms_open", "当时未关警报 · Alarms open then", NO_ALARM, height=10),
        table("rewind_readings", "当时已知读数 · Readings known then", NO_READING, width=14, height=11),
        table("rewind_late", "当时未到 · Not yet received then", NOT_LATE, width=10, height=11),
    ),
    refresh="",
)
