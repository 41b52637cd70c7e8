"""How a stored dashboard differs from the one in the code: what is changed, what is gone, what somebody added. Pure.

Grafana keeps a dashboard as it was pushed. Who saves it in the browser makes it write out its defaults, and leave out
some that we write: these, and what is empty, are no difference. Anything else is one: a filter, a hidden query, a
header that is switched off, a shift in time hide alarms.
"""

from __future__ import annotations

import json
from typing import Any

from dashboards.house import DATASOURCE, Json
from dashboards.written_out import ANY, BOARD, OF_THE_SERVER, Each

_RENAMED = {"grafana-postgresql-datasource": str(DATASOURCE["type"])}
"""The data source's plugin since Grafana 10 and its name before, by which it is still found."""


def differences(wanted: Json, stored: Json) -> list[str]:
    """Return where a stored dashboard is not as in the code.

    Examples
    --------
    >>> panel = {"title": "a", "type": "stat"}
    >>> added = {"timeShift": "1d", "transparent": False}
    >>> differences({"panels": [panel]}, {"panels": [panel | added], "preload": False})
    ['panels[0].timeShift']
    """
    return _between(_plain(wanted), _plain(stored), BOARD, "")


def _plain(document: Json) -> Json:
    """Return a dashboard as JSON without what the server notes in it, and without Grafana's own annotations."""
    plain: Json = json.loads(json.dumps({key: document[key] for key in document if key not in OF_THE_SERVER}))
    annotations = plain.get("annotations")
    if isinstance(annotations, dict) and isinstance(annotations.get("list"), list):
        annotations["list"] = [each for each in annotations["list"] if not _is_built_in(each)]
    return {key: _tidy(key, value) for key, value in plain.items()}


def _is_built_in(annotation: object) -> bool:
    return isinstance(annotation, dict) and annotation.get("builtIn") == 1


def _tidy(name: str, value: Any) -> Any:
    """Return a field without nulls; the first step of thresholds holds from below, be that `null`, 0 or left out."""
    if isinstance(value, dict):
        return {key: _tidy(key, inner) for key, inner in value.items() if inner is not None}
    if not isinstance(value, list):
        return value
    entries = [_tidy("", each) for each in value]
    if name == "steps" and entries and isinstance(entries[0], dict):
        entries[0].pop("value", None)
    return entries


def _between(wanted: object, stored: object, usual: object, path: str) -> list[str]:
    if isinstance(wanted, dict) and isinstance(stored, dict):
        return [
            place
            for key in [*wanted, *(key for key in stored if key not in wanted)]
            for place in _of_field(wanted.get(key), stored.get(key), _usual(usual, key), f"{path}.{key}".lstrip("."))
        ]
    if isinstance(wanted, list) and isinstance(stored, list) and len(wanted) == len(stored):
        of_each = [usual.of(each) if isinstance(usual, Each) else None for each in wanted]
        return [
            place
            for index, (a, b) in enumerate(zip(wanted, stored, strict=True))
            for place in _between(a, b, of_each[index], f"{path}[{index}]")
        ]
    return [] if _is_same(wanted, stored) else [path]


def _of_field(wanted: object, stored: object, usual: object, path: str) -> list[str]:
    """Compare a field; the side that lacks it means what Grafana takes where nothing is said."""
    if usual is ANY or (wanted is None and _says_nothing(stored, usual)):
        return []
    if stored is None and _says_nothing(wanted, usual):
        return []
    return _between(wanted, stored, usual, path)


def _usual(usual: object, key: str) -> object:
    return usual.get(key) if isinstance(usual, dict) else None


def _says_nothing(value: object, usual: object) -> bool:
    """Tell whether a field that the other side lacks is empty, is Grafana's default, or holds only such fields."""
    if usual is ANY or value is None or (isinstance(value, str | list | dict) and not value):
        return True
    if isinstance(value, dict):
        return all(_says_nothing(inner, _usual(usual, key)) for key, inner in value.items())
    return usual is not None and not _between(usual, value, None, "")


def _is_same(wanted: object, stored: object) -> bool:
    """Tell whether two values are one; in JSON `true` is not 1, as it is in Python."""
    if isinstance(wanted, str) and isinstance(stored, str):
        return _RENAMED.get(stored, stored) == _RENAMED.get(wanted, wanted)
    is_equal = bool(wanted == stored)
    return is_equal and isinstance(wanted, bool) == isinstance(stored, bool)
