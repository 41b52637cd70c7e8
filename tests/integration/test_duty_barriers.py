"""Which barrier orders there are follows the barriers of the site, as the engine's reason does; on the sample site."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from zoneinfo import ZoneInfo

import pytest
from typer.testing import CliRunner

from duty.door import door
from duty.door.refusals import ActInvalid, NotPossibleNow
from duty.incidents.incidents import AlarmNote
from duty.model import Reason
from duty.orders.acts import order, order_step, proposed
from duty.orders.orders import Proof
from duty.telling.decide import Cause
from duty.telling.names import load_names
from duty.telling.texts import Named, Style, write
from tests.integration.door_kit import actor
from tests.integration.duty_kit import now, opened
from tests.integration.ingest_kit import import_sample_site
from undercroft.cli import build_app
from undercroft.errors import BadInput
from undercroft.store import duty_acts as store
from undercroft.store.connection import Connection
from undercroft.store.site import latest_site

Run = Callable[..., str]


@pytest.fixture
def db(live_db: str) -> Iterator[Connection]:
    """The sample site with a red incident in the basins of an underpass with barriers and of a car park without."""
    import_sample_site(live_db)
    with opened(live_db) as connection:
        for basin in ("rongxi", "wanqian"):
            connection.execute(
                "insert into incident (incident_id, basin_id, opened_at, worst, state) values (%s, %s, now(), 4, '{}')",
                (basin, basin),
            )
        yield connection


@pytest.fixture
def run(db: Connection, live_db: str, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command as an officer; the lines that it prints."""
    token, hashed = door.new_token()
    store.add_operator(db, "li", "li", "officer", hashed, now())
    monkeypatch.setenv("UNDERCROFT_DATABASE_URL", live_db)
    monkeypatch.setenv("UNDERCROFT_TOKEN", token)

    def run(*words: str) -> str:
        done = CliRunner().invoke(build_app(words[0]), list(words), catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.stdout

    return run


def test_the_site_s_barriers_are_those_that_the_engine_knows(db: Connection) -> None:
    for space in latest_site(db)[1].spaces:
        found = store.incident_of(db, f"space/{space.id}")
        assert found is not None
        assert found["barriers"] == sorted(entry.id for entry in space.entrances if entry.barrier is not None)


def test_a_message_asks_for_no_barrier_where_the_site_has_none(db: Connection) -> None:
    """By the names as the store has them: cp-12 has none, cp-13 has."""
    style = Style(load_names(db), ZoneInfo("Asia/Shanghai"), exercise=False)
    for space, asks in (("cp-12", False), ("cp-13", True)):
        note = AlarmNote(f"space/{space}", 1, 3, now())
        said = write(Cause("i", 1, now(), 3, (Reason.FIRST,), (note,)), Reason.FIRST, Named("", ""), style).body
        assert ("安装挡板" in said, "Deploy the barrier" in said, "No barrier here" in said) == (asks, asks, not asks)


def test_the_barriers_of_an_underpass_are_proposed_ordered_and_confirmed(db: Connection, run: Run) -> None:
    (barrier,) = [entry for entry in proposed(db, "space/up-04") if entry["proof"] == "barrier_deployed"]
    assert barrier["entrances"] == ["east", "west"]
    assert (
        "barrier_deployed  15 min  安装防汛挡板，检查密封，拍照回报。 Deploy the flood barrier, check its seal,"
        in run("order", "propose", "space/up-04")
    )
    assert run("order", "propose", "space/up-04").count("出入口 at east, west") == 1
    order_id = run("order", "issue", "space/up-04", "barrier_deployed", "Huafu", "--entrance", "west").strip()
    run("order", "step", order_id, "confirm")
    said = db.execute("select body ->> 'entrance' as entrance, body ->> 'barrier' as barrier from act").fetchall()
    assert said == [{"entrance": "west", "barrier": "deployed"}]


def test_no_barrier_is_proposed_or_ordered_where_the_site_has_none(db: Connection, run: Run) -> None:
    assert [entry["proof"] for entry in proposed(db, "space/cp-12")] == ["evacuated", "entrance_closed", "pump_running"]
    for entrance, where in (("north", "space/cp-12/north"), ("", "space/cp-12")):
        words = ["--entrance", entrance] if entrance else []
        with pytest.raises(ActInvalid, match=rf"^order: {where} has no barrier in the site file$"):
            run("order", "issue", "space/cp-12", "barrier_deployed", "Lianhua", *words)
    assert db.execute("select from duty_order").fetchall() == []
    db.execute("update entrance set barrier_height_m = null where space_id = 'up-04' and entrance_id = 'west'")
    with pytest.raises(BadInput, match=r"space/up-04/west has no barrier in the site file; barriers are at east$"):
        order(db, actor(db), "space/up-04", Proof.BARRIER_DEPLOYED, "Huafu", now(), "west")


@pytest.mark.parametrize("entrance", ["north", ""])
def test_a_barrier_that_is_not_there_cannot_be_confirmed(db: Connection, entrance: str) -> None:
    """Ordered while the site had one; the import that took it out, or an older version, leaves the order."""
    officer = actor(db)
    db.execute("update entrance set barrier_height_m = 0.6 where space_id = 'cp-12'")
    order_id = order(db, officer, "space/cp-12", Proof.BARRIER_DEPLOYED, "Lianhua", now(), entrance).order_id or ""
    db.execute("update entrance set barrier_height_m = null where space_id = 'cp-12'")
    where = f"space/cp-12/{entrance}".rstrip("/")
    with pytest.raises(NotPossibleNow, match=rf"^order {order_id} cannot be confirmed: {where} has no barrier in the "):
        order_step(db, officer, order_id, "confirm", now(), "photo")
    order_step(db, officer, order_id, "refuse", now(), "there is none")
    with pytest.raises(NotPossibleNow, match=r"cannot be issued: .* has no barrier in the site file; cancel it$"):
        order_step(db, officer, order_id, "issue", now())
    order_step(db, officer, order_id, "cancel", now(), "there is none")
    assert db.execute("select from act").fetchall() == [], "the engine was told of no barrier"
