"""What stood in for a silent space, as the rule that it meets here."""

from __future__ import annotations

from typing import Any

from risk.facts.fact import Context, Fact, entrance_words
from risk.levels import entrance_index


def stood_in(context: Context, space: int, severity: int) -> Fact | None:
    """Return the worst that stood in for a space since it went blind."""
    arrays = context.arrays
    stood = context.state.stand_ins.get(arrays.spaces[space].id)
    if stood is None:
        return None
    entrance = entrance_index(arrays, space, stood.entrance) if stood.entrance else -1
    words = entrance_words(context, entrance) | {"stands_in": place_words(context, space, stood.sensor)}
    row = arrays.row_by_key.get(stood.sensor, -1)
    return Fact(stood.rule, stood.value, stood.sensor, stood.observed_us, words, row, min(severity, stood.severity))


def place_words(context: Context, space: int, sensor: str) -> dict[str, Any]:
    """Return where a sensor that stands in is, by name, and how far away. A sensor that left the site keeps its key."""
    row = context.arrays.row_by_key.get(sensor, -1)
    if row < 0:
        return {"place": "", "name_en": sensor, "name_zh": sensor, "distance_m": None}
    neighbours, place = context.statics.neighbours, context.arrays.sensors[row].place
    name_en, name_zh = neighbours.names[place]
    away = round(neighbours.distance_m(space, row))
    return {"place": place, "name_en": name_en, "name_zh": name_zh, "distance_m": away}
