"""The production stack, checked without a container engine: schema, paths, variables, secrets, logins."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from api.app import create_app
from duty.file import DutyFile, load_duty_file
from ingest.broker import parse_broker_url
from ingest.canary import voice_of
from tests.integration.compose_kit import made_secrets, run_logins_script
from undercroft.cli import build_app
from undercroft.clock import SystemClock
from undercroft.errors import StoreRejected, StoreUnavailable
from undercroft.model import Mode
from undercroft.settings import Settings
from undercroft.site import load_site, sample_site_path
from undercroft.stack.postgres import PostgresServer
from undercroft.store.connection import connect
from undercroft.store.databases import create_database, drop_database, migrate_database

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if service["image"].startswith("undercroft:")}
OF_OTHERS = {"SSL_CERT_FILE": "OpenSSL's own"}
TOOLS = ("doctor",)
"""Run only when asked for."""
LOGINS = ("ingest", "engine", "duty", "api", "acts")


def test_it_is_a_compose_file_by_the_specification() -> None:
    command = [
        sys.executable,
        "-m",
        "check_jsonschema",
        "--builtin-schema",
        "vendor.compose-spec",
        "docker-compose.yml",
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_images_are_pinned_and_services_are_limited_checked_and_restarted() -> None:
    for name, service in SERVICES.items():
        assert re.search(r":v?\d+(\.\d+)+[\w.-]*$", service["image"]), service["image"]
        assert service["deploy"]["resources"]["limits"].keys() == {"cpus", "memory"}, name
        restart = {"migrate": "on-failure", **dict.fromkeys(TOOLS, "no")}
        assert service["restart"] == restart.get(name, "unless-stopped")
        assert "healthcheck" in service or name in {"migrate", *TOOLS}
        assert "no-new-privileges:true" in service["security_opt"]
        assert service["cap_drop"] == ["ALL"]
        assert ("profiles" in service) == (name in TOOLS)
        assert "privileged" not in service


def test_the_database_is_healthy_only_when_it_listens_to_others() -> None:
    """While the image makes its database, PostgreSQL listens on its socket alone, and is then stopped."""
    test = SERVICES["timescaledb"]["healthcheck"]["test"]
    assert test[:2] == ["CMD", "pg_isready"]
    assert test[test.index("-h") + 1] == "127.0.0.1"


def test_our_services_cannot_write_and_have_no_rights() -> None:
    assert set(OURS) == {"migrate", "ingest", "canary", "risk", "duty", "watch", "api", *TOOLS}
    for service in OURS.values():
        assert service["read_only"] is True
        assert "cap_add" not in service


def test_every_mounted_path_exists() -> None:
    for service in SERVICES.values():
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            if source.startswith("."):
                assert (ROOT / source).exists(), source
                assert volume.endswith(":ro"), volume
            else:
                assert source in COMPOSE["volumes"], source


def test_every_variable_of_our_services_is_a_setting() -> None:
    known = {f"UNDERCROFT_{name.upper()}" for name in Settings.model_fields}
    for service in OURS.values():
        for name in service.get("environment", {}):
            assert name in known or name in OF_OTHERS, name
        for secret in service.get("secrets", []):
            target = secret["target"] if isinstance(secret, dict) else secret
            assert target.upper() in known or target == "mqtt_ca.crt", target


def test_commands_of_our_services_are_commands() -> None:
    for service in OURS.values():
        for command in (service["command"], service.get("healthcheck", {}).get("test", ["", "undercroft"])[2:]):
            if command:
                done = CliRunner().invoke(build_app(command[0]), [*command, "--help"])
                assert done.exit_code == 0, (command, done.output)


def test_only_devices_reach_the_broker_and_only_services_the_database() -> None:
    assert [name for name, service in SERVICES.items() if "devices" in service["networks"]] == ["mosquitto"]
    assert COMPOSE["networks"]["data"]["internal"] is True
    assert COMPOSE["networks"]["broker"]["internal"] is True
    assert SERVICES["mosquitto"]["ports"] == ["8883:8883"]
    assert {"UNDERCROFT_API_TRUSTED_PROXIES"} <= SERVICES["api"]["environment"].keys()  # deployment.md has it named
    for name in ("api", "grafana"):
        assert all(port.startswith("127.0.0.1:") for port in SERVICES[name]["ports"])
    assert "ports" not in SERVICES["timescaledb"]


def test_the_doctor_of_the_stack_finds_the_configuration_good_that_the_broker_has() -> None:
    there = {volume.split(":")[1]: volume.split(":")[0] for volume in SERVICES["doctor"]["volumes"]}
    (path,) = (word.split("=")[1] for word in SERVICES["doctor"]["command"] if word.startswith("--mosquitto="))
    assert there[path] == "./deploy/mosquitto/mosquitto.conf"
    assert there[str(Path(path).with_name("acl"))] == "./deploy/mosquitto/acl"
    assert SERVICES["doctor"]["env_file"] == SERVICES["duty"]["env_file"]  # it says what of the duty file is not set
    disks = [word.split("=")[1] for word in SERVICES["doctor"]["command"] if word.startswith("--disk=")]
    assert sorted(there[disk] for disk in disks) == ["database", "grafana", "queue"]
    command = ["doctor", "--only", "broker", f"--mosquitto={ROOT / there[path]}"]
    done = CliRunner().invoke(build_app("doctor"), command)
    assert done.exit_code == 0, done.output


def test_with_the_duty_file_as_it_comes_the_doctor_is_loud_and_the_dead_man_does_not_start() -> None:
    path = str(ROOT / "deploy/duty/duty.toml")
    done = CliRunner().invoke(build_app("doctor"), ["doctor", "--only", "duty", "--duty", path])
    assert done.exit_code == 1
    assert "NOBODY CAN BE TOLD" in done.output
    for more in ([], ["--config", path]):
        command = [sys.executable, "-m", "undercroft", "watch", *more]
        ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        assert ended.returncode == 2
        assert "no fallback: nobody can be told" in ended.stderr


def test_the_duty_file_of_the_stack_is_one() -> None:
    assert load_duty_file(ROOT / "deploy/duty/duty.toml").channels == ()
    commented = (ROOT / "deploy/duty/duty.toml").read_text(encoding="utf-8").replace("\n# ", "\n")
    assert "[[channel]]" in commented  # what stands there as an example is one, too
    example = DutyFile.model_validate(tomllib.loads(commented[commented.index("\nfallback") :]))
    assert [reach.channel for reach in example.fallback_reach()] == [example.channels[0].id]


def test_grafanas_contact_point_is_our_own_receiver_unless_another_is_named() -> None:
    url = SERVICES["grafana"]["environment"]["UNDERCROFT_ALERT_WEBHOOK_URL"]
    assert re.fullmatch(r"\$\{UNDERCROFT_ALERT_WEBHOOK_URL:-http://api:8000(/api/v1/[a-z-]+)\}", url)
    path = url.removesuffix("}").split(":8000")[1]
    assert "post" in create_app("postgresql://localhost/none", SystemClock()).openapi()["paths"][path]
    assert SERVICES["api"]["environment"]["UNDERCROFT_API_PORT"] == "8000"
    file = yaml.safe_load((ROOT / "deploy/grafana/provisioning/alerting/undercroft.yaml").read_text(encoding="utf-8"))
    (receiver,) = file["contactPoints"][0]["receivers"]
    path = receiver["settings"]["password"].removeprefix("$__file{").removesuffix("}")
    (source,) = (secret["source"] for secret in SERVICES["grafana"]["secrets"][1:] if secret["target"] == path)
    assert {"source": source, "target": "undercroft_alert_webhook_token"} in SERVICES["api"]["secrets"]
    assert set(SERVICES["grafana"]["networks"]) & set(SERVICES["api"]["networks"])


def test_secrets_are_those_that_compose_names_and_stay_when_made_again(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    made_secrets(folder)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert folder.stat().st_mode & 0o777 == 0o700
    for secret in COMPOSE["secrets"].values():
        name = Path(secret["file"]).name
        assert name in before
        assert (folder / name).stat().st_mode & 0o777 == 0o644, name  # each container reads as a user of its own
    assert (folder / "mqtt_ca.key").stat().st_mode & 0o777 == 0o600
    (folder / "mosquitto_passwords").chmod(0o600)  # by an earlier version under that mask
    folder.chmod(0o755)
    passwords = [before[name] for name in before if name.endswith("_password")]
    assert len(set(passwords)) == len(passwords)
    made_secrets(folder)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert [path.stat().st_mode & 0o777 for path in (folder, folder / "mosquitto_passwords")] == [0o700, 0o644]


def test_a_lost_certificate_is_made_by_the_authority_that_devices_know_and_without_its_key_by_none(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "secrets"
    made_secrets(folder)
    known = {name: (folder / name).read_bytes() for name in ("mqtt_ca.crt", "mqtt_ca.key", "mqtt_server.key")}
    (folder / "mqtt_server.crt").unlink()
    made_secrets(folder)
    assert {name: (folder / name).read_bytes() for name in known} == known
    (folder / "mqtt_server.crt").unlink()
    (folder / "mqtt_ca.key").unlink()
    command = [sys.executable, str(ROOT / "deploy/make_secrets.py"), "--renew", "--folder", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == f"{folder}/mqtt_ca.key is missing: put it back from where it is kept, and run this again\n"
    assert not (folder / "mqtt_server.crt").exists()


def test_the_canary_of_the_stack_is_the_device_that_the_sample_names_and_the_broker_knows(tmp_path: Path) -> None:
    made_secrets(tmp_path / "secrets")
    url = parse_broker_url((tmp_path / "secrets/canary_mqtt_url").read_text(encoding="utf-8").strip())
    voice = voice_of(load_site(sample_site_path()))
    assert voice is not None
    assert voice.topic.split("/")[4] == url.username
    known = (tmp_path / "secrets/mosquitto_passwords").read_text(encoding="utf-8").splitlines()
    assert [line.split(":")[0] for line in known] == ["undercroft-ingest", url.username]


def run_secrets(folder: Path, *words: str) -> tuple[int, str]:
    command = [sys.executable, str(ROOT / "deploy/make_secrets.py"), *words, "--folder", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stderr


def fits(folder: Path, url_file: str) -> bool:
    """Tell whether the broker's file has the password of a URL, by PBKDF2 computed here."""
    url = parse_broker_url((folder / url_file).read_text(encoding="utf-8").strip())
    lines = (folder / "mosquitto_passwords").read_text(encoding="utf-8").splitlines()
    (fields,) = (line.split("$") for line in lines if line.startswith(f"{url.username}:"))
    digest = hashlib.pbkdf2_hmac("sha512", str(url.password).encode(), base64.b64decode(fields[3]), int(fields[2]))
    return base64.b64encode(digest).decode() == fields[4]


