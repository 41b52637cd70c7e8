"""Pushing to a Grafana and showing how it differs from the code."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from grafana_client.api import GrafanaApi
from grafana_client.client import GrafanaClientError, GrafanaException

from dashboards.build import all_dashboards
from dashboards.dashboard import TAG
from dashboards.drift import differences
from dashboards.house import Json
from undercroft.errors import BadInput, UndercroftError

FOLDER_UID = "undercroft"
FOLDER_TITLE = "Undercroft 地下空间防汛"
_MOST_WORDS = 200
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
    """Return a client for a service account's token.

    Raises
    ------
    BadInput
        If the address is none.
    """
    try:
        parts = urlsplit(url)
        is_address = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_address = False
    if not is_address:
        raise BadInput(f"--url {url}: expected an address of Grafana, such as http://127.0.0.1:3000")
    path = f"{parts.path.rstrip('/')}/" if parts.path.strip("/") else ""
    api: Any = GrafanaApi.from_url(parts._replace(path=path).geturl(), credential=token)
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
            answer = api.dashboard.update_dashboard(
                {
                    "dashboard": board.to_json(),
                    "folderUid": folder,
                    "overwrite": True,
                    "message": "undercroft dashboards push",
                }
            )
            _entry(answer, "uid")
    except (GrafanaException, OSError, ValueError) as error:
        raise GrafanaRefused(f"Grafana: {_words(error)}") from error
    return [board.uid for board in all_dashboards()]


def drift(api: Any) -> list[Drift]:
    """Return how Grafana differs: dashboards that are missing, changed by hand, or ours no longer."""
    found = []
    try:
        known = {board.uid: board.to_json() for board in all_dashboards()}
        listed = [str(_entry(each, "uid")) for each in _entries(api.search.search_dashboards(tag=TAG))]
        for uid, wanted in known.items():
            stored = _stored(api, uid, is_listed=uid in listed)
            if stored is None:
                found.append(Drift(uid, "missing, or hidden from this token"))
            elif places := differences(wanted, stored):
                found.append(Drift(uid, "changed: " + ", ".join(places[:5])))
        found += [Drift(uid, "not in the code") for uid in listed if uid not in known]
    except (GrafanaException, OSError, ValueError) as error:
        raise GrafanaRefused(f"Grafana: {_words(error)}") from error
    return found


def _folder(api: Any) -> str:
    """Return our folder's uid; Grafana gives it one of its own where provisioned rules have made it by its title."""
    for known in _entries(api.folder.get_all_folders()):
        if _entry(known, "uid") == FOLDER_UID or _entry(known, "title") == FOLDER_TITLE:
            return str(_entry(known, "uid"))
    api.folder.create_folder(FOLDER_TITLE, FOLDER_UID)
    return FOLDER_UID


def _stored(api: Any, uid: str, *, is_listed: bool) -> Json | None:
    try:
        answer = api.dashboard.get_dashboard(uid)
    except GrafanaClientError as error:
        if error.status_code == _NOT_FOUND or (error.status_code == _FORBIDDEN and not is_listed):
            return None  # an Editor may not read what is not there (9.4)
        raise
    document = _entry(answer, "dashboard")
    if not isinstance(document, dict):
        raise GrafanaRefused(_NO_GRAFANA)
    return document


_NO_GRAFANA = "Grafana: what answers at this address does not speak as Grafana does (a proxy, a sign-in page?)"


def _entries(answer: object) -> list[object]:
    if not isinstance(answer, list):
        raise GrafanaRefused(_NO_GRAFANA)
    return answer


def _entry(answer: object, name: str) -> Any:
    if not isinstance(answer, dict) or name not in answer:
        raise GrafanaRefused(_NO_GRAFANA)
    return answer[name]


def _words(error: Exception) -> str:
    """Return what an error says in one line, without the page that it may carry."""
    said, page, _ = " ".join(str(error).split()).partition("<")
    return f"{said}{'(a page of HTML)' if page else ''}"[:_MOST_WORDS]
