#!/usr/bin/env python3
"""Make the secrets of a deployment: passwords, URLs, certificates. Python and openssl are all it needs.

    python3 deploy/make_secrets.py HOST             make what is missing; HOST is the name devices connect to
    python3 deploy/make_secrets.py --device ID      add a device, or give it a new password, which is printed once
    python3 deploy/make_secrets.py --renew [HOST]   a new certificate of the broker, by the same authority and key

Nothing that exists is replaced, except a device's password and, with --renew, the broker's certificate. A password
that stands in two files is the same in both, or this says so: a lost file is made again from the one beside it. The
authority is made once: every device in the field knows it. The folder is 0700; what containers read is 0644 in it, for
compose shows a file to a container with the mode and owner that it has here, and each service has its own user. A file
is written anew in its place, never renamed over: compose mounts the very file, and would go on showing the old one.
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
SHOWN = frozenset({"alert_webhook_token", "mosquitto_passwords", "mqtt_ca.crt", "mqtt_server.crt", "mqtt_server.key"})
"""What a container reads, beside passwords and URLs."""
INGEST = "undercroft-ingest"
CANARY = "canary-1"
"""The device as which `undercroft canary` speaks: the site file names it, and the broker lets it speak in its place."""
OUR_MQTT_URLS = {INGEST: "mqtt_url", CANARY: "canary_mqtt_url"}
"""Who of ours signs in at the broker, and the file of the URL with the password: no device's names."""
HOST = re.compile(r"^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$|^[0-9a-fA-F]*:[0-9a-fA-F:.]*:[0-9a-fA-F:.]*$")
DEVICE = re.compile(r"^[a-z0-9][a-z0-9-]{0,39}$")
ROUNDS = 101  # of Mosquitto's own mosquitto_passwd
DAYS_CA, DAYS_SERVER = "3650", "825"
CURVE = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
HOST_IN_EXTENSION = re.compile(r"subjectAltName=(?:IP|DNS):([^,\s]+)")


def main() -> int:
    """Do what the command line asks for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("host", nargs="?", help="name that devices connect to")
    parser.add_argument("--device", help="device_id of a device to add")
    parser.add_argument("--renew", action="store_true", help="make the broker's certificate again")
    parser.add_argument("--folder", type=Path, default=FOLDER)
    options = parser.parse_args()
    folder: Path = options.folder
    if options.host and not HOST.match(options.host):
        sys.stderr.write(f"{options.host!r} is no host: expected a name or an address, without port or scheme\n")
        return 2
    if options.device:
        return add_device(folder, options.device)
    if options.renew:
        return renew_certificate(folder, options.host)
    if not options.host:
        parser.error("name the host that devices connect to, or --device ID")
    make_all(folder, options.host)
    return 0


def make_all(folder: Path, host: str) -> None:
    """Make every file that is missing."""
    folder.mkdir(mode=0o700, exist_ok=True)
    folder.chmod(0o700)
    for name in PLAIN_PASSWORDS:
        once(folder / name, secrets.token_urlsafe(24))
    for name, user in DATABASE_USERS.items():
        url = folder / f"{name}_url"
        password = once(folder / f"{name}_password", password_in(url) or secrets.token_urlsafe(24))
        once(url, f"postgresql://{user}:{password}@timescaledb:5432/undercroft")
        if password_in(url) != password:
            raise SystemExit(f"{url} and {name}_password beside it differ: delete the wrong one")
    make_broker_passwords(folder)
    make_certificates(folder, host)
    for path in folder.iterdir():  # those of a time when the mask of the one who made them held
        if path.name in SHOWN or path.name.endswith(("_password", "_url")):
            path.chmod(0o644)


def make_broker_passwords(folder: Path) -> None:
    """Have the broker know what stands in the URLs of ours, whichever of the files was lost."""
    path = folder / "mosquitto_passwords"
    if not path.exists():
        if any((folder / name).exists() for name in OUR_MQTT_URLS.values()):
            sys.stderr.write(f"{path} was lost: every device needs a new password, --device ID\n")
        write(path, "")
    for user, name in OUR_MQTT_URLS.items():
        url = folder / name
        once(url, f"mqtts://{user}:{secrets.token_urlsafe(24)}@mosquitto:8883")
        password = password_in(url)
        if password is None:
            raise SystemExit(f"{url}: no URL with a password, as mqtts://{user}:...@mosquitto:8883")
        lines = path.read_text(encoding="utf-8").splitlines()
        if not any(is_of(line, user, password) for line in lines):
            know_device(path, user, password)


def password_in(url: Path) -> str | None:
    """Return the password in a file's URL; None where there is no such file."""
    found = re.match(r"\w+://[^:/@]+:([^@]+)@", url.read_text(encoding="utf-8")) if url.exists() else None
    return None if found is None else found[1]


