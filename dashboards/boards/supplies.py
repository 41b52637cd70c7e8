"""Barriers and supplies: needed, installed, closed; what is short."""

from __future__ import annotations

from dashboards.dashboard import Dashboard
from dashboards.empty import NO_BARRIER, NO_REQUIREMENT, NO_SPACE, NO_STOCK, NO_STOCK_MOVEMENT, NO_STOCK_SENSOR
from dashboards.panels import series, stat, table
from dashboards.strip import strip

DASHBOARD = Dashboard(
    uid="uc-supplies",
    title="挡水与物资 · Barriers and supplies",
    about="应设、已设、已关；缺什么 · Needed, installed, closed; what is short.",
    panels=(
        *strip(),
        stat("barrier_coverage", "挡水设施 · Barriers", NO_BARRIER, width=24),
        table("barriers_now", "逐处状态 · Each barrier", NO_BARRIER, height=11),
        table("barrier_deadlines", "挡板时限 · Last minute for barriers", NO_SPACE, height=10),
        table("supply_shortage", "缺口 · Shortage", NO_REQUIREMENT, width=12, height=10),
        table("stock_now", "库存 · Stock", NO_STOCK, width=12, height=10),
        table("stock_movements", "出入库 · Stock movement", NO_STOCK_MOVEMENT, width=24),
        series("stock_counted", "传感器计数 · Stock as sensors count it", NO_STOCK_SENSOR, "count", width=24),
    ),
)
