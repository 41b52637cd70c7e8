"""Storm review: a storm from start to end."""

from __future__ import annotations

from dashboards.dashboard import Dashboard
from dashboards.empty import NO_ALARM, NO_GAUGE, NO_JUDGEMENT
from dashboards.house import LEVELS
from dashboards.panels import series, table, timeline
from dashboards.strip import strip

DASHBOARD = Dashboard(
    uid="uc-storm",
    title="暴雨复盘 · Storm review",
    about="一场雨的全过程 · A storm from start to end.",
    panels=(
        *strip(),
        series("rain_gauges", "雨强 · Intensity", NO_GAUGE, "mm/h", width=24),
        timeline("storm_levels", "各处等级 · Levels", NO_JUDGEMENT, "judged", height=16),
        table("storm_peaks", "峰值与时刻 · Peaks and times", NO_JUDGEMENT, height=12),
        series("levels_over_time", "黄色及以上 · Yellow or worse", NO_JUDGEMENT, "count", signs=LEVELS),
        series("alarm_load", "每 10 分钟新警报 · Raised per 10 min", NO_ALARM, "per 10 min", limits=(1.0, 10.0)),
    ),
    span="now-24h",
    refresh="",
)
