"""Pushing to a Grafana and showing how it differs from the code."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from grafana_client.api import GrafanaApi
from grafana_client.client import GrafanaClientError, GrafanaException

from dashboards.build import all_dashboards
from dashboards.dashboard import TAG
from dashboards.house import Json
from undercroft.errors import UndercroftError

FOLDER_UID = "undercroft"
FOLDER_TITLE = "Undercroft 地下空间防汛"
_OF_THE_SERVER = ("id", "version", "schemaVersion", "iteration")
_NOT_FOUND = 404
_FORBIDDEN = 403


class GrafanaRefused(UndercroftError):
    """Grafana did not do what was asked."""


@dataclass(frozen=True, slots=True)
class Drift:
    """How one dashboard in Grafana differs from the code."""

    uid: str
    words: str


def client(url: str, token: str) -> Any:
    """Return a client for a service account's token."""
    api: Any = GrafanaApi.from_url(url, credential=token)
    return api


def push(api: Any) -> list[str]:
    """Write every dashboard; return their uids.

    Raises
    ------
    GrafanaRefused
        With what Grafana said.
    """
    try:
        folder = _folder(api)
        for board in all_dashboards():
            api.dashboard.update_dashboard(
                {
                    "dashboard": board.to_json(),
                    "folderUid": folder,
                    "overwrite": True,
                    "message": "undercroft dashboards push",
                }
            )
    except (GrafanaException, OSError) as error:
        raise GrafanaRefused(f"Grafana: {error}") from error
    return [board.uid for board in all_dashboards()]


def drift(api: Any) -> list[Drift]:
    """Return how Grafana differs: dashboards that are missing, changed by hand, or ours no longer."""
    found = []
    try:
        known = {board.uid: board.to_json() for board in all_dashboards()}
        listed = [entry["uid"] for entry in api.search.search_dashboards(tag=TAG)]
        for uid, wanted in known.items():
            stored = _stored(api, uid, is_listed=uid in listed)
            if stored is None:
                found.append(Drift(uid, "missing, or hidden from this token"))
            elif places := _differences(_comparable(wanted), _comparable(stored)):
                found.append(Drift(uid, "changed: " + ", ".join(places[:5])))
        found += [Drift(uid, "not in the code") for uid in listed if uid not in known]
    except (GrafanaException, OSError) as error:
        raise GrafanaRefused(f"Grafana: {error}") from error
    return found


def _folder(api: Any) -> str:
    """Return our folder's uid; Grafana gives it one of its own where provisioned rules have made it by its title."""
    for known in api.folder.get_all_folders():
        if known.get("uid") == FOLDER_UID or known.get("title") == FOLDER_TITLE:
            return str(known["uid"])
    api.folder.create_folder(FOLDER_TITLE, FOLDER_UID)
    return FOLDER_UID


def _stored(api: Any, uid: str, *, is_listed: bool) -> Json | None:
    try:
        answer: dict[str, Any] = api.dashboard.get_dashboard(uid)
    except GrafanaClientError as error:
        if error.status_code == _NOT_FOUND or (error.status_code == _FORBIDDEN and not is_listed):
            return None  # an Editor may not read what is not there (9.4)
        raise
    document: Json = answer["dashboard"]
    return document


def _comparable(document: Json) -> Json:
    kept: Json = json.loads(json.dumps({key: value for key, value in document.items() if key not in _OF_THE_SERVER}))
    return kept


def _differences(wanted: object, stored: object, path: str = "") -> list[str]:
    """Return where what we want is not what is stored; what Grafana adds by itself is no difference."""
    if isinstance(wanted, dict) and isinstance(stored, dict):
        return [place for key in wanted for place in _differences(wanted[key], stored.get(key), f"{path}.{key}")]
    if isinstance(wanted, list) and isinstance(stored, list) and len(wanted) == len(stored):
        pairs = zip(wanted, stored, strict=True)
        return [place for index, (a, b) in enumerate(pairs) for place in _differences(a, b, f"{path}[{index}]")]
    return [] if wanted == stored else [path.lstrip(".")]
