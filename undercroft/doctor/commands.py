"""``undercroft doctor``."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Annotated
from urllib.parse import unquote, urlsplit

import typer

from undercroft.clock import SystemClock
from undercroft.doctor.access import INGEST, check_access_list
from undercroft.doctor.broker import check_certificate, check_sign_in
from undercroft.doctor.database import check_database
from undercroft.doctor.duty import check_duty_file
from undercroft.doctor.finding import Finding, Verdict, bad, note
from undercroft.doctor.grafana import check_grafana
from undercroft.doctor.machine import check_clock, check_disks, check_versions
from undercroft.doctor.mosquitto import check_configuration, has_bound_client_ids, path_of, read_configuration
from undercroft.doctor.roster import check_roster
from undercroft.errors import BadInput
from undercroft.settings import Settings

PARTS = ("machine", "database", "broker", "duty", "grafana")
NO_DUTY_FILE = note(
    "duty", "NOBODY CAN BE TOLD of an alarm by a notifier without a duty file; none was given", "name one with --duty"
)
_SIGNS = {Verdict.GOOD: "ok  ", Verdict.NOTE: "note", Verdict.BAD: "BAD "}


def register(app: typer.Typer) -> None:
    """Add ``undercroft doctor``."""
    app.command()(doctor)


def doctor(
    only: Annotated[
        list[str] | None, typer.Option(help="machine, database, broker, duty or grafana; default: all")
    ] = None,
    mosquitto: Annotated[
        Path | None, typer.Option(help="a mosquitto.conf to check, with the access list that it names", dir_okay=False)
    ] = None,
    grafana: Annotated[str | None, typer.Option(help="URL of a Grafana to check")] = None,
    duty: Annotated[
        Path | None, typer.Option(envvar="UNDERCROFT_DUTY_FILE", help="a duty file to check: can anybody be told?")
    ] = None,
    disk: Annotated[list[Path] | None, typer.Option(help="a folder whose disk to check; default: DATA_DIR")] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Answer in JSON.")] = False,
) -> None:
    """Check a deployment: versions, schema, policies, rights, clocks, certificates, queue limits, disk, who is told."""
    chosen = only or list(PARTS)
    if wrong := [part for part in chosen if part not in PARTS]:
        raise BadInput(f"--only {wrong[0]}: it is one of {', '.join(PARTS)}")
    found = examine(Settings(), chosen, mosquitto, grafana, disk, duty)
    if as_json:
        typer.echo(json.dumps([finding.as_json() for finding in found], ensure_ascii=False))
    else:
        for finding in found:
            advice = f"\n       -> {finding.advice}" if finding.advice else ""
            typer.echo(f"{_SIGNS[finding.verdict]}  {finding.check}: {finding.seen}{advice}")
    if any(finding.verdict is Verdict.BAD for finding in found):
        raise typer.Exit(1)


def examine(
    settings: Settings,
    parts: list[str],
    mosquitto: Path | None = None,
    grafana: str | None = None,
    disks: list[Path] | None = None,
    duty: Path | None = None,
) -> list[Finding]:
    """Return the findings of these parts."""
    clock = SystemClock()
    found: list[Finding] = []
    if "machine" in parts:
        found += check_versions() + check_disks(disks or [settings.data_dir]) + check_clock()
    if "database" in parts:
        if settings.database_url is None:
            found.append(
                note("database", "UNDERCROFT_DATABASE_URL is not set", "the embedded server is checked by `up`")
            )
        else:
            found += check_database(settings.database_url.get_secret_value(), clock.now())
    if "broker" in parts:
        found += _broker(settings, mosquitto, clock)
    if "duty" in parts:
        found += [NO_DUTY_FILE] if duty is None else check_duty_file(duty, os.environ)
        if settings.database_url is not None:
            found += check_roster(settings.database_url.get_secret_value(), clock.now(), duty)
    if "grafana" in parts and grafana is not None:
        found += check_grafana(grafana)
    return found


def _broker(settings: Settings, mosquitto: Path | None, clock: SystemClock) -> list[Finding]:
    found: list[Finding] = []
    ingest = INGEST
    if settings.mqtt_url is None:
        found.append(note("broker", "UNDERCROFT_MQTT_URL is not set", "the embedded broker is for demo and tests"))
    else:
        url = settings.mqtt_url.get_secret_value()
        ingest = unquote(urlsplit(url).username or "") or INGEST
        found += check_certificate(url, clock.now()) + check_sign_in(url)
    if mosquitto is not None:
        found += _configured(mosquitto, ingest)
    return found


def _configured(mosquitto: Path, ingest: str) -> list[Finding]:
    """Return the findings of a configuration and its access list, which may lie beside it here, not where it says."""
    if not mosquitto.exists():
        raise BadInput(f"{mosquitto}: no such file")
    configuration = read_configuration(mosquitto.read_text(encoding="utf-8"))
    found = check_configuration(configuration)
    named = path_of(configuration, "acl_file")
    if named is None:
        return found  # which was said
    for path in (Path(named), mosquitto.with_name(Path(named).name)):
        if path.exists():
            bound = has_bound_client_ids(configuration)
            return found + check_access_list(
                path.read_text(encoding="utf-8"), ingest=ingest, has_bound_client_ids=bound
            )
    return [
        *found,
        bad("access list", f"{named} is neither there nor beside {mosquitto}", "put it there to be looked at"),
    ]
