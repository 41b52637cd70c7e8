"""The HTTP interface over a real database, application in this process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import httpx
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from api.app import create_app
from tests.browser.storm import seed
from tests.browser.world import START, Finding, Happening, World, reason
from undercroft.clock import FakeClock
from undercroft.quality import Quality
from undercroft.store.quality import Correction, flag_readings, undo_flag
from undercroft.store.roles import Role, create_logins
from undercroft.store.site import import_site, latest_site

NOW = START + timedelta(hours=3)
"""The wall clock of these tests; ticks are committed at the machine's own time, which is later."""


@pytest.fixture
def world(exercise_db: str) -> Iterator[World]:
    made = World(exercise_db)
    yield made
    made.close()


def as_the_api(url: str) -> str:
    """Return the URL with the login that the application reads by where it is installed."""
    login = create_logins(url, str(conninfo_to_dict(url)["dbname"]), lambda login: f"pw-{login}")[Role.API]
    return make_conninfo(url, user=login, password=f"pw-{login}")


@asynccontextmanager
async def running(url: str, *, reachable: bool = True) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(as_the_api(url) if reachable else url, FakeClock(NOW))
    transport = httpx.ASGITransport(app)
    async with app.router.lifespan_context(app), httpx.AsyncClient(transport=transport, base_url="http://test") as http:
        if reachable:
            await asyncio.wait_for(app.state.services.hub.wait_until_fresh(), 30)
        yield http


@pytest.fixture
async def client(exercise_db: str, world: World) -> AsyncIterator[httpx.AsyncClient]:
    async with running(exercise_db) as http:
        yield http


async def get(client: httpx.AsyncClient, path: str, status: int = 200, **params: Any) -> Any:
    response = await client.get(f"/api/v1{path}", params=params)
    assert response.status_code == status, response.text
    return response.json()


