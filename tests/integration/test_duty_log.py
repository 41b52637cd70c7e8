"""The duty log: append-only, chained, signed; whoever rewrites it is found."""

from __future__ import annotations

import threading
from datetime import datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from duty.acts import acts
from duty.door import door
from duty.log import signing
from duty.log.dutylog import Chained
from duty.log.signing import check, load_key, sign, sign_hourly
from tests.integration.door_kit import actor, rewrite
from tests.integration.duty_kit import DEADLINE_S, duty_file, now, opened, prepared, running, tick, wait_until
from tests.integration.duty_servers import service
from undercroft.errors import BadInput, StoreRejected
from undercroft.store import duty_acts as store
from undercroft.store.connection import Connection, translated_errors


def test_the_log_is_append_only_and_a_forger_with_the_table_is_found(live_db: str, tmp_path: Path) -> None:
    with opened(live_db) as db:
        prepared(db)
        who, key = actor(db), load_key(tmp_path / "keys" / "log.key", make=True)
        for words in ("one", "two", "three"):
            acts.perform(db, who, acts.Act("note", "-", {"text": words}), now())
        assert sign(db, key, "handover", now()) is not None
        acts.perform(db, who, acts.Act("note", "-", {"text": "four"}), now())
        verdict = check(db, key).verdict
        assert (verdict.entries, verdict.covered, verdict.problems) == (4, 3, ())
        with pytest.raises(StoreRejected, match="append-only"), translated_errors():
            db.execute("update duty_log set author = 'x' where entry_no = 2")
        db.execute("alter table duty_log disable trigger all")
        rewrite(db)
        changed = ("head 3: an entry up to it was changed after it was signed",)
        assert check(db, key).verdict.problems == changed
        with pytest.raises(BadInput, match="not signed"):
            sign(db, key, "hourly", now())
        db.execute("alter table duty_log_head disable trigger all")
        db.execute("delete from duty_log_head")
        assert (
            check(db, key).verdict.problems == changed
        )  # the heads are gone from the database: not from beside the key
        with pytest.raises(BadInput, match="not signed: head 3"):
            sign_hourly(key, db, now())
        assert store.log_heads(db) == []
        db.execute("delete from duty_log")
        with pytest.raises(BadInput, match="not signed: head 3: entries up to it are gone"):
            sign_hourly(key, db, now())
        # A database that calls itself a drill, and another one, is still the live one whose heads were kept.
        db.execute("update deployment set mode = 'exercise', deployment_id = gen_random_uuid()")
        said = "head 3 was signed of a log of mode live; this database says exercise now"
        assert check(db, key).verdict.problems == (said, "head 3: entries up to it are gone")
        with pytest.raises(BadInput, match=f"not signed: {said}"):
            sign_hourly(key, db, now())


def test_hourly_signing_reads_what_came_since_the_newest_head_and_hides_no_change_before_it(
    live_db: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[int] = []

    def stored_chain(connection: Connection, first_no: int = 1) -> list[Chained]:
        read.append(first_no)
        return whole(connection, first_no)

    whole = signing.stored_chain
    with opened(live_db) as db:
        prepared(db)
        who, key = actor(db), load_key(tmp_path / "log.key", make=True)
        for words in ("one", "two", "three"):
            acts.perform(db, who, acts.Act("note", "-", {"text": words}), now())
        assert sign_hourly(key, db, now()) is not None
        monkeypatch.setattr(signing, "stored_chain", stored_chain)
        assert sign_hourly(key, db, now()) is None
        acts.perform(db, who, acts.Act("note", "-", {"text": "four"}), now())
        db.execute("alter table duty_log disable trigger all")
        db.execute("update duty_log set author = 'forger' where entry_no = 2")
        signed = sign_hourly(key, db, now())
        assert signed is not None
        assert (signed.head.entry_no, read) == (4, [3, 3]), "the newest head's entry and what came since"
        assert check(db, key).verdict.problems[0] == "entry 2 was changed"
        db.execute("update duty_log set author = 'forger' where entry_no = 4")
        with pytest.raises(BadInput, match="not signed: entry 4 was changed"):
            sign_hourly(key, db, now())
        db.execute("delete from duty_log where entry_no = 4")
        acts.perform(db, who, acts.Act("note", "-", {"text": "another"}), now())
        with pytest.raises(BadInput, match="not signed: head 4: an entry up to it was changed"):
            sign_hourly(key, db, now())


def test_signing_that_hangs_holds_up_no_alarm(live_db: str) -> None:
    begun, end = threading.Event(), threading.Event()

    def keep_signed(_connection: Connection, _at: datetime) -> None:
        begun.set()
        end.wait(DEADLINE_S)

    with opened(live_db) as db, service(lambda _: (200, {"code": 0})) as it:
        prepared(db)
        file = duty_file(hook={"kind": "webhook", "url_env": "URL", "secret_env": "SECRET"})
        with running(live_db, file, {"URL": it.url, "SECRET": "s"}, keep_signed=keep_signed):
            assert begun.wait(DEADLINE_S)
            tick(db, 1, now(), ("space/gar", "raised", 4))
            wait_until(db, lambda rows: any(row["state"] == "accepted" for row in rows))
            end.set()


def test_whatever_numbers_an_entry_holds_it_verifies(live_db: str, tmp_path: Path) -> None:
    """The hash is of what the database gives back: jsonb knows neither -0 nor an exponent."""
    with opened(live_db) as db:
        key = load_key(tmp_path / "log.key", make=True)
        for value in (-0.0, 1e16, 1e-7, 5e-324, 0.1, 2**53 + 1, [-0.0, {"b": 1, "a": -0.0}]):
            with store.transaction(db):
                door.log(db, "note", "li", "-", {"value": value, "a": 1}, now())
        assert sign(db, key, "handover", now()) is not None
        assert check(db, key).verdict.problems == ()


def test_a_drill_of_a_new_database_is_not_held_against_the_last_one(live_db: str, tmp_path: Path) -> None:
    with opened(live_db) as db:
        key = load_key(tmp_path / "log.key", make=True)
        db.execute("update deployment set mode = 'exercise'")
        for drill in ("first", "second"):
            with store.transaction(db):
                door.log(db, "note", "li", "-", {"text": drill}, now())
            assert sign_hourly(key, db, now()) is not None
            assert sign_hourly(key, db, now()) is None
            assert check(db, key).verdict.kept == 1
            for forget in (
                "alter table duty_log disable trigger all", "alter table duty_log_head disable trigger all",
                "delete from duty_log", "delete from duty_log_head",
            ):  # fmt: skip
                db.execute(forget)
            db.execute("update deployment set deployment_id = gen_random_uuid()")
        assert len(key.heads.read_text(encoding="utf-8").splitlines()) == 2
        key.heads.write_text("{}\n", encoding="utf-8")
        with pytest.raises(BadInput, match=r"log\.key\.heads: line 1 is no signed head"):
            check(db, key)


def test_a_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "log.key"
    path.write_bytes(Ed25519PrivateKey.generate().private_bytes_raw())
    path.chmod(0o644)
    with pytest.raises(BadInput, match="others may read"):
        load_key(path, make=False)
