"""``undercroft doctor``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from undercroft.clock import SystemClock
from undercroft.doctor.broker import check_access_list, check_certificate, check_configuration, read_configuration
from undercroft.doctor.database import check_database
from undercroft.doctor.finding import Finding, Verdict, note
from undercroft.doctor.machine import check_disk, check_python
from undercroft.errors import BadInput
from undercroft.settings import Settings

PARTS = ("machine", "database", "broker")
_SIGNS = {Verdict.GOOD: "ok  ", Verdict.NOTE: "note", Verdict.BAD: "BAD "}


def register(app: typer.Typer) -> None:
    """Add ``undercroft doctor``."""
    app.command()(doctor)


def doctor(
    only: Annotated[list[str] | None, typer.Option(help="machine, database or broker; default: all")] = None,
    mosquitto: Annotated[
        Path | None, typer.Option(help="a mosquitto.conf to check, with its access list", dir_okay=False)
    ] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Answer in JSON.")] = False,
) -> None:
    """Check a deployment: versions, schema, policies, rights, clocks, certificates, queue limits, disk."""
    chosen = only or list(PARTS)
    if wrong := [part for part in chosen if part not in PARTS]:
        raise BadInput(f"--only {wrong[0]}: it is one of {', '.join(PARTS)}")
    found = examine(Settings(), chosen, mosquitto)
    if as_json:
        typer.echo(json.dumps([finding.as_json() for finding in found], ensure_ascii=False))
    else:
        for finding in found:
            advice = f"\n       -> {finding.advice}" if finding.advice else ""
            typer.echo(f"{_SIGNS[finding.verdict]}  {finding.check}: {finding.seen}{advice}")
    if any(finding.verdict is Verdict.BAD for finding in found):
        raise typer.Exit(1)


def examine(settings: Settings, parts: list[str], mosquitto: Path | None) -> list[Finding]:
    """Return the findings of these parts."""
    clock = SystemClock()
    found: list[Finding] = []
    if "machine" in parts:
        found += check_python() + check_disk(settings.data_dir)
    if "database" in parts:
        if settings.database_url is None:
            found.append(
                note("database", "UNDERCROFT_DATABASE_URL is not set", "the embedded server is checked by `up`")
            )
        else:
            found += check_database(settings.database_url.get_secret_value(), clock.now())
    if "broker" in parts:
        found += _broker(settings, mosquitto, clock)
    return found


def _broker(settings: Settings, mosquitto: Path | None, clock: SystemClock) -> list[Finding]:
    found: list[Finding] = []
    if settings.mqtt_url is None:
        found.append(note("broker", "UNDERCROFT_MQTT_URL is not set", "the embedded broker is for demo and tests"))
    else:
        found += check_certificate(settings.mqtt_url.get_secret_value(), clock.now())
    if mosquitto is not None:
        if not mosquitto.exists():
            raise BadInput(f"{mosquitto}: no such file")
        found += check_configuration(read_configuration(mosquitto))
        beside = mosquitto.with_name("acl")
        if beside.exists():
            found += check_access_list(beside.read_text(encoding="utf-8"))
    return found
