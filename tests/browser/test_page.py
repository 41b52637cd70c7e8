"""What a person on duty sees, and what the page does when things change or break."""

from __future__ import annotations

import re
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import pytest
from playwright.sync_api import Page, expect

from tests.browser.service import running_api
from tests.browser.storm import BARRIER, LOST, RED, finding, seed
from tests.browser.world import Happening, World
from tests.conftest import fresh
from undercroft.model import Mode
from undercroft.stack.postgres import PostgresServer

RAISED_WITHIN_S = 2.0
Service = tuple[str, subprocess.Popen[str]]


class Still(NamedTuple):
    """An evening at which nothing happens any more: for tests that only look."""

    address: str
    spaces: list[str]


@pytest.fixture(scope="module")
def still(postgres: PostgresServer, template_databases: dict[Mode, str]) -> Iterator[Still]:
    with (
        contextmanager(fresh)(postgres, Mode.EXERCISE, template_databases[Mode.EXERCISE]) as url,
        closing(World(url)) as world,
    ):
        ids = seed(world)
        with running_api(url) as (address, _):
            yield Still(address, ids)


@pytest.fixture
def looked_at(page: Page, still: Still) -> Iterator[Page]:
    page.goto(still.address)
    yield from _when_live(page)


def _when_live(page: Page) -> Iterator[Page]:
    expect(page.locator("#spaces tr")).to_have_count(40)
    expect(page.locator("#link")).to_have_attribute("data-link", "live")
    yield page
    page.goto("about:blank")  # before the service ends


@pytest.fixture
def spaces(world: World) -> list[str]:
    return seed(world)


@pytest.fixture
def service(exercise_db: str, spaces: list[str]) -> Iterator[Service]:
    with running_api(exercise_db) as found:
        yield found


@pytest.fixture
def shown(page: Page, service: Service) -> Iterator[Page]:
    page.goto(service[0])
    yield from _when_live(page)


def row(page: Page, space_id: str) -> str:
    return page.locator(f'#spaces tr[data-space="{space_id}"]').inner_text()


def test_ranked_worst_first_in_words_and_shapes(looked_at: Page, still: Still) -> None:
    order = looked_at.locator("#spaces tr").evaluate_all("rows => rows.map(row => row.dataset.space)")
    assert order == still.spaces
    first = row(looked_at, still.spaces[0])
    assert "◆" in first
    assert "红" in first
    assert "−6" in first
    assert "31" in first
    shapes = looked_at.locator("#counts li").evaluate_all(
        "items => items.map(item => item.innerText.replace(/\\s+/g, ' '))"
    )
    assert [re.sub(r"\s", "", text) for text in shapes] == ["◆1红", "▲2橙", "■3黄", "●2蓝", "○32正常"]


def test_exercise_is_unmistakable(looked_at: Page) -> None:
    expect(looked_at.locator("#exercise")).to_be_visible()
    expect(looked_at.locator("#exercise")).to_contain_text("演练")
    expect(looked_at.locator("#exercise")).to_contain_text("EXERCISE")
    expect(looked_at.locator("#clock")).to_have_text("21:01:00")


def test_alarm_quotes_value_threshold_source_sensor_and_time(looked_at: Page, still: Still) -> None:
    card = looked_at.locator("#alarms li").first
    expect(card).to_have_attribute("data-subject", f"space/{still.spaces[0]}")
    for words in ("0.31 m", "0.27 m", RED["source"], RED["sensor"], "19:00:00", RED["text_zh"], RED["text_en"]):
        expect(card).to_contain_text(words)


def test_alarm_shows_the_numbers_of_now_while_it_lasts(shown: Page, world: World, spaces: list[str]) -> None:
    card = shown.locator("#alarms li").first
    world.tick([replace(finding(spaces[0], 0), reasons=(RED | {"value": 0.44},))])
    expect(card).to_contain_text("0.44 m")
    world.tick([finding(spaces[0], 0, level=2)])  # the water went down: what raised the alarm is shown
    expect(card).to_contain_text("0.31 m")


