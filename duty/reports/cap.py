"""CAP 1.2 (OASIS; ITU-T X.1303) of an incident, with a Chinese and an English block.

Draft by default, Exercise in drills. Nothing here sends: a district's tool does not publish to the national system by
itself (domain notes 5.1).
"""

from __future__ import annotations

import re
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from xml.etree import ElementTree as Xml
from zoneinfo import ZoneInfo

from duty.incidents.incidents import AlarmNote
from duty.telling.texts import SEVERITY_WORDS, Named, advice
from undercroft.errors import BadInput
from undercroft.model import EXERCISE_MARK, Severity

NAMESPACE = "urn:oasis:names:tc:emergency:cap:1.2"
Status = Literal["Actual", "Exercise", "System", "Test", "Draft"]

SEVERITY = {
    Severity.RED: "Extreme", Severity.ORANGE: "Severe", Severity.YELLOW: "Moderate", Severity.BLUE: "Minor",
    Severity.NORMAL: "Minor",
}  # fmt: skip
URGENCY = {
    Severity.RED: "Immediate", Severity.ORANGE: "Immediate", Severity.YELLOW: "Expected", Severity.BLUE: "Future",
    Severity.NORMAL: "Past",
}  # fmt: skip
CERTAINTY = {Severity.RED: "Observed", Severity.NORMAL: "Observed"}
"""No forecast raises red; of a lesser alarm it may be all there is, so that is "Likely"."""
RESPONSE = {
    Severity.RED: ("Evacuate", "Avoid"), Severity.ORANGE: ("Execute", "Avoid"), Severity.YELLOW: ("Prepare",),
    Severity.BLUE: ("Monitor",), Severity.NORMAL: ("AllClear",),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Area:
    """Where: a name in both languages and a circle; ``subject`` is the alarm that it is the place of."""

    subject: str
    name_zh: str
    name_en: str
    lat: float
    lon: float
    radius_km: float = 0.3


@dataclass(frozen=True, slots=True)
class Origin:
    """Who issues and how the message is marked.

    ``sender_names`` are Chinese and English. ``references`` are earlier messages of the incident as
    ``sender,identifier,sent``; with one it is an update, and without an open alarm a cancellation.
    """

    sender: str
    sender_names: tuple[str, str]
    area_code: str
    zone: ZoneInfo
    status: Status = "Draft"
    references: tuple[str, ...] = ()


SENDER_NAMES = ("区防汛指挥部", "District flood control")
_WORD = r"[^\s,<&\x00-\x1f\x7f-\x9f\ufffe\uffff]+"
SENDER = _WORD
REFERENCE = rf"{_WORD},{_WORD},\d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d"
"""An earlier message as CAP names it: sender, identifier, sent."""
SENDER_NAME = r"[^\x00-\x1f\x7f-\x9f\ufffe\uffff]+"
MOST_SENDER_CHARACTERS = 100
MOST_REFERENCE_CHARACTERS = 250
MOST_REFERENCES = 9

_NOT_IN_XML = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


def origin_of(
    sender: str, name_zh: str | None, name_en: str | None, area_code: str, zone: ZoneInfo, references: Sequence[str]
) -> Origin:  # fmt: skip
    """Return who issues; a name in one language alone stands for both.

    Raises
    ------
    BadInput
        If the sender, a name, the area code or a reference is none.
    """
    _expect("sender", SENDER, sender, f"1 to {MOST_SENDER_CHARACTERS} characters without space, comma, < and &")
    for field, text in (("sender name", name_en), ("Chinese sender name", name_zh)):
        if text is not None:
            _expect(field, SENDER_NAME, text, f"1 to {MOST_SENDER_CHARACTERS} characters on one line")
    if re.fullmatch(r"[0-9]{6}", area_code) is None:
        raise BadInput(f"CAP: area code {area_code[:20]!r}: expected six digits (GB/T 2260)")
    if len(references) > MOST_REFERENCES:
        raise BadInput(f"CAP: reference: found {len(references)}, expected at most {MOST_REFERENCES}")
    for text in references:
        if len(text) > MOST_REFERENCE_CHARACTERS or re.fullmatch(REFERENCE, text, re.ASCII) is None:
            raise BadInput(
                f"CAP: reference {text[:80]!r}: write sender,identifier,sent as the earlier message has them"
            )
    zh, en = SENDER_NAMES
    return Origin(
        sender, (name_zh or name_en or zh, name_en or name_zh or en), area_code, zone, references=tuple(references)
    )  # fmt: skip


def _expect(field: str, pattern: str, text: str, expected: str) -> None:
    if len(text) > MOST_SENDER_CHARACTERS or _NOT_IN_XML.search(text) or re.fullmatch(pattern, text) is None:
        raise BadInput(f"CAP: {field} {text[:80]!r}: expected {expected}")


def free_identifier(area_code: str, sent: datetime, taken: Container[str]) -> tuple[str, datetime]:
    """Return an identifier that no message has, and when the message is sent: of one second there are ten.

    Examples
    --------
    >>> from datetime import UTC
    >>> sent = datetime(2026, 7, 1, 16, 0, tzinfo=UTC)
    >>> free_identifier("440304", sent, {identifier("440304", sent, serial) for serial in range(9)})[0]
    '44030400000000_20260702000000_9'
    >>> free_identifier("440304", sent, {identifier("440304", sent, serial) for serial in range(10)})[0]
    '44030400000000_20260702000001_0'
    """
    while True:
        for serial in range(10):
            name = identifier(area_code, sent, serial)
            if name not in taken:
                return name, sent
        sent += timedelta(seconds=1)


def reference_to(origin: Origin, name: str, sent: datetime) -> str:
    """Return what a later message names this one by."""
    return f"{origin.sender},{name},{_time(sent, origin.zone)}"


def identifier(area_code: str, sent: datetime, serial: int) -> str:
    """Return an identifier of GB/T 35965.1: area, sector and extension (zero here), Beijing time, serial 0-9.

    Examples
    --------
    >>> from datetime import UTC
    >>> identifier("440304", datetime(2026, 7, 1, 16, 0, tzinfo=UTC), 0)
    '44030400000000_20260702000000_0'
    """
    if not (len(area_code) == 6 and area_code.isdigit() and 0 <= serial <= 9):
        raise BadInput(f"CAP: area code {area_code!r} has six digits and the serial {serial} one")
    return f"{area_code}00000000_{sent.astimezone(ZoneInfo('Asia/Shanghai')):%Y%m%d%H%M%S}_{serial}"


def kind_of(notes: Sequence[AlarmNote], origin: Origin) -> str:
    """Return which a message is: with references an update, and then without an open alarm a cancellation."""
    return "Alert" if not origin.references else "Update" if notes else "Cancel"


def export(
    name: str, incident_id: str, notes: Sequence[AlarmNote], names: Mapping[str, Named], areas: Sequence[Area],
    origin: Origin, sent: datetime,
) -> bytes:  # fmt: skip
    """Return the message as XML; ``notes`` are the open alarms, worst first, ``name`` its identifier.

    Each severity has a block in each language, with its own places and what to do there; the end has one of all places.
    """
    alert = Xml.Element("alert", {"xmlns": NAMESPACE})
    _add(alert, "identifier", name)
    _add(alert, "sender", origin.sender)
    _add(alert, "sent", _time(sent, origin.zone))
    _add(alert, "status", origin.status)
    _add(alert, "msgType", kind_of(notes, origin))
    _add(alert, "scope", "Restricted")
    _add(alert, "restriction", "District flood control; not for publication before release by the officer in charge")
    if origin.references:
        _add(alert, "references", " ".join(origin.references))
    _add(alert, "incidents", incident_id)
    for severity in sorted({Severity(note.severity) for note in notes} or {Severity.NORMAL}, reverse=True):
        told = [note for note in notes if note.severity == severity]
        there = {note.subject for note in told}
        where = [area for area in areas if not notes or area.subject in there]
        for number, language in enumerate(("zh-CN", "en")):
            _info(alert, language, number, severity, told, names, where, origin, sent)
    Xml.indent(alert)
    text: bytes = Xml.tostring(alert, encoding="utf-8", xml_declaration=True)
    return text + b"\n"


def _info(  # noqa: PLR0913, PLR0917 - one block of one message
    alert: Xml.Element, language: str, number: int, severity: Severity, notes: Sequence[AlarmNote],
    names: Mapping[str, Named], areas: Sequence[Area], origin: Origin, sent: datetime,
) -> None:  # fmt: skip
    info = Xml.SubElement(alert, "info")
    mark = EXERCISE_MARK[number] if origin.status == "Exercise" else ""
    event = ("地下空间洪涝", "Flooding of underground spaces")[number]
    _add(info, "language", language)
    _add(info, "category", "Met")
    _add(info, "event", event)
    for response in RESPONSE[severity]:
        _add(info, "responseType", response)
    _add(info, "urgency", URGENCY[severity])
    _add(info, "severity", SEVERITY[severity])
    _add(info, "certainty", CERTAINTY.get(severity, "Likely"))
    _add(info, "effective", _time(sent, origin.zone))
    _add(info, "senderName", origin.sender_names[number])
    _add(info, "headline", f"{mark}{SEVERITY_WORDS[severity][number]} {event}")
    _add(
        info,
        "description",
        "\n".join(_described(note, names, number) for note in notes) or ("报警解除", "All clear")[number],
    )
    known = [(names[n.subject], Severity(n.severity)) for n in notes if n.subject in names]
    told = [advice(named.kind, severity, has_barrier=named.has_barrier) for named, severity in known]
    words = list(dict.fromkeys(entry[number] for entry in told if entry))
    if words:
        _add(info, "instruction", "\n".join(words))
    parameter = Xml.SubElement(info, "parameter")
    _add(parameter, "valueName", "level")
    _add(parameter, "value", severity.word)
    for area in areas:
        place = Xml.SubElement(info, "area")
        _add(place, "areaDesc", (area.name_zh, area.name_en)[number])
        _add(place, "circle", f"{area.lat:.5f},{area.lon:.5f} {area.radius_km:g}")
        geocode = Xml.SubElement(place, "geocode")
        _add(geocode, "valueName", "GB/T 2260")
        _add(geocode, "value", origin.area_code)


def _described(note: AlarmNote, names: Mapping[str, Named], number: int) -> str:
    named = names.get(note.subject, Named(note.subject, note.subject))
    word = SEVERITY_WORDS[Severity(note.severity)][number]
    also = (note.also_zh, note.also_en)[number]
    said = (note.text_zh, note.text_en)[number] + (("；并有 ", "; also ")[number] + also if also else "")
    return f"{word} {(named.name_zh, named.name_en)[number]}: {said}"


def _add(parent: Xml.Element, name: str, text: str) -> None:
    Xml.SubElement(parent, name).text = _NOT_IN_XML.sub("\ufffd", text)


def _time(at: datetime, zone: ZoneInfo) -> str:
    # CAP wants an offset and never "Z".
    return at.astimezone(zone).replace(microsecond=0).isoformat()
