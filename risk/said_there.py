"""Of which place a reading was said: where its sensor stood then, not where an import has moved it since. Pure."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from datetime import datetime
from functools import cache
from typing import Any

from risk.arrays import SiteArrays
from risk.state import place_key
from undercroft.site.model import Site
from undercroft.site.places import sensor_key

Row = dict[str, Any]


def said_there(rows: Iterable[Row], site_of: Callable[[int], Site], at: datetime) -> list[Row]:
    """Return the readings that are said of where their sensor stands, as the engine takes them (`place_key`).

    Parameters
    ----------
    rows : iterable of dict
        A reading each, of a sensor of the site; ``site_seq`` is the version of that site, ``said_seq`` that when the
        reading came, None if none was. Both are left out of what is returned.
    site_of : callable
        Returns a version of the site; asked for another than that of now only where a reading came before it.
    at : datetime
        The time of now.
    """

    @cache
    def arrays_of(version: int) -> SiteArrays:
        return SiteArrays.from_site(site_of(version), at)

    @cache
    def spots(version: int, other: int) -> dict[str, Hashable]:
        arrays = arrays_of(version), arrays_of(other)
        return {spec.key: place_key(spec, *arrays) for spec in arrays[0].sensors}

    def is_there(row: Row) -> bool:
        now, then = row["site_seq"], row["said_seq"]
        key = sensor_key(row["device_id"], row["at"], row["quantity"])
        return then in {now, None} or spots(now, then)[key] == spots(then, now).get(key)

    return [{name: row[name] for name in row if name not in {"site_seq", "said_seq"}} for row in rows if is_there(row)]
