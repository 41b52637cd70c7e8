"""Space: one space: levels, crests, rain, barriers, pumps."""

from __future__ import annotations

from dashboards.dashboard import Dashboard
from dashboards.empty import (
    NO_BAND,
    NO_BARRIER,
    NO_FORECAST,
    NO_JUDGEMENT,
    NO_PUMP,
    NO_READING,
    NO_SENSOR,
    NO_SPACE,
    NO_THRESHOLD,
    NO_WATER_IN,
)
from dashboards.house import LEVELS
from dashboards.panels import band, series, table, timeline
from dashboards.strip import strip

DASHBOARD = Dashboard(
    uid="uc-space",
    title="单处详情 · Space",
    about="一处地下空间：水位、门槛、雨、挡板、水泵 · One space: levels, crests, rain, barriers, pumps.",
    panels=(
        *strip(),
        table("space_now", "现值 · Now", NO_SENSOR, height=9),
        series("space_levels", "水位与门槛 · Levels and crests", NO_READING, "m", steady="门槛"),
        series("space_freeboard", "超高 · Freeboard", NO_READING, "m", limits=(0.0,)),
        series("space_depth", "内部水深 · Depth inside", NO_READING, "m"),
        series("space_rain", "雨量 · Rain", NO_JUDGEMENT, "mm", silence_min=10),
        series("space_nowcast", "距橙红 · Minutes to orange and red", NO_FORECAST, "min", signs=LEVELS, silence_min=10),
        band(
            "space_band",
            "临近预报 · Nowcast band",
            NO_BAND,
            "min",
            (
                ("★ 橙 最早 Orange earliest", "★ 橙 最晚 Orange latest", LEVELS[3].colour),
                ("✚ 红 最早 Red earliest", "✚ 红 最晚 Red latest", LEVELS[4].colour),
            ),
        ),
        table("barrier_deadlines", "挡板时限 · Last minute for barriers", NO_SPACE, width=12, height=7).of_variable(
            "space", "place"
        ),
        timeline(
            "space_deadlines",
            "挡板时限变化 · Last minute for barriers over time",
            NO_JUDGEMENT,
            "deadline",
            width=12,
            height=7,
        ),
        table("space_people", "人员能否撤出 · Can people get out", NO_WATER_IN, width=24, height=7),
        timeline("space_barriers", "挡水设施 · Barriers", NO_BARRIER, "barrier", width=12),
        timeline("space_pumps", "水泵 · Pumps", NO_PUMP, "pump", width=12),
        table("space_thresholds", "阈值 · Thresholds", NO_THRESHOLD, width=24, height=10),
    ),
    one_space=True,
)
