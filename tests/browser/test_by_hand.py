"""Live, by hand: a real Mosquitto, ``undercroft up``, one ``mosquitto_pub`` of a red depth, and the page."""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.integration.ingest_kit import Mosquitto, free_port, needs_mosquitto
from tests.integration.up_kit import running_up, short_folder
from undercroft.clock import SystemClock
from undercroft.site import load_site, sample_site_path

SHOWN_WITHIN_S = 2.0
RED_DEPTH_M = 0.8

pytestmark = [
    needs_mosquitto,
    pytest.mark.skipif(shutil.which("mosquitto_pub") is None, reason="mosquitto_pub is not installed"),
]


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[Mosquitto]:
    broker = Mosquitto(tmp_path, free_port())
    broker.start()
    yield broker
    broker.stop()


def inside_gauge() -> tuple[str, str]:
    """Return a car park of the sample district, and the topic of its inside gauge."""
    site = load_site(sample_site_path())
    for space in site.spaces:
        for device in space.devices:
            for sensor in device.sensors:
                if space.kind == "car_park" and sensor.quantity == "water_depth_m" and sensor.entrance is None:
                    return space.id, f"flood/v1/{site.district.id}/{space.id}/{device.id}/observation"
    raise AssertionError("the sample district has no car park with an inside gauge")


def test_a_red_depth_by_hand_is_an_alarm_on_the_page_within_two_seconds(mosquitto: Mosquitto, page: Page) -> None:
    space_id, topic = inside_gauge()
    with short_folder() as data_dir, running_up(data_dir, UNDERCROFT_MQTT_URL=mosquitto.url) as up:
        address = re.search(r"http://\S+", up.until(r"http://"))
        assert address is not None
        up.until(r"running; Ctrl-C ends it")
        page.goto(address[0].rstrip("/.,"))
        expect(page.locator("#link")).to_have_attribute("data-link", "live")
        row = page.locator(f'#spaces tr[data-space="{space_id}"]')
        expect(row).not_to_contain_text("红")
        payload = f'{{"observed_at": "{SystemClock().now().isoformat()}", "water_depth_m": {RED_DEPTH_M}}}'
        words = ["mosquitto_pub", "-h", "127.0.0.1", "-p", str(mosquitto.port), "-q", "1", "-t", topic, "-m", payload]
        began_s = time.monotonic()
        subprocess.run(words, check=True)
        expect(row).to_contain_text("红")
        expect(page.locator("#alarms")).to_contain_text("0.8")
        took_s = time.monotonic() - began_s
        page.goto("about:blank")
        assert up.end() == 0
    assert took_s < SHOWN_WITHIN_S
