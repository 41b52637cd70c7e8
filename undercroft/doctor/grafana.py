"""Checks of a Grafana: whether it answers, and its version."""

from __future__ import annotations

import httpx

from undercroft.doctor.finding import Finding, bad, good

LEAST_GRAFANA = (9, 4)
_TIMEOUT_S = 5.0


def check_grafana(url: str) -> list[Finding]:
    """Return what a Grafana says of itself to whoever asks (``/api/health``)."""
    try:
        answer = httpx.get(f"{url.rstrip('/')}/api/health", timeout=_TIMEOUT_S)
        answer.raise_for_status()
        said = answer.json()
        version = tuple(int(part) for part in str(said["version"]).split("-")[0].split(".")[:2])
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, KeyError, TypeError) as error:
        return [
            bad("grafana", f"{url}: {type(error).__name__}: {error}", "see that it runs, and that the URL is right")
        ]
    seen = f"Grafana {said['version']}"
    if version < LEAST_GRAFANA:
        return [bad("grafana", seen, f"{'.'.join(map(str, LEAST_GRAFANA))} or newer is needed")]
    if said.get("database") != "ok":
        return [bad("grafana", f"{seen}, its own database: {said.get('database')}", "see its log")]
    return [good("grafana", seen)]
