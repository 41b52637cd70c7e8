"""How long supplies travel, and which depots are near enough to count, for the shortage as for the dispatch plan."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import asin, cos, isfinite, radians, sin, sqrt

from undercroft.site.model import Depot, Space

EARTH_RADIUS_KM = 6371.0
DETOUR = 1.3
"""Street distance over straight distance in a grid of streets: between 1 and 1.41. Proposal."""

REACH_MIN = 120.0
"""What takes longer from the order to the arrival is out of reach. Nowcasts serve floods for up to two hours: what
comes later was sent for nothing that anybody could foresee, and in red it comes when all is over. Proposal. [min]"""


def distance_km(lat_a: float, lon_a: float, lat_b: float, lon_b: float) -> float:
    """Return the great-circle distance, haversine formula. [km]

    By hand: one degree of latitude: 6371 * pi / 180 = 111.19 km.
    """
    a, b, step = radians(lat_a), radians(lat_b), radians(lon_b - lon_a)
    h = sin((b - a) / 2.0) ** 2 + cos(a) * cos(b) * sin(step / 2.0) ** 2
    return 2.0 * EARTH_RADIUS_KM * asin(sqrt(min(1.0, h)))


def travel_min(depot: Depot, space: Space, loading_min: float = 10.0) -> float:
    """Return minutes from the order to the arrival: loading, and the street distance at the depot's storm speed.

    By hand: 5 km straight at 20 km/h: 10 + 5 * 1.3 / 20 * 60 = 29.5 min.
    """
    if not (isfinite(loading_min) and loading_min >= 0.0):
        raise ValueError(f"loading_min must be finite and not negative, got {loading_min}")
    straight = distance_km(depot.lat, depot.lon, space.lat, space.lon)
    return loading_min + straight * DETOUR / depot.speed_km_h * 60.0


def reachable_min(depots: Sequence[Depot], spaces: Iterable[Space]) -> dict[tuple[str, str], float]:
    """Return minutes from the order to the arrival by (depot, space), for those in reach.

    By hand: 28.2 km straight at 20 km/h: 10 + 28.2 * 1.3 / 20 * 60 = 119.98 min, in reach; 28.3 km is not.
    """
    ways = {(depot.id, space.id): travel_min(depot, space) for space in spaces for depot in depots}
    return {pair: minutes for pair, minutes in ways.items() if minutes <= REACH_MIN}
