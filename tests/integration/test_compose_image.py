"""The image's steps, without an engine: its own packages in a clean virtual environment, its files only."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def copied_by_the_image() -> list[str]:
    """Return the paths that the Dockerfile copies from the source tree."""
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    words = [match.split()[:-1] for match in re.findall(r"^COPY (?!--from)(.+)$", text, re.MULTILINE)]
    return [word for line in words for word in line]


def test_the_context_holds_what_is_copied_and_nothing_else() -> None:
    allowed = re.findall(r"^!(.+)$", (ROOT / ".dockerignore").read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(allowed) == sorted(copied_by_the_image())
    assert all((ROOT / path).exists() for path in allowed)


def test_every_package_of_the_wheel_is_in_the_image() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert set(project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]) <= set(copied_by_the_image())


def test_two_stages_and_no_root() -> None:
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    assert len(re.findall(r"^FROM python:3\.\d+\.\d+-slim-\w+", text, re.MULTILINE)) == 2
    assert text.rindex("USER 10001:10001") > text.rindex("FROM ")


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_steps_give_a_working_command_without_the_source_tree(tmp_path: Path) -> None:
    source, environment = tmp_path / "source", tmp_path / "venv"
    source.mkdir()
    for name in copied_by_the_image():
        path = ROOT / name
        if path.is_dir():
            shutil.copytree(path, source / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(path, source / name)
    subprocess.run([sys.executable, "-m", "venv", str(environment)], check=True)
    python = str(environment / "bin/python")
    for words in (["-r", "requirements.txt"], ["--no-deps", "--no-build-isolation", "."]):
        done = subprocess.run(
            [python, "-m", "pip", "install", "-q", *words], cwd=source, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr[-2000:]
    shutil.rmtree(source)
    for words in (["version"], ["dashboards", "build", "--check"], ["doctor", "--only", "machine"], ["site", "schema"]):
        done = subprocess.run(
            [environment / "bin/undercroft", *words], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        # A machine may be ill: a full disk, a clock that nothing holds.
        ill = words[0] == "doctor" and "BAD " in done.stdout
        assert done.returncode == int(ill), (words, done.stderr[-2000:])
