"""Pipeline: from device to judgement: rates, latency, backlog."""

from __future__ import annotations

from dashboards.dashboard import Dashboard
from dashboards.empty import NO_CANARY, NO_CONDITION, NO_JUDGED_BATCH, NO_MESSAGE
from dashboards.panels import series, stat, table
from dashboards.strip import strip

DASHBOARD = Dashboard(
    uid="uc-pipeline",
    title="系统链路 · Pipeline",
    about="从设备到研判：流量、时延、积压 · From device to judgement: rates, latency, backlog.",
    panels=(
        *strip(),
        stat("pipeline_now", "现状 · Now", NO_MESSAGE, width=24),
        series("rates", "流量 · Rates", NO_MESSAGE, "per min"),
        series("latency", "到库时延 · Device to batch", NO_MESSAGE, "s"),
        series("judging", "研判时延 · Commit to judgement", NO_JUDGED_BATCH, "s"),
        table("canary", "哨兵 · Canary", NO_CANARY, width=12, height=9),
        table("conditions", "系统状况 · What ails the system", NO_CONDITION, height=9),
    ),
)
