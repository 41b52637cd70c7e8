"""Shifts, stand-ins, midnight, and files that are wrong."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from duty.roster.gap import gap_conditions
from duty.roster.roster import Absence, Gap, Roster, RosterInvalid, channels_of, parse_roster
from risk.condition_words import words_of

ZONE = ZoneInfo("Asia/Shanghai")
HEADER = "starts_at,ends_at,step,standing,person,name,phone,reach\n"
NIGHT = (
    HEADER + "2026-07-01 20:00,2026-07-02 08:00,0,holder,li,李,1,wecom:li;smtp:li@example.org\n"
    "2026-07-01 20:00,2026-07-02 08:00,0,deputy,wu,吴,2,wecom:wu\n"
    "2026-07-01 20:00,2026-07-02 08:00,1,holder,chen,陈,3,wecom:chen\n"
    "2026-07-02 08:00,2026-07-02 20:00,0,holder,sun,孙,4,wecom:sun\n"
)


def local(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 7, day, hour, minute, tzinfo=ZONE).astimezone(UTC)


def names(roster: Roster, at: datetime) -> list[str]:
    return [person.person_id for person in roster.chain(at)]


def test_the_chain_over_midnight_and_the_change_of_shift() -> None:
    roster = Roster(parse_roster("\ufeff" + NIGHT, ZONE))
    assert names(roster, local(1, 19, 59)) == []
    assert names(roster, local(1, 20)) == ["li", "chen"]
    assert names(roster, local(2, 0)) == ["li", "chen"]
    assert names(roster, local(2, 7, 59)) == ["li", "chen"]
    assert names(roster, local(2, 8)) == ["sun"]
    assert channels_of(roster.shifts) == {"wecom", "smtp"}


def test_the_deputy_takes_the_step_while_the_holder_is_absent() -> None:
    absence = Absence("li", local(1, 22), local(1, 23))
    roster = Roster(parse_roster(NIGHT, ZONE), (absence,))
    assert names(roster, local(1, 21)) == ["li", "chen"]
    assert names(roster, local(1, 22)) == ["wu", "chen"]
    assert names(roster, local(1, 23)) == ["li", "chen"]


def test_gaps_are_known_before_they_begin() -> None:
    roster = Roster(parse_roster(NIGHT, ZONE), (Absence("sun", local(2, 9), local(2, 10)),))
    assert roster.gaps(local(1, 18), local(2, 22)) == [
        Gap(local(1, 18), local(1, 20), 0),
        Gap(local(1, 18), local(1, 20), 1),
        Gap(local(2, 8), local(2, 22), 1),
        Gap(local(2, 9), local(2, 10), 0),
        Gap(local(2, 20), local(2, 22), 0),
    ]


def test_a_chain_of_one_is_a_gap_also_where_that_one_stands_twice() -> None:
    """Red and orange go on to a second person; who stands at step 1 too is none, nor is one who is absent."""
    night = HEADER + "2026-07-01 20:00,2026-07-02 08:00,0,,li,,,wecom:li\n"
    alone, twice, two = (
        night,
        night + "2026-07-01 20:00,2026-07-02 08:00,1,,li,,,wecom:li\n",
        night + "2026-07-01 20:00,2026-07-02 08:00,1,,wu,,,wecom:wu\n",
    )
    whole = [Gap(local(1, 20), local(2, 8), 1)]
    for text, gaps in ((alone, whole), (twice, whole), (two, [])):
        assert Roster(parse_roster(text, ZONE)).gaps(local(1, 20), local(2, 8)) == gaps
    absent = Roster(parse_roster(two, ZONE), (Absence("wu", local(1, 22), local(1, 23)),))
    assert absent.gaps(local(1, 20), local(2, 8)) == [Gap(local(1, 22), local(1, 23), 1)]


def test_a_step_that_the_roster_had_is_needed_on() -> None:
    """Step 2 is in the file until 20:00 and nobody took it on: the third of the chain is missing from then on."""
    steps = "".join(f"2026-07-01 08:00,2026-07-02 08:00,{step},,p{step},,,wecom:a\n" for step in (0, 1))
    roster = Roster(parse_roster(HEADER + steps + "2026-07-01 08:00,2026-07-01 20:00,2,,chen,,,wecom:a\n", ZONE))
    assert roster.gaps(local(1, 21), local(2, 8)) == [Gap(local(1, 21), local(2, 8), 2)]
    assert roster.gaps(local(1, 12), local(1, 20)) == []


def test_each_step_has_a_warning_of_its_own_so_that_none_hides_another() -> None:
    """A gap of step 2 that stands and was taken may not keep one of step 0, which comes later, from being told."""
    now, day = local(1, 12), timedelta(hours=24)
    second, first = Gap(local(1, 12), local(2, 12), 2), Gap(local(1, 20), local(1, 22), 0)
    assert [
        (told.name, told.is_active, told.value, told.detail)
        for told, _ in gap_conditions([second, first], now, day, ZONE, [])
    ] == [
        ("roster-gap", True, 480.0, "2026-07-01 20:00 – 2026-07-01 22:00"),
        ("roster-gap-step-2", True, 0.0, "2026-07-01 12:00 – 2026-07-02 12:00"),
    ]
    stands = {"name": "roster-gap-step-2", "is_active": True, "value": 0.0, "changed_at": now, "detail": "x"}
    mended = gap_conditions([], now, day, ZONE, [stands])
    assert [(told.name, told.is_active) for told, _ in mended] == [("roster-gap", False), ("roster-gap-step-2", False)]
    en, zh = words_of("roster-gap-step-2", {"detail": "20:00 – 22:00"})
    assert "step 2 (20:00 – 22:00)" in en
    assert "第 2 级没有另外的人（20:00 – 22:00）" in zh


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("starts_at,ends_at\n", "the header lacks name, person, phone, reach, standing, step"),
        (HEADER, "no shift in the file"),
        (HEADER + "x,2026-07-02 08:00,0,,li,,,wecom:li\n", "line 2: 'x' is not a date and time"),
        (HEADER + "2026-07-02 08:00,2026-07-02 08:00,0,,li,,,wecom:li\n", "line 2: the shift must end after it starts"),
        (
            HEADER + "0001-01-01 00:00,0001-01-01 08:00,0,,li,,,wecom:li\n",
            "line 2: '0001-01-01 00:00': expected a time from 2000 to 2099",
        ),
        (
            HEADER + '2026-07-02 08:00,2026-07-02 09:00,0,,li,"李\n## forged",,wecom:li\n',
            "line 3: name: expected one line of text",
        ),
        (
            HEADER + "2026-07-02 08:00,2026-07-02 09:00,0,,li,,,wecom:li,mail:li@example.org\n",
            "line 2: more cells than the header; items of reach are separated by ;",
        ),
        (
            HEADER + f"2026-07-02 08:00,2026-07-02 09:00,0,,li,{'x' * 1001},,wecom:li\n",
            "line 2: name: expected at most 1000 characters",
        ),
        (HEADER + "2026-07-02 08:00,2026-07-02 09:00,one,,li,,,wecom:li\n", "line 2: step 'one' is not a number"),
        (HEADER + "2026-07-02 08:00,2026-07-02 09:00,0,boss,li,,,wecom:li\n", "line 2: standing 'boss' is neither"),
        (HEADER + "2026-07-02 08:00,2026-07-02 09:00,0,,,,,wecom:li\n", "line 2: no person"),
        (HEADER + "2026-07-02 08:00,2026-07-02 09:00,0,,li,,,\n", "line 2: li cannot be reached"),
        (HEADER + "2026-07-02 08:00,2026-07-02 09:00,0,,li,,,wecom\n", "line 2: 'wecom' is not channel:address"),
        (
            HEADER + "2026-07-02 08:00,2026-07-02 10:00,0,,li,,,a:b\n2026-07-02 09:00,2026-07-02 11:00,0,,wu,,,a:b\n",
            "li and wu both are holder of step 0 at 2026-07-02T01:00:00+00:00",
        ),
    ],
)
def test_a_file_that_is_wrong_says_where(text: str, complaint: str) -> None:
    with pytest.raises(RosterInvalid) as error:
        parse_roster(text, ZONE)
    assert complaint in str(error.value)


def test_an_offset_in_the_file_holds() -> None:
    text = HEADER + "2026-07-02T00:00:00Z,2026-07-02T08:00:00+00:00,0,,li,,,wecom:li\n"
    (shift,) = parse_roster(text, ZONE)
    assert shift.starts_at == datetime(2026, 7, 2, tzinfo=UTC)
    assert shift.ends_at - shift.starts_at == timedelta(hours=8)
