"""What people see while a run goes on: one picture of its state, shown as a live screen or as plain lines."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import Any

import typer
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from undercroft.model import Severity

SHAPES = {
    Severity.NORMAL: ("○", "正常 normal", "white"),
    Severity.BLUE: ("●", "蓝 blue", "bright_blue"),
    Severity.YELLOW: ("■", "黄 yellow", "yellow"),
    Severity.ORANGE: ("▲", "橙 orange", "dark_orange"),
    Severity.RED: ("◆", "红 RED", "bold red"),
}
"""Shape, words and colour of each level: readable without colour."""

BARS = " ▁▂▃▄▅▆▇█"
FULL_BAR_MM_H = 100.0
BLIND_WORDS = "无数据 blind"


@dataclass(slots=True)
class RunView:
    """State of a run as shown; filled by the demonstration about twice a second."""

    scenario: str
    address: str
    zone: tzinfo
    storm_time: datetime | None = None
    rain_mm_h: float = 0.0
    rain_total_mm: float = 0.0
    rain_history_mm_h: list[float] = field(default_factory=list)
    published: int = 0
    messages_per_s: float = 0.0
    stored: int = 0
    counts: dict[Severity, int] = field(default_factory=dict)
    worst: list[dict[str, Any]] = field(default_factory=list)
    alarms: list[dict[str, Any]] = field(default_factory=list)
    alarm_count: int = 0
    note: str = ""

    def time_text(self) -> str:
        """Storm time in the district's own time."""
        return self.storm_time.astimezone(self.zone).strftime("%Y-%m-%d %H:%M") if self.storm_time else "…"


def plain_line(view: RunView) -> str:
    """One line for logs and for people without a terminal."""
    if view.note:
        return view.note
    worst = view.worst[0] if view.worst else None
    worst_text = f"worst {worst['name_en']} {Severity(worst['level']).word} {worst['score']:.0f}" if worst else "…"
    return (
        f"{view.time_text()}  rain {view.rain_mm_h:5.1f} mm/h ({view.rain_total_mm:.0f} mm)  "
        f"{view.published} published, {view.stored} stored, {view.messages_per_s:.0f} msg/s  "
        f"alarms {view.alarm_count} (red {view.counts.get(Severity.RED, 0)})  {worst_text}"
    )


class PlainLines:
    """Prints one line at a time, and none twice: a run that is over has nothing new to say."""

    def __init__(self) -> None:
        self._last = ""

    def show(self, view: RunView) -> None:
        """Print what is new."""
        if not self._last:
            typer.echo(f"网页 page: {view.address}")
        line = plain_line(view)
        if line != self._last:
            typer.echo(line)
            self._last = line


def screen(view: RunView) -> RenderableType:
    """Draw the whole picture for a live terminal."""
    return Group(_header(view), _spaces(view), _alarms(view), Text(view.note, style="dim"))


def _header(view: RunView) -> Panel:
    line = Text()
    line.append(f"演练 EXERCISE  {view.scenario}\n", style="bold")
    line.append(f"{view.time_text()}   雨 rain {view.rain_mm_h:.1f} mm/h, {view.rain_total_mm:.0f} mm   ")
    line.append(_spark(view.rain_history_mm_h), style="cyan")
    line.append(f"\n{view.published} published   {view.stored} stored   {view.messages_per_s:.0f} msg/s")
    line.append(f"\n网页 page: {view.address}", style="underline")
    return Panel(line, title="Undercroft", border_style="cyan")


def _spark(values_mm_h: list[float]) -> str:
    steps = len(BARS) - 1
    return "".join(BARS[min(steps, round(value / FULL_BAR_MM_H * steps))] for value in values_mm_h[-60:])


def _spaces(view: RunView) -> Table:
    table = Table(title="最危险 worst spaces", expand=True, title_justify="left")
    for heading, options in (
        ("级别 level", {"no_wrap": True}),
        ("空间 space", {}),
        ("分 score", {"justify": "right"}),
        ("原因 why", {"ratio": 2}),
    ):
        table.add_column(heading, **options)
    for row in view.worst:
        shape, word, style = SHAPES[Severity(row["level"])]
        if row["blind"]:
            word = f"{word} ({BLIND_WORDS})"
        why = row["reasons"][0]["text_en"] if row["reasons"] else ""
        table.add_row(
            Text(f"{shape} {word}", style=style), f"{row['name_zh']} {row['name_en']}", f"{row['score']:.0f}", why
        )
    return table


def _alarms(view: RunView) -> Panel:
    lines = Text()
    for alarm in view.alarms:
        shape, word, style = SHAPES[Severity(alarm["severity"])]
        raised = alarm["raised_at"].astimezone(view.zone).strftime("%H:%M")
        why = alarm["reasons"][0]["text_en"] if alarm["reasons"] else ""
        lines.append(f"{shape} {word:<10} ", style=style)
        lines.append(f"{raised}  {alarm['subject'].removeprefix('space/')}  {why}\n")
    return Panel(lines, title=f"报警 open alarms: {view.alarm_count}", border_style="red" if view.alarms else "green")
