"""Every folder under ``cases/native/``: a payload, and the readings and faults that come of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ingest.decode_native import decode_native
from tests.unit.ingest.test_foreign_cases import CASES, payload_of
from undercroft.errors import PayloadInvalid

FOLDERS = sorted(path.parent for path in (CASES / "native").glob("*/expected.json"))


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_case(folder: Path) -> None:
    found: dict[str, Any]
    try:
        readings, faults = decode_native(payload_of(folder))
    except PayloadInvalid as error:
        found = {"invalid": {"reason": error.reason, "detail": error.detail}}
    else:
        found = {
            "readings": [
                {"at": r.at, "quantity": r.quantity, "value": r.value, "observed_at": r.observed_us, "seq": r.seq}
                for r in readings
            ],
            "faults": [{"reason": fault.reason.value, "detail": fault.detail} for fault in faults],
        }
    assert found == json.loads((folder / "expected.json").read_text(encoding="utf-8"))


def test_single_pack_and_faults_have_cases() -> None:
    names = {folder.name for folder in FOLDERS}
    assert {"single", "pack", "pack-with-faults", "faults-beside-readings"} <= names
