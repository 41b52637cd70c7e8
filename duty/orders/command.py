"""四个一: one leader, one team, one plan, one voice for an order, by kind of space and severity. Pure.

What the site file names (``[[command]]``) goes before the built-in templates, which name offices and not people: a
proposal after the 四个一 of Guangdong's 2020 text and the plans for car parks, stations and underpasses (domain notes
7), to be replaced by those of the district's own plan.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from undercroft.model import Severity, SpaceKind
from undercroft.site.model import CommandRow

TEAM_OF_FOUR = ("leader", "team", "plan", "single_voice")
"""四个一: one leader, one team, one plan, one voice."""

WORDS = {
    "leader": ("指挥", "leader"), "team": ("队伍", "team"), "plan": ("预案", "plan"), "single_voice": ("口径", "voice"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Command:
    """Who leads, with which team, by which plan, and who alone speaks; an empty field is still to be named."""

    leader: str = ""
    team: str = ""
    plan: str = ""
    single_voice: str = ""

    @property
    def missing(self) -> tuple[str, ...]:
        """Which of the four is not named."""
        return tuple(name for name in TEAM_OF_FOUR if not getattr(self, name))

    @property
    def line(self) -> str:
        """The four in one line."""
        said = ((WORDS[name], getattr(self, name)) for name in TEAM_OF_FOUR)
        return "；".join(f"{zh} {en} {value or '〔待定 to be named〕'}" for (zh, en), value in said)


_TEAMS: Mapping[SpaceKind, str] = {
    SpaceKind.CAR_PARK: "物业与{street}抢险队 the garage's managers and the rescue team of {street}",
    SpaceKind.METRO_ENTRANCE: "车站与{street}抢险队 the station and the rescue team of {street}",
    SpaceKind.UNDERPASS: "交警、排水与{street}抢险队 traffic police, drainage crew and the rescue team of {street}",
    SpaceKind.MALL: "商场与{street}抢险队 the mall and the rescue team of {street}",
    SpaceKind.CIVIL_DEFENCE: "人防使用单位与{street}抢险队 the user of the works and the rescue team of {street}",
}

_PLANS: Mapping[SpaceKind, str] = {
    SpaceKind.CAR_PARK: "地下车库防汛预案 flood plan for car parks",
    SpaceKind.METRO_ENTRANCE: "地铁出入口防汛预案 flood plan for metro entrances",
    SpaceKind.UNDERPASS: "下穿通道一点一预案 plan of this underpass",
    SpaceKind.MALL: "地下商场防汛预案 flood plan for underground malls",
    SpaceKind.CIVIL_DEFENCE: "人防工程防汛预案 flood plan for civil-defence works",
}

_LEADERS: Mapping[Severity, str] = {
    Severity.YELLOW: "{street}三防责任人 the flood officer of {street}",
    Severity.ORANGE: "{street}主要负责人 the head of {street}",
    Severity.RED: "区三防指挥部副指挥长 the district's deputy commander",
}

_VOICES: Mapping[Severity, str] = {
    Severity.YELLOW: "{street}值班室 the duty room of {street}",
    Severity.ORANGE: "区三防办值班室 the district's duty room",
    Severity.RED: "区三防办值班室 the district's duty room",
}

_STAGES: Mapping[Severity, str] = {
    Severity.YELLOW: "黄色响应 yellow stage",
    Severity.ORANGE: "橙色响应 orange stage",
    Severity.RED: "红色响应 red stage",
}


def template(kind: SpaceKind, severity: Severity, street: str) -> Command:
    """Return the built-in four of a kind of space at a severity; below yellow those of yellow.

    Examples
    --------
    >>> template(SpaceKind.UNDERPASS, Severity.RED, "莲花街道").leader
    "区三防指挥部副指挥长 the district's deputy commander"
    """
    level = max(severity, Severity.YELLOW)
    found = Command(_LEADERS[level], _TEAMS[kind], f"{_PLANS[kind]} · {_STAGES[level]}", _VOICES[level])
    return Command(*(getattr(found, name).replace("{street}", street or "街道") for name in TEAM_OF_FOUR))


@dataclass(frozen=True, slots=True)
class CommandBook:
    """What the site file names; the row that says most about where and when it holds goes first, field by field."""

    rows: Sequence[CommandRow] = field(default_factory=tuple)

    def of(self, space_id: str, kind: SpaceKind, street: str, severity: Severity) -> Command:
        """Return the four for a space at a severity: those of the site file, else the built-in ones.

        A row of the space goes before one of its kind, that before one of all; among these one of the severity first.
        """
        fitting = [
            row
            for row in self.rows
            if row.space in {None, space_id}
            and row.kind in {None, kind}
            and row.severity in {None, max(severity, Severity.YELLOW).word}
        ]
        found = template(kind, severity, street)
        for row in sorted(fitting, key=lambda row: (row.space is not None, row.kind is not None, bool(row.severity))):
            found = replace(found, **{name: said for name in TEAM_OF_FOUR if (said := getattr(row, name))})
        return found


def book_of(rows: Iterable[Mapping[str, Any]] | None) -> CommandBook:
    """Return the book of the ``command`` table of a site document."""
    return CommandBook(tuple(CommandRow.model_validate(dict(row)) for row in rows or ()))
