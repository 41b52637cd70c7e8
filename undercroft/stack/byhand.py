"""How to publish a reading by hand: the line that ``up`` prints."""

from __future__ import annotations

from operator import itemgetter
from urllib.parse import urlsplit

from undercroft.model import Mode
from undercroft.site.model import Site, Space
from undercroft.site.places import devices_of
from undercroft.stack.broker import Broker
from undercroft.stack.datadir import DataDir
from undercroft.stack.ports import LOOPBACK, mqtt_address

_QUANTITY = "water_depth_m"
_DEPTH_M = 0.6


def write_client_options(data_dir: DataDir, broker: Broker) -> str:
    """Write options for ``mosquitto_pub`` and ``mosquitto_sub``; return the words that make them read these.

    The password stays in a file of mode 0600 and off the command line.
    """
    folder = data_dir.subfolder("clients")
    options = f"-h {LOOPBACK}\n-p {broker.port}\n-u operator\n-P {broker.passwords['operator']}\n"
    for program in ("mosquitto_pub", "mosquitto_sub"):
        data_dir.write_private(folder / program, options)
    return f"XDG_CONFIG_HOME={folder}"


def given_broker_options(url: str) -> str:
    """Return the options that reach a broker of the user's own; who may publish there is for them to fill in."""
    host, port = mqtt_address(url)
    parts = urlsplit(url)
    named = " -u YOUR_USER -P YOUR_PASSWORD" if parts.username else ""
    secured = " --tls-use-os-certs" if parts.scheme == "mqtts" else ""
    return f" -h {host} -p {port}{secured}{named}"


def publish_line(site: Site, mode: Mode, environment: str, options: str = "") -> str | None:
    """Return a shell command that reports deep water at a depth sensor of the site; None: it has none.

    A sensor inside a space comes first: there so much water is red at the first reading, at an entrance at the second.
    """
    found = [
        (sensor.entrance is not None or not isinstance(place, Space), place, device, sensor)
        for place, device in devices_of(site)
        for sensor in device.sensors
        if sensor.quantity == _QUANTITY
    ]
    if not found:
        return None
    _, place, device, sensor = min(found, key=itemgetter(0))
    topic = f"{mode.topic_root}/v1/{site.district.id}/{place.id}/{device.id}/event"
    probe = f'"at": "{sensor.at}", ' if sensor.at else ""
    payload = f'{{"observed_at": "\'$(date -u +%FT%TZ)\'", {probe}"{_QUANTITY}": {_DEPTH_M}}}'
    return f"{environment} mosquitto_pub{options} -q 1 -t {topic} -m '{payload}'".strip()
