"""What waits for somebody, on a wide screen and on a telephone: late orders first, and nothing out of reach."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import NamedTuple

import pytest
from playwright.sync_api import Page, ViewportSize, expect

from tests.browser.service import running_api
from tests.browser.storm import seed
from tests.browser.world import World
from tests.conftest import fresh
from undercroft.model import Mode
from undercroft.stack.postgres import PostgresServer

LATE = 9
ORDERS = 505  # more than one page of the service
TELEPHONE: ViewportSize = {"width": 390, "height": 844}

_WAITING = """
insert into incident (incident_id, basin_id, opened_at, worst, state)
select 'i', basin_id, %(now)s, 4, '{"pressed": []}' from place where place_id = %(space)s;
insert into duty_order (order_id, incident_id, subject, proof, state, owner, author, changed_at, due_at, within_s,
    text_zh, text_en, note, confirmed_after)
select 'o-' || to_char(n, 'FM0000000000'), 'i', 'space/' || %(space)s, 'checked', 'issued', 'street ' || n, 'li',
    %(now)s::timestamptz - interval '1 hour' + n * interval '1 second',
    %(now)s::timestamptz + case when n <= %(late)s then -n else 600 end * interval '1 minute', 600, '', '', '', 0
from generate_series(1, %(orders)s) as n;
insert into duty_order (order_id, incident_id, subject, proof, state, owner, author, changed_at, due_at, within_s,
    text_zh, text_en, note, confirmed_after)
select 'o-0000009999', 'i', 'space/' || %(space)s, 'evacuated', 'confirmed', 'metro', 'li',
    %(now)s::timestamptz - interval '5 minutes', %(now)s, 600, '', '', '', 0;
insert into act (act_id, kind, subject, author, acted_at, body, commit_seq)
select gen_random_uuid(), 'field_report', 'space/' || %(space)s, 'li', %(now)s,
    '{"evacuated": false, "by": "Sun", "note": ""}', 900;
insert into report_due (incident_id, kind, serial, due_at)
select 'i', 'phone', 0, %(now)s::timestamptz - interval '300 minutes'
"""
"""505 orders, of which the nine oldest are late by 1 to 9 minutes; a confirmation that somebody contradicts; a report
by phone that is missing for five hours."""


class Waiting(NamedTuple):
    address: str
    spaces: list[str]


@pytest.fixture(scope="module")
def waiting(postgres: PostgresServer, template_databases: dict[Mode, str]) -> Iterator[Waiting]:
    with (
        contextmanager(fresh)(postgres, Mode.EXERCISE, template_databases[Mode.EXERCISE]) as url,
        closing(World(url)) as world,
    ):
        spaces = seed(world)
        values = {"now": world.now, "space": spaces[0], "late": LATE, "orders": ORDERS}
        for statement in _WAITING.split(";\n"):
            world.connection.execute(statement.encode(), values)
        with running_api(url) as (address, _):
            yield Waiting(address, spaces)


@pytest.fixture
def shown(page: Page, waiting: Waiting) -> Iterator[Page]:
    page.goto(waiting.address)
    expect(page.locator("#spaces tr")).to_have_count(40)
    expect(page.locator("#duty")).to_contain_text("在办指令")
    yield page
    page.goto("about:blank")


def test_late_orders_come_before_paperwork_and_what_is_folded_can_be_opened(shown: Page) -> None:
    lines = shown.locator("#duty li")
    expect(lines).to_have_count(8)  # six, how many more, and what is under way
    texts = lines.all_inner_texts()
    assert "CONTRADICTED" in texts[0]
    assert all("LATE" in text for text in texts[1:6]), texts
    assert "5 more, show all" in texts[6]
    opens = shown.locator("#duty .unfold")
    expect(opens).to_have_attribute("aria-expanded", "false")
    opens.focus()
    shown.keyboard.press("Enter")
    expect(lines).to_have_count(1 + LATE + 1 + 2)
    expect(lines.nth(LATE)).to_contain_text("order LATE 1 min")
    expect(lines.nth(LATE + 1)).to_contain_text("MISSING for 300 min")
    expect(shown.locator("#duty .unfold")).to_have_attribute("aria-expanded", "true")
    shown.locator("#duty .unfold").click()
    expect(lines).to_have_count(8)


def test_orders_beyond_the_first_page_are_read(shown: Page) -> None:
    expect(shown.locator("#duty")).to_contain_text(f"在办指令 {ORDERS}，")


def test_a_contradicted_order_says_in_each_language_what_contradicts_it(shown: Page) -> None:
    line = shown.locator("#duty li").first
    shown.click("[data-set-lang=en]")
    assert "evacuate, metro: CONTRADICTED: confirmed as evacuated, but Sun reported occupied" in line.inner_text()
    shown.click("[data-set-lang=zh]")
    assert "疏散，metro：确认人员已撤离，Sun 报告仍有人" in line.inner_text()
    assert "confirmed as" not in line.inner_text()
    shown.click("[data-set-lang=both]")


def top(page: Page, part: str) -> float:
    box = page.locator(part).bounding_box()
    assert box is not None, part
    return box["y"]


def test_on_a_telephone_what_waits_can_be_read_and_alarms_come_before_the_spaces(shown: Page) -> None:
    shown.set_viewport_size(TELEPHONE)
    assert shown.evaluate("document.documentElement.scrollWidth") == TELEPHONE["width"]
    duty = shown.locator("#duty")
    assert duty.evaluate("node => node.scrollHeight - node.clientHeight") <= 0
    assert top(shown, "#duty") < top(shown, "#alarms") < top(shown, "#spaces")
    assert top(shown, "#duty li:first-child") < TELEPHONE["height"]
    shown.locator("#duty .unfold").click()
    expect(shown.locator("#duty li")).to_have_count(1 + LATE + 1 + 2)
    assert duty.evaluate("node => node.scrollHeight - node.clientHeight") <= 0
    assert shown.locator("#alarms").evaluate("node => node.parentElement.clientHeight") > TELEPHONE["height"] / 3


def test_on_a_telephone_a_space_that_is_tapped_is_seen_and_left_where_it_was(shown: Page, waiting: Waiting) -> None:
    shown.set_viewport_size(TELEPHONE)
    row = shown.locator(f'#spaces tr[data-space="{waiting.spaces[5]}"]')
    row.scroll_into_view_if_needed()
    was = shown.evaluate("scrollY")
    assert was > 0
    row.click()
    expect(shown.locator("#detail .detail-body")).to_be_visible()
    exercise = shown.locator("#exercise").bounding_box()
    assert exercise is not None
    assert exercise["y"] == 0  # that it is an exercise, or not current, stays in sight
    assert exercise["height"] - 1 <= top(shown, "#detail") < TELEPHONE["height"] / 4
    shown.locator("#detail .close").click()
    expect(shown.locator("#detail")).to_be_hidden()
    assert abs(shown.evaluate("scrollY") - was) <= 1
