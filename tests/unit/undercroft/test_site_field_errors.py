"""Each way in which one field can be wrong: exact line, field, what was found, what was expected."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.undercroft.site_text import SITE_TEXT, changed, problems_of

N = "space[s1].entrances[n]"
IN = "space[s1].devices[s1-in].sensors[#1]"
ROW = "threshold_set[local].rows[#1]"
DEPTH = '{ quantity = "water_depth_m" }'

QUANTITY_WORDS = (
    "one of water_level_m, water_depth_m, rain_total_mm, rain_depth_mm, rain_intensity_mm_h, barrier_state,"
    " barrier_seal_bar, pump_running, pump_current_a, mains_power, battery_v, door_open, float_lifted or"
    " stock_<item>"
)
RULE_WORDS = (
    "one of barrier-not-deployed, blind, float-lifted, freeboard, inside-depth, inside-depth-rising, leak,"
    " orange-within-30min, outside-head, pump-not-coping, rain-10min, rain-5min, rain-60min, rise-rate,"
    " time-to-orange, time-to-red, warning-colour"
)

WIDTH = "a number above 0, at most 60"

# old text, new text (of which the first line is the one at fault), field, found, expected
FIELD_ERRORS = [
    # The type and range of one field.
    ("width_m = 6", 'width_m = "6"', f"{N}.width_m", '"6"', WIDTH),
    ("width_m = 6", "width_m = true", f"{N}.width_m", "true", WIDTH),
    ("width_m = 6", "width_m = nan", f"{N}.width_m", "nan", WIDTH),
    ("width_m = 6", "width_m = inf", f"{N}.width_m", "inf", WIDTH),
    ("width_m = 6", "width_m = -6", f"{N}.width_m", "-6", WIDTH),
    ("width_m = 6", "width_m = 0.0", f"{N}.width_m", "0", WIDTH),
    ("width_m = 6", "width_m = 2026-07-01", f"{N}.width_m", "2026-07-01", WIDTH),
    ("width_m = 6", "width_m = []", f"{N}.width_m", "a list of 0", WIDTH),
    (
        DEPTH,
        '{ quantity = "water_depth_m", zero_level_m = -501 }',
        IN + ".zero_level_m",
        "-501",
        "a number from -500 to 9000",
    ),
    (
        'street = "福田"',
        "street = '梅林\"一\"村'",
        "space[s1].street",
        r'"梅林\"一\"村"',
        'a name without straight double quotes ("): write 「」 or “ ”',
    ),
    ("lat = 22.5", "lat = 122.5", "space[s1].lat", "122.5", "a number from -90 to 90"),
    (
        "lat = 22.5\nlon = 114.0",
        "lat = 0\nlon = 0.0",
        "space[s1].lat",
        "0",
        "the place's own position; 0, 0 lies in the Atlantic",
    ),
    (
        'kind = "car_park"',
        'kind = "garage"',
        "space[s1].kind",
        '"garage"',
        "one of car_park, metro_entrance, underpass, mall, civil_defence",
    ),
    ('name_en = "Futian"', 'name_en = ""', "district.name_en", '""', "a text of 1 to 120 characters"),
    (
        'name_en = "Futian"',
        'name_en = "a\\u0000b"',
        "district.name_en",
        '"a\\u0000b"',
        "text without the character U+0000",
    ),
    ('name_en = "Futian"', "name_en = 3", "district.name_en", "3", "a text of 1 to 120 characters"),
    ('severity = "red"', 'severity = "RED"', ROW + ".severity", '"RED"', "one of blue, yellow, orange, red"),
    (
        "valid_from = 2026-07-01T08:00:00+08:00",
        "valid_from = 2026-07-01T08:00:00",
        "threshold_set[local].valid_from",
        "2026-07-01T08:00:00",
        "a date and time with offset, such as 2026-07-01T00:00:00+08:00",
    ),
    (
        "storage = [{ depth_m = 0, area_m2 = 1000 }]",
        "storage = []",
        "space[s1].storage",
        "a list of 0",
        "a list of at least 1",
    ),
    ("barrier = { height_m = 0.6, deploy_min = 10 }", "barrier = 3", f"{N}.barrier", "3", "a table"),
    (
        "deploy_min = 10 }",
        'deploy_min = 10, leakage_grade = "Ws-9" }',
        f"{N}.barrier.leakage_grade",
        '"Ws-9"',
        "one of Ws-1, Ws-2, Ws-3, Ws-4, Ws-5, Ws-6",
    ),
    (
        "on_depth_m = 0.2",
        "on_depth_m = 0.2\nstart = 1",
        "space[s1].pumps[p1].start",
        "an unknown field 1",
        "one of id, capacity_m3_s, on_depth_m, off_depth_m",
    ),
    # Identifiers.
    (
        'id = "p1"',
        'id = "Pump 1"',
        "space[s1].pumps[Pump 1].id",
        '"Pump 1"',
        "1 to 40 lower-case letters, digits and '-', not starting with '-'",
    ),
    ('id = "g1"', 'id = "s1"', "gauge[s1].id", '"s1"', "a place id (space, gauge or depot) used once only"),
    (
        'id = "g1-rain"',
        'id = "s1-in"',
        "gauge[g1].devices[s1-in].id",
        '"s1-in"',
        "a device id used once only in the whole district",
    ),
    # References.
    ('basin = "b1"\nfloor', 'basin = "b2"\nfloor', "space[s1].basin", '"b2"', "the id of a basin of this file: b1"),
    (
        '{ quantity = "water_depth_m", entrance = "n" }',
        '{ quantity = "water_depth_m", entrance = "s" }',
        "space[s1].devices[s1-n].sensors[#1].entrance",
        '"s"',
        "an entrance of this place: n",
    ),
    (
        '{ quantity = "rain_total_mm" }',
        '{ quantity = "rain_total_mm", entrance = "n" }',
        "gauge[g1].devices[g1-rain].sensors[#1].entrance",
        '"n"',
        "an entrance of this place: this place has none",
    ),
    ('space = "s1"\nseverity', 'space = "s2"\nseverity', ROW + ".space", '"s2"', "the id of a space of this file: s1"),
    (
        'requirements = [{ item = "sandbag", quantity = 10 }]',
        'requirements = [{ item = "sandbagg", quantity = 10 }]',
        "space[s1].requirements[#1].item",
        '"sandbagg"',
        "an item that is in stock somewhere, with quantity 0 if need be: sandbag",
    ),
    (
        'requirements = [{ item = "sandbag", quantity = 10 }]',
        'requirements = [{ item = "sandbag", quantity = 10, entrance = "w" }]',
        "space[s1].requirements[#1].entrance",
        '"w"',
        "the id of an entrance of this space: n",
    ),
    # Levels, depths, widths, areas.
    (
        "crest_level_m = 4.2",
        "crest_level_m = 3.99",
        f"{N}.crest_level_m",
        "3.99",
        "a level at or above its roadway_level_m, 4, by at most 3 m",
    ),
    (
        "crest_level_m = 4.2",
        "crest_level_m = 7.01",
        f"{N}.crest_level_m",
        "7.01",
        "a level at or above its roadway_level_m, 4, by at most 3 m",
    ),
    (
        "floor_level_m = 1.0",
        "floor_level_m = -96.0",
        f"{N}.crest_level_m",
        "4.2",
        "a level above the floor of the space, -96, by at most 100 m",
    ),
    ("width_m = 6", "width_m = 60.5", f"{N}.width_m", "60.5", WIDTH),
    (
        "height_m = 0.6",
        "height_m = 60",
        f"{N}.barrier.height_m",
        "60",
        "a number above 0, at most 5",
    ),
    (
        "{ depth_m = 0, area_m2 = 1000 }",
        "{ depth_m = 0.1, area_m2 = 1000 }",
        "space[s1].storage[#1].depth_m",
        "0.1",
        "0 in the first row",
    ),
    (
        "{ depth_m = 0, area_m2 = 1000 }",
        "{ depth_m = 0, area_m2 = 1000000 }",
        "space[s1].storage[#1].area_m2",
        "1000000",
        "a number above 0, at most 500000",
    ),
    (
        "{ depth_m = 0, area_m2 = 1000 }",
        "{ depth_m = 0, area_m2 = 1 }, { depth_m = 0, area_m2 = 2 }",
        "space[s1].storage[#2].depth_m",
        "0",
        "a depth above 0, that of the row before",
    ),
    (
        "on_depth_m = 0.2",
        "on_depth_m = 0.05",
        "space[s1].pumps[p1].on_depth_m",
        "0.05",
        "a depth above off_depth_m, 0.05",
    ),
    (
        "capacity_m3_s = 0.02",
        "capacity_m3_s = 72",
        "space[s1].pumps[p1].capacity_m3_s",
        "72",
        "a number above 0, at most 20",
    ),
    # Devices and sensors.
    (DEPTH, '{ quantity = "depth" }', IN + ".quantity", '"depth"', QUANTITY_WORDS),
    (
        DEPTH,
        '{ quantity = "online" }',
        IN + ".quantity",
        '"online"',
        "another quantity; every device has `online` without being told",
    ),
    (
        DEPTH,
        f"{DEPTH}, {DEPTH}",
        "space[s1].devices[s1-in].sensors[#2].quantity",
        '"water_depth_m"',
        "one sensor for each device, probe (at) and quantity",
    ),
    (
        DEPTH,
        '{ quantity = "barrier_state" }',
        IN + ".entrance",
        "nothing",
        "an entrance with a barrier, for barrier_state",
    ),
    (
        DEPTH,
        '{ quantity = "battery_v", zero_level_m = 1 }',
        IN + ".zero_level_m",
        "1",
        "no zero level for battery_v; only water_depth_m and float_lifted have one",
    ),
    (
        '{ quantity = "rain_total_mm" }',
        DEPTH,
        "gauge[g1].devices[g1-rain].sensors[#1].zero_level_m",
        "nothing",
        "the level of depth 0, since a gauge site has no floor",
    ),
    (
        '{ id = "g1-rain",',
        '{ id = "g1-rain", interval_wet_s = 601,',
        "gauge[g1].devices[g1-rain].interval_wet_s",
        "601",
        "at most interval_dry_s, 600",
    ),
    # Thresholds and the district.
    ('rule = "inside-depth"', 'rule = "depth"', ROW + ".rule", '"depth"', RULE_WORDS),
    ('unit = "m"', 'unit = "ft"', ROW + ".unit", '"ft"', "the unit of inside-depth: m or cm or mm"),
    (
        'datum = "metres',
        'timezone = "Beijing"\ndatum = "metres',
        "district.timezone",
        '"Beijing"',
        "a time zone of the IANA list, such as Asia/Shanghai",
    ),
]


def _line_at_fault(text: str, field: str, old: str, new: str) -> int:
    """Find the line by eye: in what was changed that of the field's name, else that on which the change begins."""
    start = SITE_TEXT.index(old)
    name = field.rsplit(".", 1)[-1]
    if f"{name} =" not in new and f"\n{name} =" in text[start:]:
        start = text.index(f"\n{name} =", start) + 1
    elif f"\n{name} =" in new:
        start += new.index(f"\n{name} =") + 1
    return text.count("\n", 0, start) + 1


@pytest.mark.parametrize(("old", "new", "field", "found", "expected"), FIELD_ERRORS)
def test_each_error_names_file_line_field_found_and_expected(
    tmp_path: Path, old: str, new: str, field: str, found: str, expected: str
) -> None:
    text = changed(old, new)

    problems = problems_of(tmp_path, text)

    line = _line_at_fault(text, field, old, new)
    assert str(problems[0]) == f"{tmp_path / 'site.toml'}:{line}: {field}: found {found}, expected {expected}"
    assert len(problems) == 1
