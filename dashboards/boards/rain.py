"""Rain and warnings: intensity and sums of each gauge, warnings in force."""

from __future__ import annotations

from dashboards.dashboard import Dashboard
from dashboards.empty import NO_GAUGE, NO_WARNING
from dashboards.panels import series, table
from dashboards.strip import strip

DASHBOARD = Dashboard(
    uid="uc-rain",
    title="雨情与预警 · Rain and warnings",
    about="各站雨强、累计与预警信号 · Intensity and sums of each gauge, warnings in force.",
    panels=(
        *strip(),
        series("rain_gauges", "雨强 · Intensity", NO_GAUGE, "mm/h", width=24),
        table("rain_sums", "累计 · Sums", NO_GAUGE, width=12, height=10),
        table("warnings", "预警信号 · Warnings", NO_WARNING, width=12, height=10),
    ),
)
