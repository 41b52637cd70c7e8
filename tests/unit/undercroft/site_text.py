"""A small valid site file that tests change one line of."""

from __future__ import annotations

from pathlib import Path

import pytest

from undercroft.site.load import load_site
from undercroft.site.problems import Located, SiteProblems

SITE_TEXT = """\
[district]
id = "futian"
name_zh = "福田区"
name_en = "Futian"
datum = "metres over a fictional local zero"

[[basin]]
id = "b1"
name_zh = "一"
name_en = "One"

[[space]]
id = "s1"
name_zh = "一"
name_en = "One"
street = "福田"
lat = 22.5
lon = 114.0
kind = "car_park"
basin = "b1"
floor_level_m = 1.0
storage = [{ depth_m = 0, area_m2 = 1000 }]
stock = [{ item = "sandbag", quantity = 10 }]
requirements = [{ item = "sandbag", quantity = 10 }]
devices = [
  { id = "s1-in", sensors = [{ quantity = "water_depth_m" }] },
  { id = "s1-n", sensors = [
    { quantity = "water_depth_m", entrance = "n" },
    { quantity = "barrier_state", entrance = "n" },
  ] },
]

[[space.entrances]]
id = "n"
name_zh = "北"
name_en = "North"
width_m = 6
crest_level_m = 4.2
roadway_level_m = 4.0
barrier = { height_m = 0.6, deploy_min = 10 }

[[space.pumps]]
id = "p1"
capacity_m3_s = 0.02
on_depth_m = 0.2
off_depth_m = 0.05

[[gauge]]
id = "g1"
name_zh = "雨量"
name_en = "Rain"
street = "福田"
lat = 22.5
lon = 114.0
basin = "b1"
devices = [{ id = "g1-rain", sensors = [{ quantity = "rain_total_mm" }] }]

[[threshold_set]]
id = "local"
author = "duty office"
source = "drill of 2026"
valid_from = 2026-07-01T08:00:00+08:00

[[threshold_set.rows]]
rule = "inside-depth"
space = "s1"
severity = "red"
value = 0.25
unit = "m"
source = "drill of 2026"
"""


def write_site(folder: Path, text: str = SITE_TEXT) -> Path:
    """Write ``site.toml`` and return its path."""
    path = folder / "site.toml"
    path.write_text(text, encoding="utf-8")
    return path


def changed(old: str, new: str, text: str = SITE_TEXT) -> str:
    """Return the text with its first ``old`` replaced; fail when there is none."""
    assert old in text, old
    return text.replace(old, new, 1)


def problems_of(folder: Path, text: str) -> list[Located]:
    """Load a wrong text and return its problems; the message tells each of them on a line of its own."""
    with pytest.raises(SiteProblems) as caught:
        load_site(write_site(folder, text))
    assert str(caught.value) == "\n".join(str(problem) for problem in caught.value.problems)
    return list(caught.value.problems)