def test_an_alarm_that_is_not_left_yet_says_what_raised_it_when_and_that_it_is_held(
    shown: Page, world: World, spaces: list[str]
) -> None:
    """A milder reason that came since, and the mild reasons of now, stand beside what made it red, not in its place."""
    subject = f"space/{spaces[20]}"
    card = shown.locator(f'#alarms li[data-subject="{subject}"]')
    world.tick([finding(spaces[20], 0, level=4)], [Happening(subject, 4, reasons=[RED])])
    red_at = f"{world.now + timedelta(hours=8):%H:%M:%S}"  # Shenzhen is UTC+8
    expect(card).to_contain_text("0.31 m")
    expect(card).not_to_contain_text("held red")
    world.tick([], [Happening(subject, 4, "reason_added", reasons=[BARRIER])])
    world.tick([replace(finding(spaces[20], 3), level=2)])
    held = card.locator(".held")
    expect(held).to_contain_text(f"红色保持：{red_at} 因下列原因达到")
    expect(held).to_contain_text(f"held red: reached at {red_at} for the reason below")
    reasons = card.locator(".held ~ .reason, .held-now")
    expect(reasons.nth(0)).to_contain_text(RED["text_en"])
    expect(reasons.nth(1)).to_have_text("现在now")
    expect(reasons.nth(2)).to_contain_text("Outside water rises 1.7 cm/min")
    expect(card).not_to_contain_text(BARRIER["text_en"])
    world.tick([finding(spaces[20], 30, level=0)])
    expect(card).to_contain_text("no rule fires now")
    expect(card).to_contain_text(RED["text_zh"])
    world.tick([finding(spaces[20], 0, level=4)])
    expect(held).to_have_count(0)


def test_an_alarm_says_why_nobody_is_told_who_took_it_and_that_it_is_stale(
    shown: Page, world: World, spaces: list[str]
) -> None:
    subject = f"space/{spaces[20]}"
    card = shown.locator(f'#alarms li[data-subject="{subject}"]')
    until = world.now + timedelta(minutes=20)
    world.tick([], [Happening(subject, 2, shelved_until=until)])
    expect(card).to_contain_text(f"已搁置至 {until + timedelta(hours=8):%H:%M:%S}，不通知")  # Shenzhen is UTC+8
    world.tick([], [Happening(subject, 2, "unshelved")])
    expect(card).not_to_contain_text("搁置")
    world.tick([], [Happening(subject, 2, "suppressed", suppressed_by="system/broker-away")])
    expect(card).to_contain_text("由 system/broker-away 引起，不另行通知")
    expect(card).to_contain_text("follows from system/broker-away")
    expect(card).to_contain_text("无人接警")
    taken_at = world.now + timedelta(minutes=1)
    world.tick([], [Happening(subject, 2, "acknowledged", taken_by="wu")])
    expect(card).to_contain_text(f"已接警：wu {taken_at + timedelta(hours=8):%H:%M:%S}")
    expect(card).not_to_contain_text("无人接警")
    expect(card).not_to_contain_text("STALE")
    world.now += timedelta(hours=25)
    world.tick([], [Happening(subject, 2, "reason_added")])
    expect(card).to_contain_text("已 25 小时，长期未消")


def test_a_raised_alarm_is_seen_within_two_seconds(shown: Page, world: World, spaces: list[str]) -> None:
    subject = f"space/{spaces[20]}"
    world.tick([finding(spaces[20], 0, level=4)], [Happening(subject, 4, reasons=[RED])])
    committed = time.monotonic()
    expect(shown.locator(f'#alarms li[data-subject="{subject}"]')).to_be_visible()
    assert time.monotonic() - committed < RAISED_WITHIN_S
    expect(shown.locator(f'#alarms li[data-subject="{subject}"]')).to_have_class(re.compile(r"\bnew\b"))
    expect(shown.locator("#announce")).to_contain_text("红色告警")
    expect(shown.locator("#spaces tr").nth(0)).to_have_attribute("data-level", "4")
    expect(shown.locator("#spaces tr").nth(1)).to_have_attribute("data-level", "4")
    world.tick([], [Happening(subject, 4, "cleared")])
    expect(shown.locator(f'#alarms li[data-subject="{subject}"]')).to_have_count(0)


def test_old_data_is_grey_and_says_its_age(shown: Page, world: World, spaces: list[str]) -> None:
    lost = shown.locator(f'#spaces tr[data-space="{spaces[LOST[1]]}"]')
    fresh = shown.locator(f'#spaces tr[data-space="{spaces[2]}"]')
    expect(lost).to_have_class(re.compile("stale"))
    expect(lost).to_contain_text("数据 14 分钟前")
    expect(lost).to_contain_text("14 min old")
    expect(fresh).not_to_have_class(re.compile("stale"))
    world.tick(forward=timedelta(minutes=8))  # the run clock goes on, and no reading comes
    expect(fresh).to_have_class(re.compile("stale"))
    expect(fresh).to_contain_text("数据 10 分钟前")


