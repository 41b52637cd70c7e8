"""What the page says when nothing is heard any more: until when it was current, and for how long it has not been."""

from __future__ import annotations

import re
import signal
from contextlib import closing
from datetime import UTC, datetime, timedelta

from playwright.sync_api import Page, expect

from tests.browser.service import running_api
from tests.browser.storm import seed
from tests.browser.world import World

PULSE_S = 3.0  # the service says something at least as often


def seconds(clock: str) -> float:
    hours, minutes, whole = map(int, clock.split(":"))
    return timedelta(hours=hours, minutes=minutes, seconds=whole).total_seconds()


def stopped_at(text: str) -> str:
    found = re.search(r"data below stopped at (\d\d:\d\d:\d\d)", text)
    assert found is not None, text
    return found[1]


def test_a_frozen_link_says_when_the_page_last_heard_something(page: Page, live_db: str) -> None:
    """Live, the page's clock runs on; the time of the last data stands still, and the tab is marked though hidden."""
    with (
        closing(World(live_db, start=datetime(2026, 1, 1, tzinfo=UTC))) as world,
        running_api(live_db) as (address, process),
    ):
        seed(world)
        page.goto(address)
        expect(page.locator("#spaces tr")).to_have_count(40)
        expect(page.locator("#link")).to_have_attribute("data-link", "live")
        expect(page).to_have_title(re.compile("^◆1 ▲2 Undercroft"))
        page.evaluate("window.drawAgain = window.requestAnimationFrame; window.requestAnimationFrame = () => 0; 0")
        frozen_s = seconds(page.evaluate("new Date().toLocaleTimeString('sv-SE', {timeZone: 'Asia/Shanghai'})"))
        process.send_signal(signal.SIGSTOP)
        try:
            expect(page).to_have_title(re.compile(r"^⚠ 连接中断 CONNECTION LOST \d\d:\d\d:\d\d \(◆1 ▲2\) Undercroft"))
            page.evaluate("window.requestAnimationFrame = window.drawAgain; 0")
            outage = page.locator("#outage")
            expect(outage).to_contain_text(re.compile(r"已中断 (8|9|1\d) 秒"))
            first = stopped_at(outage.inner_text())
            assert -PULSE_S - 1 <= seconds(first) - frozen_s <= 1
            expect(outage).to_contain_text(re.compile(r"已中断 1[2-9] 秒"))
            assert stopped_at(outage.inner_text()) == first
        finally:
            process.send_signal(signal.SIGCONT)
        expect(page).to_have_title(re.compile("^◆1 ▲2 Undercroft"))
        page.goto("about:blank")
