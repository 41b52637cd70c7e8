#!/usr/bin/env python3
"""Make the secrets of a deployment: passwords, URLs, certificates. Python and openssl are all it needs.

    python3 deploy/make_secrets.py HOST             make what is missing; HOST is the name devices connect to
    python3 deploy/make_secrets.py --device ID      add a device, or give it a new password, which is printed once

Nothing that exists is replaced, except a device's password. The folder is 0700; what containers read is 0644 in it,
for compose shows a file to a container with the mode and owner that it has here, and each service has its own user.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import os
import re
import secrets
import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).parent / "secrets"
DATABASE_USERS = {
    "owner": "undercroft_owner",
    "ingest": "ingest",
    "engine": "engine",
    "duty": "duty",
    "api": "api",
    "acts": "acts",
}
PLAIN_PASSWORDS = ("grafana_db_password", "grafana_admin_password", "alert_webhook_token")
CANARY = "canary-1"
"""The device as which `undercroft canary` speaks: the site file names it, and the broker lets it speak in its place."""
DEVICE = re.compile(r"^[a-z0-9][a-z0-9-]{0,39}$")
ROUNDS = 101  # of Mosquitto's own mosquitto_passwd
DAYS_CA, DAYS_SERVER = "3650", "825"


def main() -> int:
    """Do what the command line asks for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("host", nargs="?", help="name that devices connect to")
    parser.add_argument("--device", help="device_id of a device to add")
    parser.add_argument("--folder", type=Path, default=FOLDER)
    options = parser.parse_args()
    folder: Path = options.folder
    if options.device:
        return add_device(folder, options.device)
    if not options.host:
        parser.error("name the host that devices connect to, or --device ID")
    make_all(folder, options.host)
    return 0


def make_all(folder: Path, host: str) -> None:
    """Make every file that is missing."""
    folder.mkdir(mode=0o700, exist_ok=True)
    for name in PLAIN_PASSWORDS:
        once(folder / name, secrets.token_urlsafe(24))
    for name, user in DATABASE_USERS.items():
        password = once(folder / f"{name}_password", secrets.token_urlsafe(24))
        once(folder / f"{name}_url", f"postgresql://{user}:{password}@timescaledb:5432/undercroft")
    if not (folder / "mosquitto_passwords").exists():
        password = secrets.token_urlsafe(24)
        once(folder / "mqtt_url", f"mqtts://undercroft-ingest:{password}@mosquitto:8883")
        write(folder / "mosquitto_passwords", mosquitto_line("undercroft-ingest", password) + "\n")
    if not (folder / "canary_mqtt_url").exists():
        password = secrets.token_urlsafe(24)
        once(folder / "canary_mqtt_url", f"mqtts://{CANARY}:{password}@mosquitto:8883")
        know_device(folder / "mosquitto_passwords", CANARY, password)
    make_certificates(folder, host)


def know_device(path: Path, device: str, password: str) -> None:
    """Put a device's password into the broker's file, in place of one that it had."""
    kept = [line for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith(f"{device}:")]
    write(path, "\n".join([*kept, mosquitto_line(device, password)]) + "\n")


def add_device(folder: Path, device: str) -> int:
    """Add a device's password, or replace it."""
    if not DEVICE.match(device):
        sys.stderr.write(f"{device!r} is no device_id: small letters, digits and hyphens, at most 40\n")
        return 2
    path = folder / "mosquitto_passwords"
    if not path.exists():
        sys.stderr.write(f"{path} is missing: run `python3 deploy/make_secrets.py HOST` first\n")
        return 2
    password = secrets.token_urlsafe(24)
    know_device(path, device, password)
    sys.stdout.write(f"{device} {password}\n")
    return 0


def mosquitto_line(user: str, password: str) -> str:
    """Return a line of Mosquitto's password file: PBKDF2 of SHA-512, as mosquitto_passwd writes it."""
    salt = os.urandom(12)
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, ROUNDS)
    return f"{user}:$7${ROUNDS}${base64.b64encode(salt).decode()}${base64.b64encode(digest).decode()}"


def make_certificates(folder: Path, host: str) -> None:
    """Make an authority of our own and the broker's certificate; the authority's key stays in the folder."""
    if (folder / "mqtt_server.crt").exists():
        return
    ca_key, ca, key, request, server = (
        str(folder / name)
        for name in ("mqtt_ca.key", "mqtt_ca.crt", "mqtt_server.key", "mqtt_server.csr", "mqtt_server.crt")
    )
    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    usage = ("-addext", "keyUsage=critical,keyCertSign,cRLSign")
    openssl(
        "req", "-x509", *curve, "-keyout", ca_key, "-out", ca, "-days", DAYS_CA, "-subj", "/CN=Undercroft CA", *usage
    )
    openssl("req", *curve, "-keyout", key, "-out", request, "-subj", f"/CN={host}")
    extension = folder / "mqtt_server.ext"
    kind = "IP" if re.fullmatch(r"[0-9.]+|.*:.*", host) else "DNS"
    write(
        extension,
        f"subjectAltName={kind}:{host},DNS:mosquitto,DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth\n",
    )
    signing = ("-CA", ca, "-CAkey", ca_key, "-CAcreateserial", "-days", DAYS_SERVER, "-extfile", str(extension))
    openssl("x509", "-req", "-in", request, "-out", server, *signing)
    for path in (ca, key, server):
        Path(path).chmod(0o644)
    Path(ca_key).chmod(0o600)


def openssl(*words: str) -> None:
    """Run openssl; its words go to standard error when it fails."""
    done = subprocess.run(["openssl", *words], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"openssl {words[0]}: {done.stderr.strip()}")


def once(path: Path, text: str) -> str:
    """Write a file unless it exists; return what is in it."""
    if not path.exists():
        write(path, text + "\n")
    return path.read_text(encoding="utf-8").strip()


def write(path: Path, text: str) -> None:
    """Write a file, whole or not at all; the folder keeps others out."""
    fresh = path.with_name(f"{path.name}.new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644), "w", encoding="utf-8") as stream:
        stream.write(text)
    fresh.replace(path)


if __name__ == "__main__":
    raise SystemExit(main())
