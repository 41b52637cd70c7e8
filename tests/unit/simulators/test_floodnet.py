"""Measured floods: files read strictly, a district made for them, readings at their own times."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import orjson
import pytest

from simulators.floodnet import FloodDay, flood_day, floodnet_run, floodnet_site, read_events, read_sensors
from simulators.floodnet.run import readings_of
from simulators.site_toml import site_toml
from simulators.truth import crossings
from tests.unit.simulators.floodnet_files import a_sensor, an_event, write_events, write_sensors
from undercroft.errors import ScenarioInvalid
from undercroft.site import load_site

DAY = date(2023, 9, 29)
WET = an_event("BK-Canal-1", "2023-09-29T08:00:10.000", "2023-09-29T08:04:10.000", [0, 4, 6, 7, 0])
EARLY = an_event("Q-Shore-2", "2023-09-28T23:50:00.000", "2023-09-29T00:10:00.000", [1, 2], [0, 1200])
OTHER_DAY = an_event("Q-Shore-2", "2023-09-27T08:00:00.000", "2023-09-27T08:01:00.000", [1, 2])
SENSORS = [a_sensor("BK-Canal-1"), a_sensor("Q-Shore-2", borough="Queens"), a_sensor("X-unused-3")]


def a_day(folder: Path, *rows: dict[str, str]) -> FloodDay:
    events = read_events(write_events(folder / "events.csv", rows or [WET, EARLY, OTHER_DAY]))
    return flood_day(events, read_sensors(write_sensors(folder / "sensors.csv", SENSORS)), DAY)


def test_local_time_becomes_utc_and_inches_metres(tmp_path: Path) -> None:
    event = read_events(write_events(tmp_path / "e.csv", [WET]))[0]
    # New York is 4 h behind UTC in September; 6 in * 0.0254 = 0.1524 m, told as 0.152.
    assert event.start_at == datetime(2023, 9, 29, 12, 0, 10, tzinfo=UTC)
    assert event.samples[2].observed_at == datetime(2023, 9, 29, 12, 2, 10, tzinfo=UTC)
    assert [sample.depth_m for sample in event.samples] == [0.0, 0.102, 0.152, 0.178, 0.0]
    assert event.start_time == "2023-09-29T08:00:10.000"


def test_winter_time_is_five_hours_behind(tmp_path: Path) -> None:
    row = an_event("BK-Canal-1", "2023-12-18T08:00:00.000", "2023-12-18T08:10:00.000", [1])
    assert read_events(write_events(tmp_path / "e.csv", [row]))[0].start_at.hour == 13


def test_samples_are_ordered_and_the_deeper_of_two_is_kept(tmp_path: Path) -> None:
    row = an_event("BK-Canal-1", WET["flood_start_time"], WET["flood_end_time"], [0, 5, 3, 4], [0, 120, 60, 120])
    samples = read_events(write_events(tmp_path / "e.csv", [row]))[0].samples
    assert [sample.depth_m for sample in samples] == [0.0, 0.076, 0.127]


@pytest.mark.parametrize(
    ("column", "text", "said"),
    [
        ("flood_start_time", "29/09/2023", "row 3: flood_start_time: expected a local time such as"),
        ("flood_start_time", "2023-09-29T08:00:00Z", "row 3: flood_start_time: expected a local time such as"),
        ("flood_end_time", "2023-09-01T08:00:00", "row 3: flood_end_time: expected a time after flood_start_time"),
        ("flood_profile_depth_inches", "[0, 1", "row 3: flood_profile_depth_inches: expected a list of depths"),
        ("flood_profile_depth_inches", "[]", "row 3: flood_profile_depth_inches: expected a list of depths"),
        ("flood_profile_depth_inches", "[0, 1]", "row 3: flood_profile_depth_inches: expected 5 depths"),
        ("flood_profile_depth_inches", "[0, 1, NaN, 2, 0]", "row 3: flood_profile_depth_inches: expected a list"),
        ("flood_profile_depth_inches", '[0, 1, "2", 2, 0]', "row 3: flood_profile_depth_inches: expected a list"),
        ("flood_profile_time_secs", "[0, 60, 120, 180, -1]", "row 3: flood_profile_time_secs: expected a list of sec"),
        ("flood_profile_time_secs", "[" * 5000, "row 3: flood_profile_time_secs: expected a list of seconds"),
        ("sensor_id", " ", "row 3: sensor_id: expected a text, got ' '"),
    ],
)
def test_bad_cell_is_named_by_file_row_and_column(tmp_path: Path, column: str, text: str, said: str) -> None:
    path = write_events(tmp_path / "e.csv", [EARLY, {**WET, column: text}])
    with pytest.raises(ScenarioInvalid) as caught:
        read_events(path)
    assert str(caught.value).startswith(f"{path}: {said}")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"latitude": "north"}, "row 2: latitude: expected a latitude, got 'north'"),
        ({"longitude": "200"}, "row 2: longitude: expected a longitude, got '200'"),
        ({"street_name": ""}, "row 2: street_name: expected a text, got ''"),
    ],
)
def test_bad_sensor_row(tmp_path: Path, changes: dict[str, str], said: str) -> None:
    path = write_sensors(tmp_path / "s.csv", [a_sensor("A", **changes)])
    with pytest.raises(ScenarioInvalid) as caught:
        read_sensors(path)
    assert str(caught.value) == f"{path}: {said}"


def test_sensor_twice(tmp_path: Path) -> None:
    with pytest.raises(ScenarioInvalid, match="row 3: sensor_id: expected a sensor that has no earlier row"):
        read_sensors(write_sensors(tmp_path / "s.csv", [a_sensor("A"), a_sensor("A")]))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"a,b\n1,2\n", "row 1: column sensor_name is missing"),
        (b"", "row 1: column sensor_name is missing"),
        (b"\xff\xfe", "not UTF-8"),
        (b"sensor_name,sensor_id,street_name,borough,latitude,longitude\nA,B\n", "row 2: street_name: the row ends"),
        (b"sensor_name,sensor_id,street_name,borough,latitude,longitude\nA,B,C,D,1,2,3\n", "row 2: the row has more"),
    ],
)
def test_file_that_is_not_the_table(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "s.csv"
    path.write_bytes(content)
    with pytest.raises(ScenarioInvalid, match=said):
        read_sensors(path)


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ScenarioInvalid, match="cannot be read: No such file"):
        read_events(tmp_path / "none.csv")


def test_day_takes_what_overlaps_it(tmp_path: Path) -> None:
    day = a_day(tmp_path)
    assert [event.sensor_id for event in day.of_day] == ["Q-Shore-2", "BK-Canal-1"]
    assert [sensor.sensor_id for sensor in day.sensors] == ["BK-Canal-1", "Q-Shore-2"]
    # 30 min before 23:50 of the evening before, to 60 min after the end of the day, in New York.
    assert day.start == datetime(2023, 9, 29, 3, 20, tzinfo=UTC)
    assert day.end == datetime(2023, 9, 30, 5, 0, tzinfo=UTC)


def test_events_of_its_sensors_in_the_window_are_played_too(tmp_path: Path) -> None:
    after = an_event("BK-Canal-1", "2023-09-30T00:20:00.000", "2023-09-30T00:22:00.000", [1, 2, 0])
    day = a_day(tmp_path, WET, after)
    assert [event.start_time for event in day.events] == [WET["flood_start_time"], after["flood_start_time"]]
    assert len(day.of_day) == 1


def test_day_without_floods_and_unknown_sensor(tmp_path: Path) -> None:
    with pytest.raises(ScenarioInvalid, match="no event overlaps this day"):
        a_day(tmp_path, OTHER_DAY)
    with pytest.raises(ScenarioInvalid, match="sensor Z-9 has events on 2023-09-29 but no row"):
        a_day(tmp_path, {**WET, "sensor_id": "Z-9"})


def test_dry_readings_stand_ten_minutes_apart_and_never_within_an_event(tmp_path: Path) -> None:
    day = a_day(tmp_path)
    readings = readings_of(day, "BK-Canal-1")
    event = day.of_day[1]
    dry = [s.observed_at for s in readings if not event.start_at <= s.observed_at <= event.samples[-1].observed_at]
    assert dry[1] - dry[0] == timedelta(minutes=10)
    # Every instant of the ten-minute grid but those within the event, which lasts four minutes.
    grid = [dry[0] + timedelta(minutes=10 * n) for n in range((day.end - dry[0]) // timedelta(minutes=10) + 1)]
    assert dry == [at for at in grid if not event.start_at <= at <= event.samples[-1].observed_at]
    assert len(readings) == len(dry) + len(event.samples)
    assert len({s.observed_at for s in readings}) == len(readings)


def test_run_publishes_every_reading_in_the_minute_of_its_time(tmp_path: Path) -> None:
    day = a_day(tmp_path)
    run = floodnet_run(day)
    assert run.peak_at == datetime(2023, 9, 29, 12, 3, 10, tzinfo=UTC)
    before, published, expected = day.start, 0, 0
    for number, step in enumerate(run.steps):
        assert step.seq == number + 1
        expected += step.readings
        for message in step.messages:
            if message.topic.endswith("/status"):
                assert step.seq == 2
                assert message.retain
                continue
            observed_at = datetime.fromisoformat(orjson.loads(message.payload)["observed_at"])
            assert before < observed_at <= step.now
            published += 1
        before = step.now
    assert before == day.end
    assert published == sum(len(readings_of(day, sensor.sensor_id)) for sensor in day.sensors)
    assert expected == published + len(day.sensors)


def test_site_is_a_valid_file_of_underpasses(tmp_path: Path) -> None:
    day = a_day(tmp_path)
    site = floodnet_site(day.events, day.sensors)
    assert [space.id for space in site.spaces] == ["bk-canal-1", "q-shore-2"]
    assert {basin.id for basin in site.basins} == {"brooklyn", "queens"}
    path = tmp_path / "site.toml"
    path.write_text(site_toml(site), encoding="utf-8")
    assert load_site(path) == site


def test_two_sensors_with_one_identifier(tmp_path: Path) -> None:
    events = read_events(write_events(tmp_path / "e.csv", [{**WET, "sensor_id": "A b"}, {**WET, "sensor_id": "A-B"}]))
    sensors = read_sensors(write_sensors(tmp_path / "s.csv", [a_sensor("A b"), a_sensor("A-B")]))
    with pytest.raises(ScenarioInvalid, match="the same identifier"):
        floodnet_site(events, list(sensors.values()))


def test_truth_is_the_first_and_the_second_consecutive_sample(tmp_path: Path) -> None:
    # 6 in is 0.152 m. The first sample above stands alone; the second pair is the third and fourth.
    blip = an_event("BK-Canal-1", WET["flood_start_time"], WET["flood_end_time"], [0, 6, 0, 6, 6, 0])
    event = read_events(write_events(tmp_path / "e.csv", [blip]))[0]
    (found,) = crossings([event], 0.15)
    assert found.first_at == event.start_at + timedelta(minutes=1)
    assert found.second_at == event.start_at + timedelta(minutes=4)
    assert found.space_id == "bk-canal-1"
    assert crossings([event], 0.153) == []


def test_truth_of_a_flood_that_never_holds(tmp_path: Path) -> None:
    once = an_event("BK-Canal-1", WET["flood_start_time"], WET["flood_end_time"], [0, 9, 0])
    (found,) = crossings(read_events(write_events(tmp_path / "e.csv", [once])), 0.15)
    assert found.second_at is None
