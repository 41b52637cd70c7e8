"""Settings from the environment, prefix ``UNDERCROFT_``. ``.env.example`` is their manual."""

from __future__ import annotations

import os
import re
from ipaddress import ip_network
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SecretsSettingsSource,
    SettingsConfigDict,
)


def default_data_dir() -> Path:
    """Where embedded servers keep their data unless ``UNDERCROFT_DATA_DIR`` says otherwise."""
    if os.geteuid() == 0:
        return Path("/var/lib/undercroft")
    return Path(os.environ.get("XDG_DATA_HOME", Path.home() / ".local/share")) / "undercroft"


SECRETS_DIR = Path("/run/secrets")
"""Where a container finds secrets as files named like the variables, in small letters."""


MOST_PORT = 65_535


class Settings(BaseSettings):
    """What a process needs to know before it starts."""

    model_config = SettingsConfigDict(env_prefix="UNDERCROFT_", frozen=True, extra="ignore")

    database_url: SecretStr | None = Field(None, description="PostgreSQL URL; unset: embedded server in DATA_DIR")
    acts_database_url: SecretStr | None = Field(
        None, description="PostgreSQL URL by which the API passes on what people do; unset: it only reads"
    )
    mqtt_url: SecretStr | None = Field(None, description="mqtt://user:password@host:port; unset: embedded broker")
    data_dir: Path = Field(default_factory=default_data_dir, description="state of embedded servers")
    api_host: str = Field("127.0.0.1", description="address that the page and the API listen on")
    api_port: int = Field(8000, ge=0, le=65535, description="port of the page and the API; 0 takes a free one")
    api_trusted_proxies: str = Field(
        "", description="addresses, by comma, of proxies whose X-Forwarded-For says from where somebody acts"
    )
    alert_webhook_token: SecretStr | None = Field(
        None, min_length=16, description="what Grafana's contact point shows to the API; unset: no alert is taken"
    )
    batch_max_messages: int = Field(1000, ge=1, le=10_000, description="ingest commits at this many messages")
    batch_max_wait_ms: int = Field(10, ge=1, le=10_000, description="or after this time, when the writer is idle")
    ingest_metrics_port: int | None = Field(
        None, ge=0, le=65535, description="loopback port of ingest's /metrics; unset: none, 0 takes a free one"
    )
    log_format: Literal["text", "json"] = Field("text", description="key=value lines, or JSON lines")

    @field_validator(
        "database_url", "acts_database_url", "mqtt_url", "ingest_metrics_port", "alert_webhook_token", mode="before"
    )
    @classmethod
    def _empty_is_unset(cls, value: object) -> object:
        return None if value == "" else value

    @field_validator("mqtt_url")
    @classmethod
    def _speaks_mqtt(cls, url: SecretStr | None) -> SecretStr | None:
        if url is not None and not re.fullmatch(r"mqtts?://[^/\s]*[^/\s@:](:\d+)?/?", url.get_secret_value()):
            raise ValueError("expected mqtt://user:password@host:port")
        if url is not None and (port := re.search(r":(\d+)/?$", url.get_secret_value())) and int(port[1]) > MOST_PORT:
            raise ValueError(f"expected mqtt://user:password@host:port, the port at most {MOST_PORT}")
        return url

    @field_validator("api_trusted_proxies")
    @classmethod
    def _names_addresses(cls, text: str) -> str:
        for entry in text.split(",") if text.strip() else []:
            try:
                ip_network(entry.strip())
            except ValueError as error:
                raise ValueError(
                    f"{entry!r} is no address: expected addresses or networks by comma, such as 10.0.0.7, 10.1.0.0/16"
                ) from error
        return text

    @field_validator("data_dir", mode="before")
    @classmethod
    def _empty_is_the_default(cls, value: object) -> object:
        return default_data_dir() if value == "" else value

    @field_validator("database_url", "acts_database_url")
    @classmethod
    def _names_a_postgresql(cls, url: SecretStr | None) -> SecretStr | None:
        if url is not None and not re.match(r"postgres(ql)?://|\s*\w+\s*=", url.get_secret_value()):
            raise ValueError("expected postgresql://user:password@host:port/database")
        return url

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read the environment first, then files of secrets: ``/run/secrets/undercroft_database_url``."""
        del dotenv_settings, file_secret_settings
        if not SECRETS_DIR.is_dir():
            return init_settings, env_settings
        return init_settings, env_settings, SecretsSettingsSource(settings_cls, secrets_dir=SECRETS_DIR)
