"""``python -m undercroft.stack.broker_main CONFIG`` runs the embedded broker in the foreground until it is killed."""

from __future__ import annotations

import logging
import sys

from iotcore.iotcore import IotCoreBroker

PORT_TAKEN_EXIT_CODE = 3


def main(config_path: str) -> None:
    """Run the broker of this configuration."""
    # rumqttd reports every packet as an error span; only its silence is readable.
    logging.getLogger("rumqttd").setLevel(logging.CRITICAL)
    broker = IotCoreBroker(config_path=config_path)
    try:
        broker.check_ports()
    except OSError:
        sys.exit(PORT_TAKEN_EXIT_CODE)
    broker.run_forever()


if __name__ == "__main__":
    main(sys.argv[1])
