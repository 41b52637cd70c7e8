"""Checks of a Mosquitto configuration and of the broker's certificate."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from undercroft.doctor.finding import Finding, bad, good, note

WANTED = {
    "allow_anonymous": "false",
    "persistence": "true",
    "autosave_interval": "1",
    "max_inflight_messages": "1000",
    "max_queued_messages": "0",
    "message_size_limit": "262144",
}
"""Mosquitto's defaults drop all but 1,000 queued messages in silence and lose the session on kill -9."""

REQUIRED = ("acl_file", "password_file", "certfile", "keyfile")
EXPIRY_NOTICE = timedelta(days=30)
_TIMEOUT_S = 5.0


def read_configuration(path: Path) -> dict[str, str]:
    """Return option -> last value of a Mosquitto configuration."""
    lines = (line.split("#", 1)[0].strip() for line in path.read_text(encoding="utf-8").splitlines())
    return {name: value for name, _, value in (line.partition(" ") for line in lines if line)}


def check_configuration(options: Mapping[str, str]) -> list[Finding]:
    """Return how a configuration differs from what loses no message and lets nobody in."""
    wrong = [f"{name} {options.get(name, '(default)')}" for name, value in WANTED.items() if options.get(name) != value]
    absent = [name for name in REQUIRED if name not in options]
    found = []
    if wrong:
        advice = "; ".join(f"{name} {value}" for name, value in WANTED.items() if options.get(name) != value)
        found.append(bad("queue limits", ", ".join(wrong), f"set {advice}"))
    if absent:
        found.append(bad("broker access", f"missing: {', '.join(absent)}", "see deploy/mosquitto/mosquitto.conf"))
    return found or [good("broker configuration", "TLS, passwords, access list and queue limits as they should be")]


def check_access_list(text: str) -> list[Finding]:
    """Return what an access list gives away: topics for everybody, or devices that write under another's name."""
    loose, user = [], ""
    for line in (line.strip() for line in text.splitlines()):
        words = line.split()
        if not words or line.startswith("#"):
            continue
        if words[0] == "user":
            user = words[1]
        elif (words[0] == "topic" and not user) or (words[0] == "pattern" and "%u" not in line and "%c" not in line):
            loose.append(line)
    if loose:
        return [bad("access list", f"for everybody: {'; '.join(loose)}", "name a user, or %u in the pattern")]
    return [good("access list", "every rule names a user or binds the device's name")]


def check_certificate(url: str, now: datetime) -> list[Finding]:
    """Return how the broker's certificate stands; the authority is found as every client of ours finds it."""
    parts = urlsplit(url)
    if parts.scheme != "mqtts":
        return [note("certificate", f"{parts.scheme}:// has no TLS", "use mqtts:// for anything but loopback")]
    address = (parts.hostname or "", parts.port or 8883)
    try:
        context = ssl.create_default_context()
        with (
            socket.create_connection(address, timeout=_TIMEOUT_S) as raw,
            context.wrap_socket(raw, server_hostname=address[0]) as secured,
        ):
            certificate = secured.getpeercert()
    except (OSError, ssl.SSLError) as error:
        return [bad("certificate", f"{address[0]}:{address[1]}: {error}", "see SSL_CERT_FILE and deployment.md")]
    return [_expiry(str((certificate or {}).get("notAfter", "")), now)]


def _expiry(not_after: str, now: datetime) -> Finding:
    ends = datetime.fromtimestamp(ssl.cert_time_to_seconds(not_after), UTC)
    left = ends - now
    if left < EXPIRY_NOTICE:
        return bad(
            "certificate",
            f"ends in {left.days} days, on {ends:%Y-%m-%d}",
            "python3 deploy/make_secrets.py --renew (deployment.md)",
        )
    return good("certificate", f"ends in {left.days} days, on {ends:%Y-%m-%d}")
