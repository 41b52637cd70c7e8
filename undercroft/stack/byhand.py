"""How to publish a reading by hand: the line that ``up`` prints."""

from __future__ import annotations

from undercroft.model import Mode
from undercroft.site.model import Site
from undercroft.site.places import devices_of
from undercroft.stack.broker import Broker
from undercroft.stack.datadir import DataDir
from undercroft.stack.ports import LOOPBACK

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


def publish_line(site: Site, mode: Mode, options: str) -> str | None:
    """Return a shell command that reports deep water at the site's first depth sensor; None: it has none."""
    for place, device in devices_of(site):
        for sensor in device.sensors:
            if sensor.quantity == _QUANTITY:
                topic = f"{mode.topic_root}/v1/{site.district.id}/{place.id}/{device.id}/event"
                probe = f'"at": "{sensor.at}", ' if sensor.at else ""
                payload = f'{{"observed_at": "\'$(date -u +%FT%TZ)\'", {probe}"{_QUANTITY}": {_DEPTH_M}}}'
                return f"{options} mosquitto_pub -q 1 -t {topic} -m '{payload}'".strip()
    return None