def test_details_by_keyboard(looked_at: Page, still: Still) -> None:
    looked_at.keyboard.press("ArrowDown")
    looked_at.keyboard.press("ArrowDown")
    looked_at.keyboard.press("Enter")
    detail = looked_at.locator("#detail")
    expect(detail.locator(".detail-body")).to_be_visible()
    expect(detail).to_contain_text("坎顶")
    expect(detail.locator("svg.chart").first).to_be_visible()
    assert detail.locator("svg.chart path.line").count() >= 1
    assert detail.locator("svg.chart .threshold").count() >= 2
    expect(detail.locator(".contributions li").first).to_contain_text("38.2")
    assert looked_at.url.endswith(f"#{still.spaces[1]}")
    looked_at.reload()
    expect(looked_at.locator("#detail .detail-body")).to_be_visible()
    looked_at.keyboard.press("Escape")
    expect(detail).to_be_hidden()


def test_details_that_cannot_be_read_again_say_so_and_of_when_they_are(
    shown: Page, world: World, spaces: list[str], complaints: list[str]
) -> None:
    shown.locator("#spaces button.name").first.click()
    detail, old = shown.locator("#detail"), shown.locator("#detail .not-current")
    expect(detail.locator(".detail-body")).to_be_visible()
    expect(old).to_have_count(0)
    clock = shown.locator("#clock").inner_text()
    world.connection.execute("alter table act rename to away")  # which the details read, and the stream does not
    world.tick([finding(spaces[0], 0)], forward=timedelta(minutes=5))
    expect(old).to_contain_text(f"读取失败，以下停在 {clock}，不是当前的")
    expect(old).to_contain_text(f"could not load: what follows is of {clock}, not current")
    expect(detail.locator(".detail-body")).to_be_visible()
    expect(shown.locator("#link")).to_have_attribute("data-link", "live")
    world.connection.execute("alter table away rename to act")
    world.tick([finding(spaces[0], 0)])
    expect(old).to_have_count(0)
    complaints.clear()  # the browser reports the answer of 500


def test_language_is_kept(looked_at: Page) -> None:
    looked_at.click("[data-set-lang=en]")
    expect(looked_at.locator("#list-title .zh")).to_be_hidden()
    expect(looked_at.locator("#list-title .en")).to_be_visible()
    looked_at.reload()
    expect(looked_at.locator("#list-title .zh")).to_be_hidden()


def test_filter(looked_at: Page) -> None:
    looked_at.keyboard.press("/")
    looked_at.keyboard.type("underpass")
    expect(looked_at.locator("#list-count")).to_have_text(re.compile(r"^\d+ / 40$"))
    assert 0 < looked_at.locator("#spaces tr").count() < 40


def test_nothing_overflows_at_either_size(looked_at: Page) -> None:
    for width, height in ((1280, 720), (1600, 1000)):
        looked_at.set_viewport_size({"width": width, "height": height})
        for _ in range(2):  # without and with details
            size = looked_at.evaluate("[document.documentElement.scrollWidth, document.documentElement.scrollHeight]")
            assert size == [width, height]
            assert looked_at.evaluate(
                "[...document.querySelectorAll('.pane .scroll')].every(n => n.scrollWidth <= n.clientWidth)"
            )
            was_open = looked_at.locator("#detail").is_visible()
            looked_at.locator("#spaces button.name").first.click()
            expect(looked_at.locator("#detail .detail-body")).to_have_count(0 if was_open else 1)


def test_on_a_telephone_nothing_lies_over_anything(looked_at: Page) -> None:
    looked_at.set_viewport_size({"width": 390, "height": 844})
    assert looked_at.evaluate("document.documentElement.scrollWidth") == 390
    foot, alarms = (looked_at.locator(part).bounding_box() for part in (".foot", ".pane.alarms"))
    assert foot is not None
    assert alarms is not None
    assert foot["y"] >= alarms["y"] + alarms["height"]
    legend, keys = (looked_at.locator(part).bounding_box() for part in (".legend", ".keys"))
    assert legend is not None
    assert keys is not None
    assert keys["y"] >= legend["y"] + legend["height"] or keys["x"] >= legend["x"] + legend["width"]


def test_a_dead_service_is_loud_and_a_new_one_heals(
    shown: Page, service: Service, exercise_db: str, world: World, spaces: list[str], complaints: list[str]
) -> None:
    address, process = service
    process.send_signal(signal.SIGKILL)
    outage = shown.locator("#outage")
    expect(outage).to_be_visible()
    expect(outage).to_contain_text("连接中断")
    expect(outage).to_contain_text("CONNECTION LOST")
    assert "grayscale" in shown.locator("#main").evaluate("node => getComputedStyle(node).filter")
    world.tick([finding(spaces[30], 0, level=4)], [Happening(f"space/{spaces[30]}", 4, reasons=[RED])])
    with running_api(exercise_db, port=int(address.rstrip("/").rsplit(":", 1)[1])):
        expect(shown.locator(f'#alarms li[data-subject="space/{spaces[30]}"]')).to_be_visible()
        expect(outage).to_be_hidden()
        shown.goto("about:blank")  # before this service ends too
        complaints.clear()  # the browser reports that nobody answered


