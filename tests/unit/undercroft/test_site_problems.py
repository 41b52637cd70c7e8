"""Site files that are wrong in more than one field, in their TOML, or only leave something uncovered."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.undercroft.site_text import SITE_TEXT, changed, problems_of, write_site
from undercroft.errors import SiteInvalid
from undercroft.site.load import load_site, read_site_file
from undercroft.site.problems import field_name, shown, value_at

N = "space[s1].entrances[n]"
INSIDE, OUTSIDE = '[{ quantity = "water_depth_m" }', '{ quantity = "water_depth_m", entrance = "n" }'
STORAGE = "storage = [{ depth_m = 0, area_m2 = 1000 }]"
SECOND_SPACE = SITE_TEXT[SITE_TEXT.index("[[space]]") : SITE_TEXT.index("[[gauge]]")]


def test_a_line_by_hand(tmp_path: Path) -> None:
    (problem,) = problems_of(tmp_path, '[district]\nid = "x"\nname_zh = "x"\nname_en = "x"\ndatum = "x"\n# end\n')

    assert (problem.line, problem.field) == (1, "space")
    assert (problem.found, problem.expected) == ("nothing", "a list of at least 1")


@pytest.mark.parametrize(
    ("gone", "header", "field"),
    [
        ("crest_level_m = 4.2\n", "[[space.entrances]]", f"{N}.crest_level_m"),
        ("off_depth_m = 0.05\n", "[[space.pumps]]", "space[s1].pumps[p1].off_depth_m"),
        ("floor_level_m = 1.0\n", "[[space]]", "space[s1].floor_level_m"),
    ],
)
def test_a_missing_field_is_told_at_the_table_that_lacks_it(tmp_path: Path, gone: str, header: str, field: str) -> None:
    text = changed(gone, "")

    (problem,) = problems_of(tmp_path, text)

    assert problem.line == text.count("\n", 0, text.index(header + "\n")) + 1
    assert (problem.field, problem.found) == (field, "nothing")


def test_repeated_ids_are_told_where_they_are_repeated(tmp_path: Path) -> None:
    text = SITE_TEXT + "\n" + SECOND_SPACE

    problems = problems_of(tmp_path, text)

    second = SITE_TEXT.count("\n") + 2
    assert [(p.line - second, p.field, p.found) for p in problems] == [
        (1, "space[s1].id", '"s1"'),
        (2, "space[s1].name_zh", '"一"'),
        (14, "space[s1].devices[s1-in].id", '"s1-in"'),
        (15, "space[s1].devices[s1-n].id", '"s1-n"'),
    ]


@pytest.mark.parametrize(
    ("part", "again", "field", "expected"),
    [
        ("[[basin]]", "[[gauge]]", "basin[b1].id", "a basin id used once only"),
        ("[[space.pumps]]", "[[gauge]]", "space[s1].pumps[p1].id", "a pump id used once only"),
        ("[[space.entrances]]", "[[space.pumps]]", f"{N}.id", "an entrance id used once only"),
        (
            "[[threshold_set.rows]]",
            "",
            "threshold_set[local].rows[#2].rule",
            "one row for each rule, kind, space and severity",
        ),
        ("[[threshold_set]]", "", "threshold_set[local].id", "a threshold set id used once only"),
    ],
)
def test_a_part_written_twice(tmp_path: Path, part: str, again: str, field: str, expected: str) -> None:
    following = SITE_TEXT[SITE_TEXT.index(part) + len(part) :]
    end = following.find("\n[[") if again else -1
    body = part + (following[:end] if end >= 0 else following)
    place = SITE_TEXT.index(again) if again else len(SITE_TEXT)

    (problem,) = problems_of(tmp_path, SITE_TEXT[:place] + body + "\n" + SITE_TEXT[place:])

    assert (problem.field, problem.expected) == (field, expected)
    assert problem.line == SITE_TEXT.count("\n", 0, place) + 2


def test_stock_and_requirement_rows_are_told_once_each(tmp_path: Path) -> None:
    twice = '{ item = "sandbag", quantity = 10 }, { item = "sandbag", quantity = 10 }'
    text = SITE_TEXT.replace('{ item = "sandbag", quantity = 10 }', twice)

    problems = problems_of(tmp_path, text)

    assert [(p.field, p.expected) for p in problems] == [
        ("space[s1].stock[#2].item", "an item of this place used once only"),
        ("space[s1].requirements[#2].item", "an item required once only for this entrance or space"),
    ]


def test_a_barrier_switch_needs_a_barrier(tmp_path: Path) -> None:
    text = changed("barrier = { height_m = 0.6, deploy_min = 10 }\n", "")

    (problem,) = problems_of(tmp_path, text)

    assert problem.field == "space[s1].devices[s1-n].sensors[#2].entrance"
    assert problem.expected == "an entrance with a barrier, for barrier_state"


def test_all_errors_are_told_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    text = SITE_TEXT
    for old, new in [
        ('kind = "car_park"', 'kind = "garage"'),
        ('basin = "b1"\nfloor', 'basin = "b2"\nfloor'),
        ("width_m = 6", "width_m = 0"),
        ("crest_level_m = 4.2", "crest_level_m = 3"),
        ("on_depth_m = 0.2", "on_depth_m = 0.01"),
        ('unit = "m"', 'unit = "ft"'),
    ]:
        text = changed(old, new, text)

    problems = problems_of(tmp_path, text)

    assert [problem.field.rsplit(".", 1)[-1] for problem in problems] == [
        "kind",
        "basin",
        "width_m",
        "crest_level_m",
        "on_depth_m",
        "unit",
    ]
    assert [problem.line for problem in problems] == sorted(problem.line for problem in problems)


def test_crest_below_floor_is_refused_in_both_ways(tmp_path: Path) -> None:
    problems = problems_of(tmp_path, changed("crest_level_m = 4.2", "crest_level_m = 1.0"))

    assert [problem.expected for problem in problems] == [
        "a level above the floor of the space, 1, by at most 100 m",
        "a level at or above its roadway_level_m, 4, by at most 3 m",
    ]


def test_the_last_values_that_are_allowed(tmp_path: Path) -> None:
    for old, new in [
        ("crest_level_m = 4.2", "crest_level_m = 4.0"),
        ("crest_level_m = 4.2", "crest_level_m = 7.0"),
        ("width_m = 6", "width_m = 60"),
        ("on_depth_m = 0.2", "on_depth_m = 0.0501"),
        ("floor_level_m = 1.0", "floor_level_m = 3.99"),
        ('{ id = "g1-rain",', '{ id = "g1-rain", interval_wet_s = 600,'),
        ('value = 0.25\nunit = "m"', 'value = 25\nunit = "cm"'),
        ("floor_level_m = 1.0", "floor_level_m = 1.0\nceiling_height_m = 1.5"),
    ]:
        load_site(write_site(tmp_path, changed(old, new)))


@pytest.mark.parametrize(
    ("old", "new", "field", "expected"),
    [
        (
            '    { quantity = "barrier_state", entrance = "n" },\n',
            "",
            f"{N}.barrier",
            "a barrier_state sensor for this barrier",
        ),
        (
            '  { id = "s1-in", sensors = [{ quantity = "water_depth_m" }] },\n',
            "",
            "space[s1].devices",
            "a level sensor inside the space",
        ),
        ('{ quantity = "rain_total_mm" }', '{ quantity = "battery_v" }', "basin[b1].id", "a rain gauge in this basin"),
        (
            '    { quantity = "water_depth_m", entrance = "n" },\n',
            "",
            f"{N}.id",
            "a level sensor outside this entrance",
        ),
    ],
)
def test_coverage_gaps_are_warnings(tmp_path: Path, old: str, new: str, field: str, expected: str) -> None:
    assert read_site_file(write_site(tmp_path)).gaps == []

    (gap,) = read_site_file(write_site(tmp_path, changed(old, new))).gaps

    assert (gap.field, gap.found, gap.expected) == (field, "none", expected)


def test_a_barrier_needed_and_missing_is_a_gap_not_an_error(tmp_path: Path) -> None:
    text = changed('    { quantity = "barrier_state", entrance = "n" },\n', "")
    text = changed("barrier = { height_m = 0.6, deploy_min = 10 }\n", "", text)

    (gap,) = read_site_file(write_site(tmp_path, text)).gaps
    assert gap.expected == "a flood barrier, since one is needed here"
    assert read_site_file(write_site(tmp_path, text + "")).site.spaces[0].entrances[0].barrier is None

    unneeded = changed("roadway_level_m = 4.0", "roadway_level_m = 4.0\nbarrier_needed = false", text)
    assert read_site_file(write_site(tmp_path, unneeded)).gaps == []


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a = 1\nb = \n", "2: not valid TOML: Invalid value (column 5)"),
        (b'a = 1\nb = "x\n', "2: not valid TOML: Illegal character '\\n' (column 7)"),
        (b"a = 1\n\na = 2\n", "3: not valid TOML: Cannot overwrite a value (column 6)"),
        (b"a = 1\nb = [1,\n", "2: not valid TOML: Invalid value"),
        (b"a = 1\nb = \xff\n", "2: found byte 0xff, expected UTF-8 text"),
        (b"a = " + b"[" * 100_000, "1: not valid TOML: nested too deeply"),
    ],
)
def test_broken_toml_is_one_line(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "site.toml"
    path.write_bytes(content)

    with pytest.raises(SiteInvalid) as caught:
        load_site(path)

    assert str(caught.value) == f"{path}:{message}"


def test_a_missing_file_and_a_folder_are_one_line(tmp_path: Path) -> None:
    with pytest.raises(SiteInvalid) as caught:
        load_site(tmp_path / "none.toml")
    assert str(caught.value) == f"{tmp_path / 'none.toml'}: cannot be read: No such file or directory"
    with pytest.raises(SiteInvalid, match="Is a directory"):
        load_site(tmp_path)


def test_windows_line_ends_and_a_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "site.toml"
    path.write_bytes(b"\xef\xbb\xbf" + SITE_TEXT.replace("\n", "\r\n").encode())
    assert load_site(path) == load_site(write_site(tmp_path))


def test_values_are_shown_as_in_toml() -> None:
    assert shown(None) == "nothing"
    assert shown(True) == "true"
    assert shown(4.25) == "4.25"
    assert shown("a\nb") == '"a\\nb"'
    assert shown({}) == "a table"
    assert shown([1]) == "a list of 1"
    assert shown("x" * 99) == '"' + "x" * 56 + "..."


def test_paths_into_nothing() -> None:
    assert value_at({"a": [1]}, ("a", 7)) is None
    assert field_name((), {}) == "(top level)"


def test_who_leads_is_said_once_for_each_place_and_of_places_that_are_there(tmp_path: Path) -> None:
    row = '\n[[command]]\nspace = "s1"\nseverity = "red"\nleader = "Chen"\n'
    problems = problems_of(tmp_path, SITE_TEXT + row + row + row.replace("s1", "s9"))
    assert [(p.field, p.expected) for p in problems] == [
        ("command[#2].severity", "one row for each space, kind and severity"),
        ("command[#3].space", "the id of a space of this file: s1"),
    ]


@pytest.mark.parametrize(
    ("old", "new", "field", "expected"),
    [
        ("floor_level_m = 1.0", "floor_level_m = 1.0\nceiling_height_m = 0.01", "ceiling_height_m", "at least 1.5 m"),
        ("on_depth_m = 0.2", "on_depth_m = 50.0", "on_depth_m", "a depth below the ceiling, 3 m"),
        ("width_m = 6", "width_m = 0.001", "width_m", "at least 0.3 m"),
    ],
)
def test_what_no_person_could_enter_or_no_pump_could_start_at_is_refused(
    tmp_path: Path, old: str, new: str, field: str, expected: str
) -> None:
    problem = problems_of(tmp_path, changed(old, new))[0]
    assert (problem.field.rsplit(".", 1)[-1], problem.expected) == (field, expected)


def test_a_zero_level_far_from_every_road_and_floor_is_refused(tmp_path: Path) -> None:
    """Floor 1 m, road 4 m: 5,000 m is a level of another country, or millimetres."""
    old = '{ quantity = "rain_total_mm" }'
    for zero_m, wrong in ((5000.0, True), (-400.0, True), (104.0, False)):
        text = changed(old, f'{old}, {{ quantity = "water_depth_m", zero_level_m = {zero_m} }}')
        if wrong:
            expected = "a level within 100 m of the roads and floors of this file, 1 to 4 m"
            assert [problem.expected for problem in problems_of(tmp_path, text)] == [expected]
        else:
            load_site(write_site(tmp_path, text))


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (INSIDE, INSIDE[:-2] + ", zero_level_m = -9.0 }", "-2 to 4, by the floor of the space, 1"),
        (INSIDE, INSIDE[:-2] + ", zero_level_m = 4.1 }", "-2 to 4, by the floor of the space, 1"),
        (
            INSIDE,
            INSIDE + ', { quantity = "float_lifted", zero_level_m = 21 }',
            "-2 to 4, by the floor of the space, 1",
        ),
        (OUTSIDE, OUTSIDE[:-2] + ", zero_level_m = -4.0 }", "1 to 7, by the roadway of its entrance, 4"),
    ],
)
def test_a_sensor_that_would_hear_no_water_where_it_stands_is_refused(
    tmp_path: Path, old: str, new: str, expected: str
) -> None:
    """Floor 1 m, rooms of 3 m; road 4 m."""
    (problem,) = problems_of(tmp_path, changed(old, new))
    assert (problem.field.rsplit(".", 1)[-1], problem.expected) == ("zero_level_m", expected)


def test_a_space_holds_no_water_over_its_ceiling_and_its_highest_crest(tmp_path: Path) -> None:
    old = STORAGE
    (problem,) = problems_of(tmp_path, changed(old, old[:-1] + ", { depth_m = 150, area_m2 = 1 }]"))
    assert problem.expected.startswith("at most 3")
