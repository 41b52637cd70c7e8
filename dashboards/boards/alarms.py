"""Alarms: open alarms, their load, time to acknowledge, the orders and reports that they led to, and who was told."""

from __future__ import annotations

from dashboards.dashboard import Dashboard
from dashboards.empty import NO_ALARM, NO_ORDER, NO_REPORT, NO_SHIFT, NOBODY_TOLD
from dashboards.panels import series, stat, table, timeline
from dashboards.strip import strip

DASHBOARD = Dashboard(
    uid="uc-alarms",
    title="警报 · Alarms",
    about="未关警报、密度、确认用时、指令与报告 · Open alarms, load, time to acknowledge, orders, reports.",
    panels=(
        *strip(),
        stat("alarm_figures", "负荷 · Load", NO_ALARM, width=24),
        table("alarms_open", "未关警报 · Open alarms", NO_ALARM, height=12),
        stat("order_figures", "指令 · Orders", NO_ORDER, width=24),
        table("orders_now", "指令、责任人与四个一 · Orders, owners and who leads", NO_ORDER, width=24, height=9),
        stat("report_figures", "报告 · Reports", NO_REPORT, width=24),
        table("reports_due", "报告与时限 · Reports and their clocks", NO_REPORT, width=24, height=8),
        stat("notification_figures", "通知 · Messages", NOBODY_TOLD, width=24),
        table("notifications_now", "通知去向 · Messages and what became of them", NOBODY_TOLD, width=24, height=9),
        timeline("alarm_timeline", "警报过程 · Timeline", NO_ALARM, "level", height=10),
        series("alarm_load", "每 10 分钟新警报 · Raised per 10 min", NO_ALARM, "per 10 min", limits=(1.0, 10.0)),
        table("alarm_acknowledged", "确认用时 · Time to acknowledge", NO_ALARM, width=12, height=9),
        table("alarm_shifts", "每班负荷 · Load per shift", NO_SHIFT, height=9),
        table("alarm_top", "最多的十个 · Top ten", NO_ALARM, width=12),
    ),
)
