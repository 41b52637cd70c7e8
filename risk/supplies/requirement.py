"""What closing an entrance takes: sandbags or panels, pumps, generators, people and minutes.

No national norm gives quantities for garages or metro entrances (SL 298-2004 covers dikes and stations only), so every
factor is a proposal that a district can replace (`Factors`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from math import ceil, floor, isfinite

from undercroft.site.model import Entrance, Space

SANDBAG, PANEL, PUMP, GENERATOR = "sandbag", "flood-panel", "mobile-pump", "generator"


@dataclass(frozen=True, slots=True)
class Factors:
    """Sizes and rates of supplies.

    Attributes
    ----------
    bag_length_m, bag_layer_m, bag_spare : float
        A laid sandbag [m], one layer of them [m], and how many times the bare wall is needed.
    bags_per_pair_min : float
        Sandbags that two people lay in a minute.
    panel_length_m, panel_height_m : float
        One stop-log panel. [m]
    panels_per_pair_min : float
        Panels that two people set in a minute.
    wall_m : float
        Height of the wall where there is no barrier: over the 0.30 m of street water at which stairs become unusable.
    pump_m3_s : float
        One mobile pump. [m³/s]
    pumps_per_generator : int
        Mobile pumps that one generator drives.
    """

    bag_length_m: float = 0.4
    bag_layer_m: float = 0.12
    bag_spare: float = 1.5
    bags_per_pair_min: float = 2.0
    panel_length_m: float = 2.0
    panel_height_m: float = 0.25
    panels_per_pair_min: float = 0.5
    wall_m: float = 0.36
    pump_m3_s: float = 0.03
    pumps_per_generator: int = 2

    def __post_init__(self) -> None:
        for name in self.__slots__:
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be above 0")


PROPOSED = Factors()


@dataclass(frozen=True, slots=True)
class Requirement:
    """What one entrance or space takes.

    Attributes
    ----------
    items : mapping
        Quantity by item.
    people : int
        People who work at it.
    minutes : float
        Minutes from arrival of supplies and people until it is done. [min]
    panels : int
        Barrier boards (stop-log panels) that do in place of the sandbags of its entrances, where slots are fitted.
    panel_minutes : float
        Minutes in which the same people set them. [min]
    walls : tuple of float
        Sandbags of each wall that pairs of its own lay, all walls side by side.
    """

    items: Mapping[str, float]
    people: int
    minutes: float
    panels: int = 0
    panel_minutes: float = 0.0
    walls: tuple[float, ...] = ()


def sandbags(width_m: float, height_m: float, factors: Factors = PROPOSED) -> int:
    """Return the sandbags that wall up an opening: ``ceil(width / 0.4) * ceil(height / 0.12) * 1.5``, rounded up.

    Examples
    --------
    By hand: 6 m by 0.5 m: 15 a layer, 5 layers, half as many again: 112.5, so 113.

    >>> sandbags(6.0, 0.5)
    113
    """
    return ceil(_whole(width_m, factors.bag_length_m) * _whole(height_m, factors.bag_layer_m) * factors.bag_spare)


def panels(width_m: float, height_m: float, factors: Factors = PROPOSED) -> int:
    """Return the stop-log panels that close an opening.

    Examples
    --------
    By hand: 6 m by 0.36 m with panels of 2 m by 0.25 m: 3 beside each other, 2 high.

    >>> panels(6.0, 0.36)
    6
    """
    return _whole(width_m, factors.panel_length_m) * _whole(height_m, factors.panel_height_m)


def mobile_pumps(inflow_m3_s: float, factors: Factors = PROPOSED) -> int:
    """Return the mobile pumps that lift an inflow.

    Examples
    --------
    By hand: 0.1 m³/s with pumps of 0.03 m³/s.

    >>> mobile_pumps(0.1)
    4
    """
    return _whole(inflow_m3_s, factors.pump_m3_s)


def deploy_min(bags: float, pairs: int, factors: Factors = PROPOSED) -> float:
    """Return the minutes in which pairs of people lay sandbags.

    Examples
    --------
    By hand: 113 bags, 2 pairs at 2 bags a minute each.

    >>> deploy_min(113, 2)
    28.25
    """
    if pairs < 1:
        raise ValueError("pairs must be at least 1")
    return bags / (factors.bags_per_pair_min * pairs)


def laying_min(walls: Sequence[float], bags: float, pairs: int, factors: Factors = PROPOSED) -> float:
    """Return the minutes in which the last ``bags`` of some walls are laid, each wall by pairs of its own.

    What is on site goes first to the walls that take longest, so that what arrives is laid side by side.

    Examples
    --------
    By hand: walls of 45 and 15 bags. All 60: the longer takes 45 / 4 = 11.25 min. The last 20 when 40 are laid, 35 of
    them at the longer wall and 5 at the other: 10 and 10 are left, 10 / 4 = 2.5 min.

    >>> laying_min([45.0, 15.0], 60.0, 2), laying_min([45.0, 15.0], 20.0, 2)
    (11.25, 2.5)
    """
    left, highest = bags, 0.0
    ordered = sorted(walls)
    for done, wall in enumerate(ordered):
        share = left / (len(ordered) - done)
        if share <= wall:
            return deploy_min(share, pairs, factors)
        left, highest = left - wall, wall
    return deploy_min(highest, pairs, factors)


def entrance_requirement(
    entrance: Entrance, pairs: int = 2, factors: Factors = PROPOSED, *, failed: bool = False
) -> Requirement:
    """Return what an entrance takes: its own barrier, else panels or sandbags of the wall height.

    An entrance with a barrier takes two people and the barrier's own minutes, unless the barrier has ``failed``
    (`risk.barriers_out`): then it is walled up as one that needs a barrier and has none. One that needs none takes
    nothing. Either sandbags or panels will do; sandbags are asked for, since panels need fitted slots.

    By hand: 6 m, 36 cm: 15 x 3 x 1.5 = 68 bags by two pairs in 68 / 4 = 17 min; or 3 x 2 = 6 panels in 6 / (0.5 x 2) =
    6 min.
    """
    if entrance.barrier is not None and not failed:
        return Requirement({}, 2, entrance.barrier.deploy_min)
    if not entrance.barrier_needed and not failed:
        return Requirement({}, 0, 0.0)
    bags = sandbags(entrance.width_m, factors.wall_m, factors)
    boards = panels(entrance.width_m, factors.wall_m, factors)
    setting_min = boards / (factors.panels_per_pair_min * pairs)
    return Requirement(
        {SANDBAG: float(bags)}, 2 * pairs, deploy_min(bags, pairs, factors), boards, setting_min, (bags,)
    )


def space_requirement(
    space: Space,
    expected_inflow_m3_s: float = 0.0,
    pairs: int = 2,
    factors: Factors = PROPOSED,
    *,
    failed: Collection[str] = (),
    powered: bool = True,
) -> Requirement:
    """Return what a space takes: its entrances, its own list, and pumps for the inflow its own cannot lift.

    Entrances are worked at side by side, so people add up and the slowest entrance sets the minutes. Sandbags of its
    own list are laid too, shared evenly among the walls, or by pairs of their own where there is none. ``failed``: the
    entrances whose barrier has failed. Its own pumps lift nothing where it is not ``powered``.
    """
    parts = [
        entrance_requirement(entrance, pairs, factors, failed=entrance.id in failed) for entrance in space.entrances
    ]
    items: dict[str, float] = {}
    for part in parts:
        _add(items, part.items)
    walls, people = [wall for part in parts for wall in part.walls], sum(part.people for part in parts)
    for one in space.requirements:
        _add(items, {one.item: one.quantity})
    listed = items.get(SANDBAG, 0.0) - sum(walls)
    if listed > 0.0 and not walls:
        walls, people = [0.0], people + 2 * pairs
    if walls:
        walls = [wall + listed / len(walls) for wall in walls]
    over = expected_inflow_m3_s - powered * sum(pump.capacity_m3_s for pump in space.pumps)
    if over > 0.0:
        pumps = mobile_pumps(over, factors)
        _add(items, {PUMP: float(pumps), GENERATOR: float(ceil(pumps / factors.pumps_per_generator))})
    return Requirement(
        {item: quantity for item, quantity in sorted(items.items()) if quantity > 0.0},
        people,
        max(laying_min(walls, sum(walls), pairs, factors), *(part.minutes for part in parts)),
        sum(part.panels for part in parts),
        max(part.panel_minutes for part in parts),
        tuple(walls),
    )


def _add(items: dict[str, float], more: Mapping[str, float]) -> None:
    for item, quantity in more.items():
        items[item] = items.get(item, 0.0) + quantity


def _whole(length: float, unit: float) -> int:
    """Units that cover a length, at least none; a millionth over does not count."""
    if not (isfinite(length) and length >= 0.0):
        raise ValueError(f"must be finite and not negative, got {length}")
    count = length / unit
    return floor(count) if count - floor(count) < 1e-6 else ceil(count)
