"""The sample district is what its users were promised."""

from __future__ import annotations

from collections import Counter

import pytest

from undercroft.model import SpaceKind
from undercroft.site.load import SiteFile, read_site_file, sample_site_path
from undercroft.site.model import Entrance
from undercroft.site.places import devices_of

STREETS = {"园岭", "南园", "福田", "沙头", "梅林", "华富", "香蜜湖", "莲花", "华强北", "福保"}


@pytest.fixture(scope="module")
def sample() -> SiteFile:
    return read_site_file(sample_site_path())


def _entrances(sample: SiteFile, kind: SpaceKind | None = None) -> list[Entrance]:
    return [e for space in sample.site.spaces if kind in {None, space.kind} for e in space.entrances]


def test_it_says_first_of_all_that_it_is_fictional() -> None:
    head = sample_site_path().read_text(encoding="utf-8").split("[district]")[0]
    assert "FICTIONAL" in head


def test_forty_spaces_of_all_kinds_in_all_street_offices(sample: SiteFile) -> None:
    kinds = Counter(space.kind for space in sample.site.spaces)
    assert kinds == {
        SpaceKind.CAR_PARK: 14,
        SpaceKind.METRO_ENTRANCE: 8,
        SpaceKind.UNDERPASS: 8,
        SpaceKind.MALL: 6,
        SpaceKind.CIVIL_DEFENCE: 4,
    }
    assert {space.street for space in sample.site.spaces} == STREETS
    assert {space.basin for space in sample.site.spaces} == {basin.id for basin in sample.site.basins}


def test_devices_and_gauges(sample: SiteFile) -> None:
    assert 200 <= len(list(devices_of(sample.site))) <= 230
    rained = {
        gauge.basin
        for gauge in sample.site.gauges
        for device in gauge.devices
        for sensor in device.sensors
        if sensor.quantity == "rain_total_mm"
    }
    assert rained == {basin.id for basin in sample.site.basins}


def test_crests_differ_by_kind(sample: SiteFile) -> None:
    steps = [e.crest_level_m - e.roadway_level_m for e in _entrances(sample, SpaceKind.METRO_ENTRANCE)]
    assert min(steps) > 0.295
    assert max(steps) < 0.455
    assert min(e.crest_level_m - e.roadway_level_m for e in _entrances(sample, SpaceKind.UNDERPASS)) < 0.05


def test_gaps_are_missing_barriers_only_and_few(sample: SiteFile) -> None:
    assert {gap.expected for gap in sample.gaps} == {"a flood barrier, since one is needed here"}
    assert 3 <= len(sample.gaps) <= len(_entrances(sample)) // 6


def test_some_supplies_are_short(sample: SiteFile) -> None:
    short = 0
    for space in sample.site.spaces:
        in_hand = {stock.item: stock.quantity for stock in space.stock}
        short += any(in_hand.get(need.item, 0.0) < need.quantity for need in space.requirements)
    assert 8 <= short < len(sample.site.spaces)