async def all_pages(client: httpx.AsyncClient, path: str, **params: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    page = await get(client, path, **params)
    while True:
        found += page["items"]
        if page["next_cursor"] is None:
            return found
        page = await get(client, path, **params, cursor=page["next_cursor"])


class TestEmptyDatabase:
    async def test_everything_answers(self, client: httpx.AsyncClient) -> None:
        assert (await get(client, "/spaces"))["items"] == []
        assert (await get(client, "/alarms"))["items"] == []
        assert (await get(client, "/alarm-events"))["items"] == []
        site = await get(client, "/site")
        assert site["mode"] == "exercise"
        assert site["spaces"] == 0
        assert (await get(client, "/health"))["tick_seq"] is None

    async def test_unknown_space(self, client: httpx.AsyncClient) -> None:
        assert await get(client, "/spaces/nowhere", 404) == {
            "error": "SpaceUnknown",
            "detail": "there is no space 'nowhere'",
        }


class TestHealth:
    async def test_exercise_counts_from_the_run_clock(self, client: httpx.AsyncClient, world: World) -> None:
        world.tick()
        health = await get(client, "/health")
        assert health["status"] == "ok"
        assert health["now"] == health["tick_at"] == "2023-09-07T11:01:00Z"

    async def test_live_without_a_tick_is_down(self, live_db: str) -> None:
        async with running(live_db) as http:
            health = await get(http, "/health", 503)
        assert health["status"] == "down"
        assert health["checks"]["engine"] == {"ok": False, "detail": "no engine tick yet"}
        assert health["now"] == "2023-09-07T14:00:00Z"

    async def test_database_away(self) -> None:
        async with running("postgresql://nobody:hunter2@127.0.0.1:1/none", reachable=False) as http:
            response = await http.get("/api/v1/health")
            assert response.status_code == 503
            assert response.json()["checks"]["database"]["ok"] is False
            spaces = await http.get("/api/v1/spaces")
            assert spaces.status_code == 503
            assert spaces.json()["error"] == "StoreUnavailable"
            assert "hunter2" not in response.text + spaces.text
            assert "nobody" not in response.text + spaces.text


class TestSpaces:
    async def test_worst_first_whatever_the_page_size(self, client: httpx.AsyncClient, world: World) -> None:
        seed(world)
        whole = await all_pages(client, "/spaces", limit=1000)
        paged = await all_pages(client, "/spaces", limit=7)
        assert len(whole) == 40
        assert paged == whole
        ranks = [(-space["level"], -space["score"], space["space_id"]) for space in whole]
        assert ranks == sorted(ranks)
        assert whole[0]["level"] == 4
        assert whole[0]["numbers"]["inside_depth_m"] == 0.31
        assert whole[0]["reasons"][0]["threshold"] == 0.27

    async def test_pages_agree_though_the_ranking_moves(self, client: httpx.AsyncClient, world: World) -> None:
        world.import_sample()
        ids = world.space_ids()
        world.tick([Finding(space_id, score=50.0 - number) for number, space_id in enumerate(ids)])
        first = await get(client, "/spaces", limit=20)
        world.tick([Finding(ids[0], level=0, score=0.0), Finding(ids[39], level=4, score=99.0)])
        second = await get(client, "/spaces", limit=1000, cursor=first["next_cursor"])
        assert [space["space_id"] for space in first["items"] + second["items"]] == ids
        assert (await get(client, "/spaces", limit=1))["items"][0]["space_id"] == ids[39]

    async def test_filters(self, client: httpx.AsyncClient, world: World) -> None:
        seed(world)
        underpasses = await all_pages(client, "/spaces", kind="underpass", limit=1000)
        assert underpasses
        assert {space["kind"] for space in underpasses} == {"underpass"}
        street = underpasses[0]["street"]
        assert {s["street"] for s in await all_pages(client, "/spaces", street=street)} == {street}
        assert {s["level"] for s in await all_pages(client, "/spaces", level=2)} == {2}
        assert sorted({s["level"] for s in await all_pages(client, "/spaces", level_min=3)}) == [3, 4]

    async def test_not_assessed_is_said(self, client: httpx.AsyncClient, world: World) -> None:
        world.import_sample()
        space = (await get(client, "/spaces", limit=1))["items"][0]
        assert space["tick_seq"] is None
        assert space["numbers"]["inside_depth_m"] is None

    async def test_one_space(self, client: httpx.AsyncClient, world: World) -> None:
        worst = seed(world)[0]
        space = await get(client, f"/spaces/{worst}")
        assert space["assessment"]["level"] == 4
        assert space["assessment"]["contributions"]["factors"][0]["factor"] == "level_margin"
        assert space["entrances"]
        assert {"inside-depth"} <= {row["rule"] for row in space["thresholds"]}
        newest = {row["sensor"]: row["observed_at"] for row in space["sensors"]}
        assert "2023-09-07T12:59:00Z" in newest.values()

    async def test_a_corrected_reading_shows_who_said_so_and_that_the_level_counts_it(
        self, client: httpx.AsyncClient, world: World
    ) -> None:
        world.import_sample()
        key, sensor_id = next(iter(world.sensor_keys("cp-01").items()))
        at = START + timedelta(minutes=1)
        world.observe(sensor_id, [(START, 0.1), (at, 0.5)])
        world.tick([Finding("cp-01", 3, reasons=[reason(3, sensor=key, observed_at=at.isoformat())])])
        before = await get(client, "/spaces/cp-01")
        assert before["corrected"] == []
        device, quantity = key.split(":")
        correction = Correction(device, "", quantity, at, at, Quality.FAIL, "Li", "cleaned")
        number, _ = flag_readings(world.connection, correction, NOW, NOW)
        space = await get(client, "/spaces/cp-01")
        now = {
            "value": 0.5,
            "quality": 4,
            "quality_tests": ["operator"],
            "quality_at_arrival": 1,
            "flagged_by": "Li",
            "flag_reason": "cleaned",
        }
        (shown,) = [row for row in space["sensors"] if row["sensor"] == key]
        assert {field: shown[field] for field in now} == now
        newest, older = (await get(client, "/spaces/cp-01/observations", sensor=key))["items"]
        assert {field: newest[field] for field in now} == now
        assert (older["quality"], older["flagged_by"]) == (1, None)
        assert space["assessment"] == before["assessment"]
        (told,) = space["corrected"]
        assert (told["sensor"], told["observed_at"], told["quality"]) == (key, "2023-09-07T11:01:00Z", 4)
        assert "由 Li 更正为“不合格”（cleaned）" in told["text_zh"]
        assert "等级仍计入该读数" in told["text_zh"]
        assert "flagged fail by Li (cleaned)" in told["text_en"]
        assert "the level still counts it" in told["text_en"]
        undo_flag(world.connection, number, "Wu", "wrong gauge", NOW)
        assert await get(client, "/spaces/cp-01") == before

    async def test_retired_space_leaves_the_ranking_and_keeps_its_page(
        self, client: httpx.AsyncClient, world: World
    ) -> None:
        seed(world)
        world.connection.execute("update place set retired_at = now() where place_id = 'cd-04'")
        assert "cd-04" not in {space["space_id"] for space in await all_pages(client, "/spaces")}
        assert (await get(client, "/spaces/cd-04"))["retired_at"] is not None


class TestObservations:
    async def test_newest_first_in_pages(self, client: httpx.AsyncClient, world: World) -> None:
        world.import_sample()
        key, sensor_id = next(iter(world.sensor_keys("cp-01").items()))
        readings = [(START + timedelta(minutes=minute), minute / 100) for minute in range(50)]
        world.observe(sensor_id, readings)
        world.now = START + timedelta(hours=1)
        world.tick()
        found = await all_pages(client, "/spaces/cp-01/observations", sensor=key, limit=7)
        assert [row["value"] for row in found] == [minute / 100 for minute in reversed(range(50))]
        window: dict[str, Any] = {"from": "2023-09-07T19:10:00+08:00", "to": "2023-09-07T11:20:00Z"}
        part = await get(client, "/spaces/cp-01/observations", sensor=key, **window)
        assert [row["value"] for row in part["items"]] == [minute / 100 for minute in range(20, 9, -1)]

    async def test_a_moved_sensor_says_of_each_place_what_it_saw_there(
        self, client: httpx.AsyncClient, world: World
    ) -> None:
        """Its device goes from the first space to the second after 20 of 40 minutes."""
        world.import_sample()
        site = latest_site(world.connection)[1]
        here, there, *rest = site.spaces
        (key, sensor_id), *_ = world.sensor_keys(here.id).items()
        gone = [device for device in here.devices if device.id == key.partition(":")[0]]
        left = [device for device in here.devices if device not in gone]
        loose = [
            device.model_copy(
                update={"sensors": tuple(s.model_copy(update={"entrance": None}) for s in device.sensors)}
            )
            for device in gone
        ]
        world.observe(sensor_id, [(START + timedelta(minutes=minute), minute / 100) for minute in range(20)])
        moved = (
            here.model_copy(update={"devices": tuple(left)}),
            there.model_copy(update={"devices": (*there.devices, *loose)}),
        )
        after = site.model_copy(update={"spaces": (*moved, *rest)})
        import_site(world.connection, after, "li", START + timedelta(minutes=20), anyway=True)
        world.observe(sensor_id, [(START + timedelta(minutes=minute), minute / 100) for minute in range(20, 40)])
        world.now = START + timedelta(hours=1)
        world.tick()
        for space, said in ((here.id, range(20)), (there.id, range(20, 40))):
            found = await all_pages(client, f"/spaces/{space}/observations", sensor=key, limit=7)
            assert [row["value"] for row in found] == [minute / 100 for minute in reversed(said)], space

    async def test_unknown_sensor_and_space(self, client: httpx.AsyncClient, world: World) -> None:
        world.import_sample()
        for space, error in (("cp-01", "SensorUnknown"), ("nowhere", "SpaceUnknown")):
            body = await get(client, f"/spaces/{space}/observations", 404, sensor="d:water_depth_m")
            assert body["error"] == error

    @pytest.mark.parametrize(
        ("since", "until"),
        [("2023-09-08T00:00:00Z", "2023-09-07T00:00:00Z"), ("2023-01-01T00:00:00Z", "2023-09-07T00:00:00Z")],
    )
    async def test_range_is_bounded(self, client: httpx.AsyncClient, since: str, until: str) -> None:
        params = {"sensor": "d:water_depth_m", "from": since, "to": until}
        assert (await get(client, "/spaces/cp-01/observations", 422, **params))["error"] == "RequestInvalid"


class TestAlarms:
    async def test_open_worst_first_then_newest(self, client: httpx.AsyncClient, world: World) -> None:
        world.import_sample()
        why = [reason()]
        for space, severity in (("cp-01", 2), ("cp-02", 4), ("cp-03", 2), ("cp-04", 4)):
            world.tick((), [Happening(f"space/{space}", severity, reasons=why)])
        world.tick((), [Happening("space/cp-04", 4, "cleared", reasons=why), Happening("system/broker", 3)])
        items = await all_pages(client, "/alarms", open=True, limit=2)
        assert [item["subject"] for item in items] == ["space/cp-02", "system/broker", "space/cp-03", "space/cp-01"]
        assert items[0]["name_zh"]
        assert items[1]["place_id"] is None
        everything = await all_pages(client, "/alarms", limit=1)
        assert len(everything) == 5
        closed = await all_pages(client, "/alarms", open=False)
        assert [(item["subject"], item["cleared_at"]) for item in closed] == [("space/cp-04", "2023-09-07T11:05:00Z")]
        assert len(await all_pages(client, "/alarms", severity_min=4, subject="space/cp-02")) == 1

    async def test_says_what_gave_it_its_severity_though_milder_reasons_came_since(
        self, client: httpx.AsyncClient, world: World
    ) -> None:
        world.import_sample()
        for kind, severity, rule in (
            ("raised", 2, "rise-rate"), ("severity_up", 4, "inside-depth"), ("reason_added", 4, "leak"),
        ):  # fmt: skip
            world.tick((), [Happening("space/cp-01", severity, kind, reasons=[reason(severity, rule=rule)])])
        alarm = (await get(client, "/alarms"))["items"][0]
        assert [why["rule"] for why in alarm["reasons"]] == ["leak"]
        assert [why["rule"] for why in alarm["severity_reasons"]] == ["inside-depth"]
        assert alarm["severity_since"] == "2023-09-07T11:02:00Z"

    async def test_device_alarm_names_its_place(self, client: httpx.AsyncClient, world: World) -> None:
        world.import_sample()
        device = next(iter(world.sensor_keys("cp-01"))).partition(":")[0].partition("/")[0]
        world.tick((), [Happening(f"device/{device}", 2)])
        assert (await get(client, "/alarms"))["items"][0]["place_id"] == "cp-01"

    async def test_events_newest_first(self, client: httpx.AsyncClient, world: World) -> None:
        world.import_sample()
        for kind, severity in (("raised", 2), ("severity_up", 4), ("cleared", 4)):
            world.tick((), [Happening("space/cp-01", severity, kind), Happening("space/cp-02", severity, kind)])
        events = await all_pages(client, "/alarm-events", subject="space/cp-01", limit=2)
        assert [(event["event_no"], event["kind"]) for event in events] == [
            (3, "cleared"),
            (2, "severity_up"),
            (1, "raised"),
        ]
        assert len(await all_pages(client, "/alarm-events", limit=1)) == 6


@pytest.mark.parametrize(
    "path",
    [
        "/spaces?limit=0",
        "/spaces?limit=1001",
        "/spaces?level=5",
        "/spaces?kind=cellar",
        "/spaces?cursor=AAAA",
        "/spaces?cursor=%20",
        "/spaces/UPPER",
        "/spaces/a'b",
        "/spaces/cp-01/observations",
        "/spaces/cp-01/observations?sensor=nonsense",
        "/spaces/cp-01/observations?sensor=d:water_depth_m&from=yesterday",
        "/spaces/cp-01/observations?sensor=d:water_depth_m&from=2023-09-07T00:00:00",
        "/spaces/cp-01/observations?sensor=d:water_depth_m&to=0001-01-01T01:00:00Z",
        "/spaces/cp-01/observations?sensor=d:water_depth_m&from=0001-01-01T00:00:00%2B14:00&to=0001-01-02T00:00:00Z",
        "/spaces/cp-01/observations?sensor=d:water_depth_m&to=9999-12-31T23:59:59-14:00&from=9999-12-30T00:00:00Z",
        "/spaces?street=%00",
        "/alarms?subject=space",
        "/alarms?severity_min=0",
        "/alarms?open=perhaps",
        "/alarm-events?occurrence=0",
        "/alarm-events?cursor=bm8",
    ],
)
async def test_bad_parameters_are_one_shape(client: httpx.AsyncClient, path: str) -> None:
    response = await client.get(f"/api/v1{path}")
    assert response.status_code == 422
    assert response.json().keys() == {"error", "detail"}


@pytest.mark.parametrize("path", ["/", "/static/js/main.js", "/api/v1/site", "/api/v1/nowhere", "/api/v1/spaces/NO"])
async def test_security_headers_everywhere(client: httpx.AsyncClient, path: str) -> None:
    response = await client.get(path, headers={"Origin": "https://evil.example"})
    policy = response.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert response.headers["x-content-type-options"] == "nosniff"
    assert "access-control-allow-origin" not in response.headers


async def test_the_reader_cannot_write(exercise_db: str) -> None:
    from undercroft.errors import StoreUnavailable
    from undercroft.store.reading import Reader
    from undercroft.store.sql import statements

    statements()["test_write"] = "insert into basin values ('x', 'x', 'x')"
    try:
        async with Reader(exercise_db) as reader:
            with pytest.raises(StoreUnavailable, match="read-only"):
                await reader.rows("test_write")
    finally:
        del statements()["test_write"]