def test_no_device_takes_the_name_of_one_of_ours_and_no_port_is_part_of_a_host(tmp_path: Path) -> None:
    made_secrets(tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    for name, file in (("undercroft-ingest", "mqtt_url"), ("canary-1", "canary_mqtt_url")):
        code, said = run_secrets(tmp_path, "--device", name)
        assert (code, f"delete {tmp_path}/{file}" in said) == (2, True)
    for wrong in ("broker.example.org:8883", "mqtts://broker.example.org", "a b"):
        code, said = run_secrets(tmp_path, "--renew", wrong)
        assert (code, said.count("\n")) == (2, 1)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
    for right in ("fe80::1", "10.0.0.7", "localhost"):
        assert run_secrets(tmp_path, "--renew", right) == (0, "")


def test_a_password_stands_the_same_in_both_of_its_files_whichever_was_lost(tmp_path: Path) -> None:
    made_secrets(tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    for lost in ("owner_password", "api_password", "acts_url"):
        (tmp_path / lost).unlink()
    assert run_secrets(tmp_path, "broker.example.org") == (0, "")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
    (tmp_path / "mosquitto_passwords").unlink()
    code, said = run_secrets(tmp_path, "broker.example.org")
    assert code == 0
    assert said == f"{tmp_path}/mosquitto_passwords was lost: every device needs a new password, --device ID\n"
    assert fits(tmp_path, "mqtt_url")
    assert fits(tmp_path, "canary_mqtt_url")
    for lost in ("mqtt_url", "canary_mqtt_url"):
        (tmp_path / lost).unlink()
        assert run_secrets(tmp_path, "broker.example.org") == (0, "")
        assert (tmp_path / lost).read_bytes() != before[lost]
        assert fits(tmp_path, lost)
    (tmp_path / "owner_password").write_text("another\n", encoding="utf-8")
    code, said = run_secrets(tmp_path, "broker.example.org")
    assert code == 1
    assert "owner_url and owner_password beside it differ" in said


def test_settings_are_read_from_secret_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "undercroft_database_url").write_text("postgresql://from-file/x\n", encoding="utf-8")
    monkeypatch.setattr("undercroft.settings.SECRETS_DIR", tmp_path)
    monkeypatch.delenv("UNDERCROFT_DATABASE_URL", raising=False)
    found = Settings().database_url
    assert found is not None
    assert found.get_secret_value() == "postgresql://from-file/x"
    monkeypatch.setenv("UNDERCROFT_DATABASE_URL", "postgresql://from-environment/x")
    found = Settings().database_url
    assert found is not None
    assert found.get_secret_value() == "postgresql://from-environment/x"


@pytest.fixture
def initialised(postgres: PostgresServer, tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """Run the image's script of logins against a database of the embedded server; its name and the secrets."""
    folder, name = tmp_path / "secrets", "compose_logins"
    made_secrets(folder)
    create_database(postgres.url(), name)
    run_logins_script(postgres, name, folder)
    yield name, folder
    drop_database(postgres.url(), name)


def test_logins_have_the_rights_of_their_service_and_grafana_sees_views_only(
    initialised: tuple[str, Path], postgres: PostgresServer
) -> None:
    name, folder = initialised
    migrate_database(postgres.url(name), Mode.LIVE)

    def url(login: str, file: str) -> str:
        return postgres.url(name, login, (folder / file).read_text(encoding="utf-8").strip())

    with connect(url("grafana", "grafana_db_password"), application_name="tests", autocommit=True) as grafana:
        assert grafana.execute("select count(*) as n from grafana.space").fetchone() == {"n": 0}
        for refused in (
            "select * from public.observation",
            "select payload from public.dead_letter",
            "create table x ()",
            "select pg_advisory_lock(hashtext('undercroft'), hashtext('duty_log'))",
            "select lo_from_bytea(0, 'x')",
        ):
            for more in ("select 1", "set default_transaction_read_only = off"):  # which it may
                grafana.execute(more.encode())
                with pytest.raises(Exception, match=r"permission denied"):
                    grafana.execute(refused.encode())
    password = (folder / "grafana_db_password").read_text(encoding="utf-8").strip()
    with pytest.raises((StoreUnavailable, StoreRejected), match="permission denied for database"):
        connect(postgres.url("postgres", "grafana", password), application_name="tests")
    with connect(url("ingest", "ingest_password"), application_name="tests", autocommit=True) as ingest:
        assert ingest.execute("select count(*) as n from observation").fetchone() == {"n": 0}
        with pytest.raises(Exception, match="permission denied"):
            ingest.execute("select * from alarm")
    with connect(url("duty", "duty_password"), application_name="tests", autocommit=True) as duty:
        assert duty.execute("select count(*) as n from notification").fetchone() == {"n": 0}
        with pytest.raises(Exception, match="permission denied"):
            duty.execute("insert into tick (tick_seq, tick_at, up_to_commit_seq) values (1, now(), 0)")
    with connect(url("acts", "acts_password"), application_name="tests", autocommit=True) as acting:
        assert acting.execute("select count(*) as n from act").fetchone() == {"n": 0}
        with pytest.raises(Exception, match="permission denied"):
            acting.execute("update operator set role = 'admin'")
    with pytest.raises((StoreUnavailable, StoreRejected)):
        connect(postgres.url(name, "api", "wrong"), application_name="tests")


def test_the_health_check_of_every_login_passes_and_sees_what_is_wrong(
    initialised: tuple[str, Path], postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, folder = initialised
    migrate_database(postgres.url(name), Mode.LIVE)
    sources = [secret["source"] for each in OURS.values() for secret in each["secrets"] if isinstance(secret, dict)]
    logins = sorted({source.removesuffix("_url") for source in sources if source.endswith("_url")} & set(LOGINS))
    assert logins == sorted(LOGINS)
    checks = {tuple(each["healthcheck"]["test"]) for each in OURS.values() if "healthcheck" in each}
    base = ("CMD", "undercroft", "doctor", "--only", "database")
    told = (*base, "--only", "duty", "--duty", "/etc/undercroft/duty.toml")
    assert checks == {base, told}
    assert {name for name in OURS if OURS[name].get("healthcheck", {}).get("test") == [*told]} == {"duty", "watch"}

    def bad(login: str) -> list[str]:
        password = (folder / f"{login}_password").read_text(encoding="utf-8").strip()
        monkeypatch.setenv("UNDERCROFT_DATABASE_URL", postgres.url(name, login, password))
        done = CliRunner().invoke(build_app("doctor"), ["doctor", "--only", "database", "--json"])
        found = {each["check"]: each for each in json.loads(done.stdout)}
        # This suite's server runs without fsync, which the doctor must not like.
        assert (done.exit_code, found.pop("database")["verdict"]) == (1, "bad")
        return [check for check, each in found.items() if each["verdict"] == "bad"]

    assert [bad(login) for login in logins] == [[]] * 5
    with connect(postgres.url(name), application_name="tests", autocommit=True) as owner:
        owner.execute(
            "insert into batch (batch_id, commit_seq, lane, messages, readings, stored, duplicates, conflicts,"
            " dead_letters, committed_at) values (1, 1, 'routine', 1, 1, 1, 0, 0, 0, now() - interval '40 days')"
        )
        owner.execute("update retention_class set looked_at = now() - interval '3 days' where relation = 'batch'")
        owner.execute("grant select on tick to undercroft_grafana")
        assert [bad(login) for login in logins] == [["retention", "rights"]] * 5
        owner.execute(
            "revoke select on tick from undercroft_grafana; delete from batch; grant pg_read_all_data to grafana"
        )
        assert [bad(login) for login in logins] == [["rights"]] * 5
        owner.execute("revoke pg_read_all_data from grafana; delete from schema_migration where version = 1")
        assert [bad(login) for login in logins] == [["schema"]] * 5


def test_the_documents_name_the_least_compose_that_reads_the_file() -> None:
    """`required` of an env_file came with Docker Compose 2.24.0 (Compose file reference, `env_file`, `required`)."""
    assert any(entry.get("required") is False for entry in SERVICES["duty"]["env_file"])
    for name in ("README.md", "docs/operations/deployment.md"):
        assert "2.24 or newer" in (ROOT / name).read_text(encoding="utf-8"), name
