"""Checks of decoders: their topics, and that their fields lead to sensors of the district."""

from __future__ import annotations

from collections.abc import Iterator

from undercroft.model import Mode
from undercroft.quantities import quantity_of
from undercroft.site.nodes import Node
from undercroft.site.problems import Problem, shown
from undercroft.topic_filters import filters_overlap, is_sound_filter

_LORAWAN = frozenset({"chirpstack", "ttn"})
_OWN_ROOTS = frozenset(mode.topic_root for mode in Mode)
_ONLY_OF_KIND = {"device_field": _LORAWAN, "device_level": frozenset({"senml"})}


def decoder_problems(top: Node) -> Iterator[Problem]:
    """Yield what cannot be among the decoders."""
    devices = _devices(top)
    seen: set[str] = set()
    topics: list[str] = []
    for decoder in top.tables("decoder"):
        ident, topic = decoder.text("id"), decoder.text("topic")
        if ident is not None and ident in seen:
            yield decoder.problem("id", "a decoder id used once only")
        seen |= {ident} if ident else set()
        if topic is not None:
            yield from _topic_problems(decoder, topic, topics)
            topics.append(topic)
        yield from _kind_problems(decoder)
        yield from _device_problems(decoder, devices)
        yield from _field_problems(decoder, {key for sensors in devices.values() for key in sensors})
        yield from _period_problems(decoder, top)


def _devices(top: Node) -> dict[str, set[tuple[str, str]]]:
    return {
        device.text("id") or "": {
            (sensor.text("at") or "", sensor.text("quantity") or "") for sensor in device.tables("sensors")
        }
        for key in ("space", "gauge")
        for place in top.tables(key)
        for device in place.tables("devices")
    }


def _period_problems(decoder: Node, top: Node) -> Iterator[Problem]:
    """Yield rain fields whose period is not what a sensor that they lead to states."""
    mapped = {entry.text("device") for entry in decoder.tables("devices")}
    stated = {
        (sensor.text("at") or "", sensor.number("period_s"))
        for key in ("space", "gauge")
        for place in top.tables(key)
        for device in place.tables("devices")
        for sensor in device.tables("sensors")
        if "period_s" in sensor.table and (not mapped or device.text("id") in mapped)
    }
    for entry in decoder.tables("fields"):
        found = entry.number("period_s")
        for at, period_s in sorted(stated, key=str):
            if found is not None and at == (entry.text("at") or "") and period_s not in {None, found}:
                yield entry.problem("period_s", f"{period_s:g}, as the sensor states", found=f"{found:g}")


def _topic_problems(decoder: Node, topic: str, earlier: list[str]) -> Iterator[Problem]:
    root = topic.split("/", maxsplit=1)[0]
    if not is_sound_filter(topic) or root in {"", "+", "#"} or root.startswith("$"):
        yield decoder.problem("topic", "an MQTT topic filter whose first level is a plain name")
    elif root in _OWN_ROOTS:
        yield decoder.problem("topic", f"a topic outside {' and '.join(sorted(_OWN_ROOTS))}, which need no decoder")
    elif any(filters_overlap(topic, other) for other in earlier):
        yield decoder.problem("topic", "a topic filter that meets no other decoder's")


def _kind_problems(decoder: Node) -> Iterator[Problem]:
    kind = decoder.text("kind")
    for key, kinds in _ONLY_OF_KIND.items():
        if key in decoder.table and kind not in kinds:
            yield decoder.problem(key, f"nothing: only {' and '.join(sorted(kinds))} have it")


def _device_problems(decoder: Node, devices: dict[str, set[tuple[str, str]]]) -> Iterator[Problem]:
    seen: set[str] = set()
    for entry in decoder.tables("devices"):
        key, device = entry.text("key"), entry.text("device")
        if key is not None and key.lower() in seen:
            yield entry.problem("key", "a key used once only; capitals do not count")
        seen |= {key.lower()} if key else set()
        if device is not None and device not in devices:
            yield entry.problem("device", "the id of a device of this district")


def _field_problems(decoder: Node, sensors: set[tuple[str, str]]) -> Iterator[Problem]:
    seen: set[str] = set()
    for entry in decoder.tables("fields"):
        name, quantity = entry.text("field"), entry.text("quantity")
        if name is not None and name in seen:
            yield entry.problem("field", "a field mapped once only")
        seen |= {name} if name else set()
        if quantity is not None:
            yield from _quantity_problems(entry, quantity, sensors)
        if "unit" in entry.table and decoder.text("kind") != "senml":
            yield entry.problem("unit", "nothing: only senml states units")
    ignored = decoder.table.get("ignore")
    for position, name in enumerate(ignored if isinstance(ignored, list) else ()):
        if isinstance(name, str) and name in seen:
            yield Problem((*decoder.path, "ignore", position), shown(name), "a field that is not mapped")


def _quantity_problems(entry: Node, name: str, sensors: set[tuple[str, str]]) -> Iterator[Problem]:
    quantity = quantity_of(name)
    if quantity is None or name == "online":
        yield entry.problem("quantity", "a quantity that sensors measure")
        return
    at = entry.text("at") or ""
    if (at, name) not in sensors:
        where = f" at {at}" if at else ""
        yield entry.problem("quantity", f"one that some device of this district measures{where}")
    if quantity.value_type != "number":
        for key in ("scale", "offset"):
            if key in entry.table:
                yield entry.problem(key, f"nothing: {name} is no number")
    if quantity.value_type != "boolean" and "invert" in entry.table:
        yield entry.problem("invert", f"nothing: {name} is not true or false")
    if entry.number("scale") == 0.0:
        yield entry.problem("scale", "a number other than 0")
    if (name == "rain_depth_mm") != ("period_s" in entry.table):
        expected = "the period of the rain depth" if name == "rain_depth_mm" else f"nothing: {name} has no period"
        yield entry.problem("period_s", expected)
