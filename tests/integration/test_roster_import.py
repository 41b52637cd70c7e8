"""A roster file takes the place of what others of its steps do meanwhile, and of nothing else."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from duty.door.refusals import KeyReused, NotPossibleNow
from duty.notify.run import _tell_gap
from duty.roster.acts import import_roster, mark_absent, take_back_absence
from duty.roster.roster import RosterInvalid
from duty.roster.stored import load_roster
from tests.integration.door_kit import actor, audited
from tests.integration.duty_kit import now, opened
from undercroft.cli import build_app
from undercroft.store.connection import Connection
from undercroft.store.duty_roster import roster_facts

ZONE = ZoneInfo("Asia/Shanghai")
HEADER = "starts_at,ends_at,step,standing,person,name,phone,reach"
HOUR = timedelta(hours=1)


def row(starts_at: datetime, ends_at: datetime, person: str, step: int = 0, standing: str = "holder") -> str:
    return f"{starts_at.isoformat()},{ends_at.isoformat()},{step},{standing},{person},{person},,hook:{person}"


def csv(*rows: str) -> str:
    return "\n".join([HEADER, *rows, ""])


def chain(db: Connection, at: datetime) -> list[str]:
    return [person.person_id for person in load_roster(db, at - 24 * HOUR, at + 24 * HOUR).chain(at)]


def test_one_hour_at_one_step_leaves_the_rest_of_the_night_on_duty(live_db: str) -> None:
    with opened(live_db) as db:
        leader, at = actor(db, "leader"), now().replace(microsecond=0)
        begins, ends = at - HOUR, at + 30 * HOUR
        night = [row(begins, ends, person, step) for step, person in enumerate(["li", "wu", "chen"])]
        import_roster(db, leader, csv(*night, row(begins, ends, "sun", 0, "deputy")), ZONE, at)
        import_roster(db, leader, csv(row(at + HOUR, at + 2 * HOUR, "zhao")), ZONE, at)
        assert [chain(db, at + hours * HOUR) for hours in (0, 1, 2)] == [
            ["li", "wu", "chen"], ["zhao", "wu", "chen"], ["li", "wu", "chen"],
        ]  # fmt: skip
        assert load_roster(db, at, at + 24 * HOUR).gaps(at, at + 24 * HOUR) == []
        (entry,) = db.execute("select body from duty_log order by entry_no desc limit 1").fetchall()
        assert (entry["body"]["gaps"], entry["body"]["gaps_24h"]) == ([], [])


def test_a_gap_that_begins_earlier_than_was_told_is_told_again(live_db: str) -> None:
    with opened(live_db) as db:
        leader, at = actor(db, "leader"), now().replace(microsecond=0)
        second = row(at - HOUR, at + 40 * HOUR, "chen", 1)
        import_roster(db, leader, csv(row(at - HOUR, at + 20 * HOUR, "li"), second), ZONE, at)

        def told(minutes: int) -> list[dict[str, object]]:
            _tell_gap(db, at + timedelta(minutes=minutes), ZONE)
            return [found["body"] for found in db.execute("select body from act order by commit_seq").fetchall()]

        assert [(body["value"], body.get("is_worse")) for body in told(0)] == [(1200, None)]
        assert len(told(7)) == 1, "the same gap is no news"
        db.execute("update roster_shift set ends_at = %s where step = 0", (at + 2 * HOUR,))
        assert [(body["value"], body.get("is_worse")) for body in told(8)[1:]] == [(112, True)]
        assert len(told(180)) == 2, "that it begins is no news"
        import_roster(db, leader, csv(row(at + 2 * HOUR, at + 12 * HOUR, "wu")), ZONE, at)
        assert [(body["value"], body.get("is_worse")) for body in told(181)[2:]] == [(539, None)]


def test_a_later_step_of_the_chain_is_warned_of_before_it_starts(live_db: str) -> None:
    """Wu, alone at step 1, is absent from 5 h ahead; step 2 had somebody until an hour ago. Step 0 is held."""
    with opened(live_db) as db:
        leader, at = actor(db, "leader"), now().replace(microsecond=0)
        begins, ends = at - 2 * HOUR, at + 40 * HOUR
        rows = [row(begins, ends, "li"), row(begins, ends, "wu", 1), row(begins, at - HOUR, "chen", 2)]
        import_roster(db, leader, csv(*rows), ZONE, at)
        mark_absent(db, leader, "wu", at + 5 * HOUR, at + 8 * HOUR, at)
        _tell_gap(db, at, ZONE)
        acts = db.execute("select subject, body from act where kind = 'system_condition' order by subject").fetchall()
        assert [(told["subject"], told["body"]["value"]) for told in acts if told["body"]["is_active"]] == [
            ("system/roster-gap-step-1", 300), ("system/roster-gap-step-2", 0),
        ]  # fmt: skip


def test_a_mistyped_absence_is_taken_back_on_record_and_li_is_told_again(live_db: str) -> None:
    with opened(live_db) as db:
        leader, at = actor(db, "leader"), now().replace(microsecond=0)
        stretch = at - HOUR, at + 30 * HOUR
        import_roster(db, leader, csv(row(*stretch, "li"), row(*stretch, "wu", 1)), ZONE, at)
        mark_absent(db, leader, "li", at, at + 5 * HOUR, at)
        mark_absent(db, leader, "li", at + 6 * HOUR, at + 7 * HOUR, at)
        assert chain(db, at + HOUR) == ["wu"]
        with pytest.raises(NotPossibleNow, match="say which of 'li' by when it begins; there are"):
            take_back_absence(db, leader, "li", None, at)
        with pytest.raises(NotPossibleNow, match="'wu' has no absence"):
            take_back_absence(db, leader, "wu", None, at)
        take_back_absence(db, leader, "li", at + timedelta(seconds=20 - at.second), at)  # as a person types it
        assert [chain(db, at + hours * HOUR) for hours in (1, 6.5)] == [["li", "wu"], ["wu"]]
        assert roster_facts(db, at, at + 5 * HOUR).gap_at is None
        take_back_absence(db, leader, "li", None, at)
        assert chain(db, at + 6.5 * HOUR) == ["li", "wu"]
        kept = db.execute("select body from duty_log where kind = 'absent' order by entry_no").fetchall()
        assert [entry["body"].get("taken_back") for entry in kept] == [None, None, True, True]
        assert [entry for entry in audited(db) if entry[1] == "roster_absent"] == [
            *(("li-leader", "roster_absent", outcome) for outcome in ["done"] * 2 + ["refused"] * 2 + ["done"] * 2),
        ]
        mark_absent(db, leader, "li", at, at + 2 * HOUR, at)
        assert chain(db, at + HOUR) == ["wu"], "the same one again stands again"


def test_an_absence_from_now_on_that_is_sent_again_is_done_once(live_db: str) -> None:
    with opened(live_db) as db:
        leader, at = actor(db, "leader"), now().replace(microsecond=0)
        import_roster(db, leader, csv(row(at, at + 12 * HOUR, "li")), ZONE, at)
        first = mark_absent(db, leader, "li", None, at + 2 * HOUR, at, "k1")
        again = mark_absent(db, leader, "li", None, at + 2 * HOUR, at + timedelta(seconds=7), "k1")
        assert (again.repeated, again.entry_no) == (True, first.entry_no)
        with pytest.raises(KeyReused):
            mark_absent(db, leader, "li", at, at + 2 * HOUR, at, "k1")
        absences = db.execute("select starts_at, ends_at from roster_absence").fetchall()
        assert absences == [{"starts_at": at, "ends_at": at + 2 * HOUR}]


def test_a_channel_that_the_duty_file_does_not_name_is_refused_and_nothing_imported(
    live_db: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = now().replace(microsecond=0)
    roster, duty = tmp_path / "roster.csv", tmp_path / "duty.toml"
    good = row(at, at + HOUR, "li")
    roster.write_text(csv(good, row(at, at + HOUR, "wu", 1).replace("hook:", "nonesuch:")), "utf-8")
    duty.write_text('[[channel]]\nid = "hook"\nkind = "webhook"\nurl_env = "U"\nsecret_env = "S"\n', "utf-8")
    with opened(live_db) as db:
        monkeypatch.setenv("UNDERCROFT_DATABASE_URL", live_db)
        monkeypatch.setenv("UNDERCROFT_TOKEN", actor(db, "leader").token)
        words = ["roster", "import", str(roster)]
        said = r"^roster line 3: reach: the duty file has no channel 'nonesuch'; it has hook$"
        monkeypatch.setenv("UNDERCROFT_DUTY_FILE", str(duty))
        with pytest.raises(RosterInvalid, match=said):
            CliRunner().invoke(build_app("roster"), words, catch_exceptions=False)
        assert db.execute("select from roster_shift").fetchall() == []
        assert audited(db) == [("li-leader", "roster_import", "refused")]
        monkeypatch.delenv("UNDERCROFT_DUTY_FILE")
        assert CliRunner().invoke(build_app("roster"), words, catch_exceptions=False).exit_code == 0


shifts = st.lists(
    st.tuples(st.integers(0, 1), st.sampled_from(["holder", "deputy"]), st.integers(0, 20), st.integers(1, 8)),
    min_size=1, max_size=3, unique_by=lambda entry: entry[:2],
)  # fmt: skip


def test_the_newest_word_of_each_step_and_standing_stands(live_db: str) -> None:
    with opened(live_db) as db:
        leader, at = actor(db, "leader"), now().replace(microsecond=0)

        @settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
        @given(files=st.lists(shifts, min_size=1, max_size=4))
        def every_hour(files: list[list[tuple[int, str, int, int]]]) -> None:
            db.execute("delete from roster_shift")
            stands: dict[tuple[int, str, int], str] = {}
            for number, file in enumerate(files):
                rows = []
                for step, standing, begins, hours in file:
                    rows.append(row(at + begins * HOUR, at + (begins + hours) * HOUR, f"p{number}", step, standing))
                    stands |= {(step, standing, hour): f"p{number}" for hour in range(begins, begins + hours)}
                import_roster(db, leader, csv(*rows), ZONE, at)
            found = load_roster(db, at, at + 40 * HOUR)
            for hour in range(30):
                shown = {
                    (shift.step, shift.standing, hour): shift.person.person_id
                    for shift in found.shifts
                    if shift.covers(at + hour * HOUR)
                }
                assert shown == {key: person for key, person in stands.items() if key[2] == hour}

        every_hour()