def know_device(path: Path, device: str, password: str) -> None:
    """Put a device's password into the broker's file, in place of one that it had."""
    kept = [line for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith(f"{device}:")]
    write(path, "\n".join([*kept, mosquitto_line(device, password)]) + "\n")


def add_device(folder: Path, device: str) -> int:
    """Add a device's password, or replace it."""
    if not DEVICE.match(device):
        sys.stderr.write(f"{device!r} is no device_id: small letters, digits and hyphens, at most 40\n")
        return 2
    if device in OUR_MQTT_URLS:
        url = folder / OUR_MQTT_URLS[device]
        sys.stderr.write(f"{device} is ours, no device: for a new password delete {url}, then run this with HOST\n")
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
    return f"{user}:$7${ROUNDS}${base64.b64encode(salt).decode()}${hashed(password, salt, ROUNDS)}"


def hashed(password: str, salt: bytes, rounds: int) -> str:
    """Return PBKDF2 of SHA-512 in base64."""
    return base64.b64encode(hashlib.pbkdf2_hmac("sha512", password.encode(), salt, rounds)).decode()


def is_of(line: str, user: str, password: str) -> bool:
    """Tell whether a line of the password file is this user's with this password."""
    found = re.fullmatch(r"([^:]+):\$7\$(\d+)\$([^$]+)\$([^$]+)", line)
    if found is None or found[1] != user:
        return False
    return hashed(password, base64.b64decode(found[3]), int(found[2])) == found[4]


def make_certificates(folder: Path, host: str) -> None:
    """Make an authority of our own and the broker's certificate, unless they are there."""
    ca_key, ca = folder / "mqtt_ca.key", folder / "mqtt_ca.crt"
    if not ca.exists():
        usage = ("-addext", "keyUsage=critical,keyCertSign,cRLSign")
        subject = ("-days", DAYS_CA, "-subj", "/CN=Undercroft CA")
        openssl("req", "-x509", *CURVE, "-keyout", str(ca_key), "-out", str(ca), *subject, *usage)
        ca.chmod(0o644)
        ca_key.chmod(0o600)
    if not (folder / "mqtt_server.crt").exists():
        sign_certificate(folder, host)


def renew_certificate(folder: Path, host: str | None) -> int:
    """Make the broker's certificate again, for the same host unless another is named."""
    extension = folder / "mqtt_server.ext"
    if host is None:
        known = HOST_IN_EXTENSION.match(extension.read_text(encoding="utf-8")) if extension.exists() else None
        if known is None:
            sys.stderr.write(f"{extension} does not tell the host: name it, --renew HOST\n")
            return 2
        host = known[1]
    sign_certificate(folder, host)
    sys.stdout.write(
        f"the broker's certificate is for {host}, {DAYS_SERVER} days from now; the authority is the same\n"
    )
    return 0


def sign_certificate(folder: Path, host: str) -> None:
    """Have our authority sign a certificate of the broker; its key stays where there is one."""
    ca, ca_key, key = folder / "mqtt_ca.crt", folder / "mqtt_ca.key", folder / "mqtt_server.key"
    for needed in (ca, ca_key):
        if not needed.exists():
            raise SystemExit(f"{needed} is missing: put it back from where it is kept, and run this again")
    if not key.exists():
        openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-out", str(key))
        key.chmod(0o644)
    extension, request, fresh = (folder / f"mqtt_server.{kind}" for kind in ("ext", "csr", "crt.new"))
    openssl("req", "-new", "-key", str(key), "-out", str(request), "-subj", f"/CN={host}")
    kind = "IP" if re.fullmatch(r"[0-9.]+|.*:.*", host) else "DNS"
    write(
        extension,
        f"subjectAltName={kind}:{host},DNS:mosquitto,DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth\n",
    )
    authority = ("-CA", str(ca), "-CAkey", str(ca_key), "-CAcreateserial")
    signing = (*authority, "-days", DAYS_SERVER, "-extfile", str(extension))
    openssl("x509", "-req", "-in", str(request), "-out", str(fresh), *signing)
    write(folder / "mqtt_server.crt", fresh.read_text(encoding="ascii"))
    fresh.unlink()


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
    """Write a file, anew in its place where there is one, whatever mask holds; the folder keeps others out."""
    data = text.encode()
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT, 0o644), "wb") as stream:
        os.fchmod(stream.fileno(), 0o644)
        stream.write(data)
        stream.truncate(len(data))
        stream.flush()
        os.fsync(stream.fileno())


if __name__ == "__main__":
    raise SystemExit(main())
