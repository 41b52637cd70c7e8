"""What is installed: our names are ours alone, every version is pinned, settings have their manual."""

from __future__ import annotations

import ast
import re
import sys
from importlib.metadata import distributions, packages_distributions
from pathlib import Path

from tests.meta.repository import ROOT, pyproject, tracked_files
from undercroft.settings import Settings

TOP_LEVEL = set(pyproject()["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"])


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_nobody_else_owns_our_names() -> None:
    owners = {
        (name, distribution.metadata["Name"])
        for distribution in distributions()
        for name in {str(path).split("/")[0].removesuffix(".py") for path in distribution.files or []}
        if name in TOP_LEVEL and distribution.metadata["Name"] != "undercroft"
    }
    assert owners == set()
    assert {"undercroft", "ingest", "risk", "api", "simulators"} <= TOP_LEVEL


def test_every_requirement_is_pinned() -> None:
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    pins = [line for line in lines if line and not line.startswith("#")]
    assert [line for line in pins if not re.fullmatch(r"[A-Za-z0-9._-]+==[0-9][A-Za-z0-9.!+]*", line)] == []
    assert len({normal(line.split("==")[0]) for line in pins}) == len(pins)


def test_every_dependency_is_among_the_pins() -> None:
    project = pyproject()
    asked = project["project"]["dependencies"] + project["dependency-groups"]["dev"]
    asked += project["build-system"]["requires"]
    pinned = {
        normal(line.split("==")[0]) for line in (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    }
    names = {normal(re.split(r"[\[<>=!~; ]", requirement)[0]) for requirement in asked}
    assert names - pinned == set()


def test_every_setting_is_in_its_manual() -> None:
    manual = (ROOT / ".env.example").read_text(encoding="utf-8")
    named = set(re.findall(r"^#?(UNDERCROFT_[A-Z_]+)=", manual, re.MULTILINE))
    settings = {f"UNDERCROFT_{name.upper()}" for name in Settings.model_fields}
    assert settings - named == set()
    assert named - settings == {"UNDERCROFT_FLOODNET_DIR", "UNDERCROFT_NO_SKIP"}


def test_the_manual_tells_the_defaults() -> None:
    manual = dict(re.findall(r"^#(UNDERCROFT_[A-Z_]+)=(.*)$", (ROOT / ".env.example").read_text("utf-8"), re.MULTILINE))
    for name, field in Settings.model_fields.items():
        if field.default_factory is None and field.default is not None:
            assert manual[f"UNDERCROFT_{name.upper()}"] == str(field.default), name


def test_every_import_is_pinned() -> None:
    pinned = {
        normal(line.split("==")[0]) for line in (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    }
    owners = packages_distributions()
    own = TOP_LEVEL | {"tests"} | set(sys.stdlib_module_names)
    missing = set()
    for path in tracked_files():
        if path.suffix == ".py":
            for module in imported(path) - own:
                if not {normal(owner) for owner in owners.get(module, [])} & pinned:
                    missing.add(f"{path.relative_to(ROOT)}: {module}")
    assert missing == set()


def imported(path: Path) -> set[str]:
    """Return the top-level modules that a file imports."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.split(".")[0])
    return found


def test_every_command_is_tracked() -> None:
    tracked = {str(path.relative_to(ROOT)) for path in tracked_files()}
    modules = {value.split(":")[0] for value in pyproject()["project"]["entry-points"]["undercroft.commands"].values()}
    assert {f"{module.replace('.', '/')}.py" for module in modules} - tracked == set()
