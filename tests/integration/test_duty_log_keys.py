"""The signing key can be exchanged: what the old one signed stays good, and none is made silently in its place."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from duty.acts import acts
from duty.log.dutylog import sign_head
from duty.log.headfile import heads_path, keep
from duty.log.keyring import introduce, next_path, public_path, trusted_keys
from duty.log.signing import check, keep_hourly, key_of, load_key, log_of, rotate, sign, stored_chain, stored_heads
from tests.integration.door_kit import actor
from tests.integration.duty_kit import now, opened, prepared
from undercroft.errors import BadInput
from undercroft.store.connection import Connection


def note(db: Connection, words: str) -> None:
    acts.perform(db, actor(db), acts.Act("note", "-", {"text": words}), now())


def test_heads_of_a_retired_key_stay_good_and_it_signs_nothing_later(live_db: str, tmp_path: Path) -> None:
    path = tmp_path / "log.key"
    with opened(live_db) as db:
        prepared(db)
        note(db, "one")
        old = key_of(path, db)
        assert sign(db, old, "handover", now()) is not None
        new, signed = rotate(db, path, now(), lost=False)
        assert signed is not None
        assert len({head.key_id for head in stored_heads(db)}) == 2
        assert path.stat().st_mode & 0o077 == 0
        note(db, "two")
        keep_hourly(path, db, now())  # a notifier that runs on takes the new one
        checked = check(db, load_key(path, make=False))
        assert (checked.verdict.covered, checked.verdict.problems, checked.notes) == (2, (), ())
        later = sign_head(stored_chain(db)[-1], now() + timedelta(hours=1), "hourly", old.private)
        keep(heads_path(path), log_of(db), [later])
        assert check(db, new).verdict.problems == (
            f"head 2 is signed by key {later.key_id} after that was retired",
        )  # fmt: skip


def test_a_key_that_is_missing_or_another_is_said_and_no_new_one_is_made(live_db: str, tmp_path: Path) -> None:
    path = tmp_path / "log.key"
    with opened(live_db) as db:
        prepared(db)
        note(db, "one")
        assert sign(db, key_of(path, db), "handover", now()) is not None
        kept = path.read_bytes()
        for gone in (path, public_path(path), heads_path(path)):
            gone.unlink()
            with pytest.raises(BadInput, match=r"log\.key: the signing key is missing, though"):
                key_of(path, db)
            assert not path.exists()
        with pytest.raises(BadInput, match="no public part of the lost key"):
            rotate(db, path, now(), lost=True)
        path.write_bytes(kept)
        path.chmod(0o600)
        assert sign(db, key_of(path, db), "handover", now()) is not None
        path.write_bytes(Ed25519PrivateKey.generate().private_bytes_raw())
        with pytest.raises(
            BadInput, match=r"this is not key [0-9a-f]{16}, which log\.key\.public has last: put it back"
        ):
            key_of(path, db)


def test_a_lost_key_is_replaced_and_every_verification_says_so(live_db: str, tmp_path: Path) -> None:
    path = tmp_path / "log.key"
    with opened(live_db) as db:
        prepared(db)
        note(db, "one")
        assert sign(db, key_of(path, db), "handover", now()) is not None
        with pytest.raises(BadInput, match="the key is there"):
            rotate(db, path, now(), lost=True)
        path.unlink()
        key, signed = rotate(db, path, now(), lost=True)
        assert signed is not None
        checked = check(db, key)
        assert checked.verdict.problems == ()
        (said,) = checked.notes
        assert said.endswith("without a signature of the key before it (lost)")


def test_a_rotation_that_was_cut_off_is_ended_and_a_forged_introduction_found(live_db: str, tmp_path: Path) -> None:
    path = tmp_path / "log.key"
    with opened(live_db) as db:
        prepared(db)
        note(db, "one")
        old = key_of(path, db).private.private_bytes_raw()
        key, _ = rotate(db, path, now(), lost=False)
        path.replace(next_path(path))  # as between the new key's line and its place
        path.write_bytes(old)
        path.chmod(0o600)
        assert key_of(path, db).private.private_bytes_raw() == key.private.private_bytes_raw()
        assert not next_path(path).exists()
    forger = Ed25519PrivateKey.generate()
    introduce(public_path(path), forger.public_key(), now(), forger)
    with pytest.raises(BadInput, match="line 3: the signature of the key before is not good"):
        trusted_keys(public_path(path))


def test_a_clock_that_was_ahead_makes_no_head_one_of_a_retired_key(live_db: str, tmp_path: Path) -> None:
    path = tmp_path / "log.key"
    with opened(live_db) as db:
        prepared(db)
        note(db, "one")
        assert sign(db, key_of(path, db), "handover", now() + timedelta(days=1)) is not None
        key, _ = rotate(db, path, now(), lost=False)
        assert check(db, key).verdict.problems == ()
        assert check(db, replace(key, trusted=key.trusted[1:])).verdict.problems != ()
