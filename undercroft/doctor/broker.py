"""Checks of the broker as clients meet it: its certificate, whether it lets us in, and its version."""

from __future__ import annotations

import re
import secrets
import socket
import ssl
import threading
from datetime import UTC, datetime, timedelta
from urllib.parse import SplitResult, unquote, urlsplit

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.reasoncodes import ReasonCode

from undercroft.doctor.finding import Finding, bad, good, note

EXPIRY_NOTICE = timedelta(days=30)
AUTHORITY_NOTICE = timedelta(days=365)
"""Every device in the field has to learn of a new authority."""
LEAST_MOSQUITTO = (2, 0)
VERSION_TOPIC = "$SYS/broker/version"
RENEW = "python3 deploy/make_secrets.py --renew (deployment.md)"
_TIMEOUT_S = 5.0


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
            certificate = secured.getpeercert() or {}
    except (OSError, ssl.SSLError) as error:
        return [bad("certificate", f"{address[0]}:{address[1]}: {error}", "see SSL_CERT_FILE and deployment.md")]
    found = [_expiry("certificate", str(certificate.get("notAfter", "")), now, EXPIRY_NOTICE, RENEW)]
    for authority in context.get_ca_certs():
        if authority.get("subject") == certificate.get("issuer"):
            advice = "make another one, and let the devices know both before it ends"
            found.append(_expiry("authority", str(authority.get("notAfter", "")), now, AUTHORITY_NOTICE, advice))
    return found


def _expiry(check: str, not_after: str, now: datetime, notice: timedelta, advice: str) -> Finding:
    ends = datetime.fromtimestamp(ssl.cert_time_to_seconds(not_after), UTC)
    left = ends - now
    seen = f"ends in {left.days} days, on {ends:%Y-%m-%d}"
    return bad(check, seen, advice) if left < notice else good(check, seen)


def check_sign_in(url: str) -> list[Finding]:
    """Return whether the broker takes this name and password, and which one it is."""
    parts = urlsplit(url)
    client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=f"undercroft-doctor-{secrets.token_hex(4)}")
    client.username_pw_set(unquote(parts.username or ""), unquote(parts.password or ""))
    if parts.scheme == "mqtts":
        client.tls_set_context(ssl.create_default_context())
    heard = _Heard()
    client.on_connect, client.on_message = heard.on_connect, heard.on_message
    try:
        client.connect_timeout = _TIMEOUT_S
        client.connect(parts.hostname or "", parts.port or _default_port(parts))
    except (OSError, ssl.SSLError) as error:
        return [bad("broker", f"{parts.hostname}: {error}", "see that it runs, and that UNDERCROFT_MQTT_URL is right")]
    client.loop_start()
    try:
        heard.done.wait(_TIMEOUT_S)
    finally:
        client.disconnect()
        client.loop_stop()
    return [judge_broker(heard.refusal, heard.version)]


def judge_broker(refusal: str | None, version: str | None) -> Finding:
    """Return what a broker's answers mean: why it lets us not in, what it calls itself; None where it did not say."""
    if refusal is not None:
        return bad(
            "broker", f"lets this name not in: {refusal}", "see mosquitto_passwords, and reload it (deployment.md)"
        )
    if version is None:
        return note("broker", f"lets us in, and tells no version on {VERSION_TOPIC}", "let ingest's name read it")
    found = re.search(r"mosquitto version (\d+)\.(\d+)", version)
    if found is not None and (int(found[1]), int(found[2])) < LEAST_MOSQUITTO:
        return bad("broker", version, f"Mosquitto {'.'.join(map(str, LEAST_MOSQUITTO))} or newer is needed")
    return good("broker", f"lets us in: {version}")


def _default_port(parts: SplitResult) -> int:
    return 8883 if parts.scheme == "mqtts" else 1883


class _Heard:
    """What the broker answered."""

    def __init__(self) -> None:
        self.refusal: str | None = "no answer"
        self.version: str | None = None
        self.done = threading.Event()

    def on_connect(self, client: mqtt.Client, _data: object, _flags: object, reason: ReasonCode, _more: object) -> None:
        if reason.is_failure:
            self.refusal = str(reason)
            self.done.set()
            return
        self.refusal = None
        client.subscribe(VERSION_TOPIC)

    def on_message(self, _client: mqtt.Client, _data: object, message: mqtt.MQTTMessage) -> None:
        self.version = message.payload.decode(errors="replace")
        self.done.set()
