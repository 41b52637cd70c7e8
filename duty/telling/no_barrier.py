"""What to do at a space whose site file has no barrier: nobody is told to deploy one. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from undercroft.model import Severity, SpaceKind

WITHOUT_BARRIER: Mapping[tuple[SpaceKind, Severity], tuple[str, str]] = {
    (SpaceKind.CAR_PARK, Severity.YELLOW): (
        "本处无挡板：派人到出入口查看，备好沙袋；劝离正要进入的人员和车辆。",
        "No barrier here: send somebody to the entrances with sandbags; turn away people and vehicles about to enter.",
    ),
    (SpaceKind.CAR_PARK, Severity.ORANGE): (
        "本处无挡板：立即封闭出入口，用沙袋挡水；库内人员走楼梯撤离，不取任何物品。",
        "No barrier here: close the entrances now, sandbags; people inside leave by the stairs and fetch nothing.",
    ),
    (SpaceKind.METRO_ENTRANCE, Severity.YELLOW): (
        "本处无挡板：通知车站值班，沙袋到位。",
        "No barrier here: tell the station, bring sandbags to the entrance.",
    ),
    (SpaceKind.METRO_ENTRANCE, Severity.ORANGE): (
        "本处无挡板：与车站共同关闭该出入口，用沙袋挡水，引导乘客走其他出口。",
        "No barrier here: close this entrance together with the station, sandbags; lead passengers to other exits.",
    ),
    (SpaceKind.MALL, Severity.YELLOW): (
        "本处无挡板：通知商场值班，备好沙袋，检查集水井水泵。",
        "No barrier here: tell the mall, bring sandbags, check the sump pumps.",
    ),
    (SpaceKind.MALL, Severity.ORANGE): (
        "本处无挡板：用沙袋挡水，地下层停止营业，引导顾客由上层出口离开。",
        "No barrier here: sandbags, close the lower floors, lead customers out by the upper exits.",
    ),
    (SpaceKind.CIVIL_DEFENCE, Severity.YELLOW): (
        "本处无挡板：通知使用单位，检查口部和防护门，备好沙袋。",
        "No barrier here: tell the user, check entrances and doors, bring sandbags.",
    ),
    (SpaceKind.CIVIL_DEFENCE, Severity.ORANGE): (
        "本处无挡板：用沙袋挡水，停止使用，人员撤离。",
        "No barrier here: sandbags, stop all use, people leave.",
    ),
}  # fmt: skip
"""In place of what speaks of a barrier: (Chinese, English)."""
