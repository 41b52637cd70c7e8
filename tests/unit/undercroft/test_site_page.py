"""The page on the site file: its example is a sound file, and it names every table there is."""

from __future__ import annotations

import json
import re
from pathlib import Path

from tests.meta.repository import ROOT
from undercroft.site import load_site

PAGE = (ROOT / "docs" / "site-file.md").read_text(encoding="utf-8")


def example() -> str:
    found = re.search(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    assert found is not None
    return found[1]


def test_the_example_is_a_sound_site_file(tmp_path: Path) -> None:
    path = tmp_path / "site.toml"
    path.write_text(example(), encoding="utf-8")
    site = load_site(path)
    assert [space.id for space in site.spaces] == ["cp-01"]
    assert len(site.spaces[0].devices) == 3


def test_the_page_names_every_table_and_every_kind_of_space() -> None:
    schema = json.loads((ROOT / "undercroft" / "site" / "site.schema.json").read_text(encoding="utf-8"))
    missing = [name for name in schema["properties"] if f"[{name}]" not in PAGE]
    fields = [name for name in schema["$defs"]["Space"]["properties"] if name not in PAGE]
    kinds = [kind for kind in schema["$defs"]["SpaceKind"]["enum"] if kind not in PAGE]
    assert (missing, fields, kinds) == ([], [], [])
