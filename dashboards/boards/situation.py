"""Situation: where it is worst, and why."""

from __future__ import annotations

from dashboards.dashboard import Dashboard
from dashboards.empty import NO_JUDGEMENT, NO_SPACE
from dashboards.house import BLIND, LEVELS
from dashboards.panels import series, spaces_map, stat, table
from dashboards.strip import strip

DASHBOARD = Dashboard(
    uid="uc-situation",
    title="险情总览 · Situation",
    about="最坏的在哪里；为什么 · Where it is worst, and why.",
    panels=(
        *strip(),
        stat("level_counts", "各级数量 · Spaces per level", NO_SPACE, width=24),
        spaces_map("map_spaces", "分布图 · Map", NO_SPACE, (*LEVELS, BLIND)),
        series(
            "levels_over_time", "黄色及以上 · Yellow or worse", NO_JUDGEMENT, "count", width=10, height=16, signs=LEVELS
        ),
        table("worst_spaces", "最险 25 处 · Worst 25", NO_SPACE, height=12),
    ),
)
