"""Exercise: run clock, alarms and acts of an exercise; not live."""

from __future__ import annotations

from dashboards.dashboard import Dashboard
from dashboards.empty import NO_ACT, NO_ALARM, NO_JUDGEMENT
from dashboards.panels import table, timeline
from dashboards.strip import strip

DASHBOARD = Dashboard(
    uid="uc-exercise",
    title="演练 · Exercise",
    about="演练时钟、警报与行动；不是实战 · Run clock, alarms and acts of an exercise; not live.",
    panels=(
        *strip(),
        table("exercise_state", "演练状态 · State", NO_JUDGEMENT, height=4),
        timeline("alarm_timeline", "警报过程 · Timeline", NO_ALARM, "level", height=10),
        table("exercise_log", "警报记录 · Alarm log", NO_ALARM, width=14, height=12),
        table("exercise_acts", "行动 · Acts", NO_ACT, width=10, height=12),
    ),
    span="now-24h",
)