def test_a_silent_service_is_loud(shown: Page, service: Service) -> None:
    """Connected, but not a word: the page does not wait for an error."""
    service[1].send_signal(signal.SIGSTOP)
    try:
        expect(shown.locator("#outage")).to_be_visible()
    finally:
        service[1].send_signal(signal.SIGCONT)
    expect(shown.locator("#outage")).to_be_hidden()


@pytest.mark.slow  # the engine has to be silent for a while
def test_live_has_no_exercise_banner_and_misses_the_engine(page: Page, live_db: str) -> None:
    with closing(World(live_db, start=datetime(2026, 1, 1, tzinfo=UTC))) as world, running_api(live_db) as (address, _):
        seed(world)
        page.goto(address)
        expect(page.locator("#spaces tr")).to_have_count(40)
        expect(page.locator("#exercise")).to_be_hidden()
        expect(page.locator("#outage")).to_contain_text("ENGINE SILENT")
        expect(page.locator("#outage")).to_contain_text("data below stopped at 2023-09-07 21:01:00")  # in Shenzhen
        world.tick()
        expect(page.locator("#outage")).to_be_hidden()
        page.goto("about:blank")


_WAITING = """
insert into incident (incident_id, basin_id, opened_at, worst, state)
select 'i', basin_id, %(now)s, 4, jsonb_build_object('pressed', jsonb_build_array(jsonb_build_object(
    'reason', 'no_order', 'left', array['space/' || place_id], 'since', %(now)s::timestamptz, 'times', 2),
    jsonb_build_object(
    'reason', 'order_undone', 'left', array['o-0000000002'], 'since', %(now)s::timestamptz, 'times', 3)))
from place where place_id = %(space)s;
insert into act (act_id, kind, subject, author, acted_at, body, commit_seq)
select gen_random_uuid(), 'out_of_service', 'device/' || min(device_id), 'li', %(now)s,
    '{"reason": "renewal", "minutes": 30}', 900
from device where place_id = %(space)s;
insert into duty_order (order_id, incident_id, subject, proof, state, owner, author, changed_at, due_at, within_s,
    text_zh, text_en, note, confirmed_after)
select 'o-000000000' || n, 'i', 'space/' || %(space)s, 'evacuated', case n when 1 then 'issued' else 'confirmed' end,
    '<img src=x>', 'li', %(now)s::timestamptz - n * interval '100 minutes',
    %(now)s::timestamptz - interval '12 minutes', 600, '', '', '', 0 from generate_series(1, 2) as n;
insert into report_due (incident_id, kind, serial, due_at)
values ('i', 'phone', 0, %(now)s::timestamptz - interval '7 minutes')
"""
"""Taken, nothing ordered, told twice; a device out of service for 30 minutes; an order late by 12 minutes; a
confirmation of 200 minutes ago, told three times, a report missing for 7."""


def test_what_waits_for_somebody_is_named_and_text_from_the_site_is_never_markup(
    page: Page, exercise_db: str, world: World
) -> None:
    spaces = seed(world)
    for statement in _WAITING.split(";\n"):
        world.connection.execute(statement.encode(), {"now": world.now, "space": spaces[0]})
    world.connection.execute(
        "update place set name_zh = '<img src=x onerror=alert(1)>' where place_id = %s", (spaces[0],)
    )
    with running_api(exercise_db) as (address, _):
        page.goto(address)
        expect(page.locator("#spaces tr").first).to_contain_text("<img src=x")
        for words in ("指令超时 12 分", "order LATE 12 min", "已过期，请重新确认", "now expired: confirm again",
                      "请重新确认，已催办 3 次", "confirm again, told 3 times",
                      "已接警，未下达指令，已催办 2 次", "NO ORDER given", "漏报 7 分",
                      "first report by phone (0) MISSING for 7 min", "<img src=x>"):  # fmt: skip
            expect(page.locator("#duty")).to_contain_text(words)
        assert page.locator("#spaces img, #duty img").count() == 0
        page.goto(f"{address}#{spaces[0]}")
        page.reload()
        until = world.now + timedelta(minutes=30, hours=8)  # Shenzhen is UTC+8
        expect(page.locator("#detail")).to_contain_text(f"至 {until:%F %T} 自动恢复：renewal")
        world.tick(forward=timedelta(minutes=31))
        expect(page.locator("#detail")).not_to_contain_text("renewal", timeout=20_000)
        page.goto("about:blank")
