"""The duty file: channels, intervals, fallback. Secrets are named by environment variable and never written in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from duty.model import Policy, Reach
from duty.reports.reports import Limits
from duty.senders.base import Sender
from undercroft.errors import BadInput
from undercroft.model import Severity
from undercroft.toml_text import read_toml


class DutyFileInvalid(BadInput):
    """The duty file cannot be used as it is."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


Minutes = Annotated[float, Field(gt=0, le=24 * 60)]


class Intervals(_Part):
    """How long each severity may wait for somebody. [min]"""

    red_min: Minutes = 3
    orange_min: Minutes = 10
    yellow_min: Minutes = 30

    def policy(self) -> Policy:
        """Return them as the decision takes them."""
        minutes = {Severity.RED: self.red_min, Severity.ORANGE: self.orange_min, Severity.YELLOW: self.yellow_min}
        return Policy(interval={severity: timedelta(minutes=value) for severity, value in minutes.items()})


class ReportTimes(_Part):
    """When reports of an incident are due. [min]; the defaults are those of one published plan (domain notes 7)."""

    first_phone_min: Minutes = 30
    first_written_min: Minutes = 120
    follow_up_every_min: Minutes = 120
    final_after_end_min: Annotated[float, Field(gt=0, le=30 * 24 * 60)] = 24 * 60
    from_level: Literal["yellow", "orange", "red"] = "orange"
    """The level from which an incident has to be reported."""

    def limits(self) -> Limits:
        """Return them as the drafting takes them."""
        return Limits(
            timedelta(minutes=self.first_phone_min), timedelta(minutes=self.first_written_min),
            timedelta(minutes=self.follow_up_every_min), timedelta(minutes=self.final_after_end_min),
            Severity[self.from_level.upper()],
        )  # fmt: skip


NEEDED: Mapping[str, tuple[str, ...]] = {
    "wecom": ("url_env",), "dingtalk": ("url_env", "secret_env"), "feishu": ("url_env", "secret_env"),
    "webhook": ("url_env", "secret_env"), "smtp": (), "apprise": ("url_env",),
}  # fmt: skip
"""Kind of channel -> what it has to name; a mail server with a ``user`` needs ``secret_env`` too."""


PACE: Mapping[str, tuple[int, int | None]] = {"feishu": (90, 4)}
"""Kind of channel -> sends a minute and a second, a little under what it publishes: Feishu allows 100 and 5."""
ANY_PACE = (18, None)
"""WeCom and DingTalk allow 20 a minute."""


class Channel(_Part):
    """One way out. ``*_env`` name the environment variables that hold URL and secret."""

    id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")]
    kind: Literal["wecom", "dingtalk", "feishu", "webhook", "smtp", "apprise"]
    url_env: str = ""
    secret_env: str = ""
    host: str = "localhost"
    port: Annotated[int, Field(ge=1, le=65535)] = 587
    sender: str = "undercroft@localhost"
    user: str = ""
    security: Literal["none", "starttls", "tls"] = "starttls"
    per_minute: Annotated[int, Field(ge=1, le=10_000)] | None = None
    """Messages a minute that the service allows; above it messages merge. Default: 18, of Feishu 90."""
    per_second: Annotated[int, Field(ge=1, le=1_000)] | None = None
    """The same in a second. Default: no limit, of Feishu 4."""
    timeout_s: Annotated[float, Field(gt=0, le=60)] = 5.0
    """How long an attempt may take in all; a second later it is left, whatever it hangs in."""

    @property
    def pace(self) -> tuple[int, int | None]:
        """How many it sends in a minute and in a second at most."""
        minute, second = PACE.get(self.kind, ANY_PACE)
        return self.per_minute or minute, self.per_second or second

    @model_validator(mode="after")
    def _names_what_it_needs(self) -> Self:
        needed = NEEDED[self.kind] + (("secret_env",) if self.kind == "smtp" and self.user else ())
        missing = [name for name in needed if not getattr(self, name)]
        if missing:
            words = f"channel {self.id}: {self.kind} needs {' and '.join(missing)}, the name of an environment variable"
            raise PydanticCustomError("not_named", "{words}", {"words": words})
        return self


class DutyFile(_Part):
    """A whole duty file."""

    intervals: Intervals = Intervals()
    reports: ReportTimes = ReportTimes()
    channels: tuple[Channel, ...] = Field(alias="channel", default=())
    fallback: tuple[str, ...] = ()
    """``channel:address`` items that are told when the roster has nobody, or nobody could be reached."""
    drill: tuple[str, ...] = ()
    """Channels that a drill may use; none by default, so that an exercise reaches nobody."""

    def fallback_reach(self) -> tuple[Reach, ...]:
        """Return the fallback as ways to reach somebody."""
        pairs = (item.partition(":") for item in self.fallback)
        return tuple(Reach(channel, address) for channel, _, address in pairs)


def load_duty_file(path: Path) -> DutyFile:
    """Return the duty file.

    Raises
    ------
    DutyFileInvalid
        If it cannot be read, is no TOML, or says something that is not possible.
    """
    _, document = read_toml(path, DutyFileInvalid)
    try:
        found = DutyFile.model_validate(document)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise DutyFileInvalid(f"{path}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from None
    ids = [channel.id for channel in found.channels]
    if len(set(ids)) < len(ids):
        raise DutyFileInvalid(f"{path}: two channels share an id")
    unknown = {*found.drill, *(reach.channel for reach in found.fallback_reach())} - set(ids)
    if unknown:
        raise DutyFileInvalid(f"{path}: no channel {', '.join(sorted(unknown))}")
    return found


def channels_in(path: Path | None) -> frozenset[str] | None:
    """Return the channels that a duty file names; None without one.

    Raises
    ------
    DutyFileInvalid
        If it cannot be used.
    """
    return frozenset(channel.id for channel in load_duty_file(path).channels) if path else None


def limits_in(path: Path | None) -> Limits:
    """Return when reports are due, as a duty file says; without one the defaults.

    Raises
    ------
    DutyFileInvalid
        If it cannot be used.
    """
    return (load_duty_file(path) if path else DutyFile()).reports.limits()


GRACE_S = 1.0
"""How much later an attempt is left than its sender's own limit, which says what was waited for. [s]"""


def sender_of(channel: Channel, environment: Mapping[str, str], now: Callable[[], float]) -> Sender:
    """Return what sends for a channel; its attempts end in time, whatever they hang in.

    Raises
    ------
    DutyFileInvalid
        If an environment variable that the channel needs is not set.
    """
    from duty.senders.limited import Limited  # noqa: PLC0415 - commands that send nothing start faster

    return Limited(_sender_of(channel, environment, now), channel.timeout_s + GRACE_S)


def _sender_of(channel: Channel, environment: Mapping[str, str], now: Callable[[], float]) -> Sender:
    """Return what sends for a channel.

    Raises
    ------
    DutyFileInvalid
        If an environment variable that the channel needs is not set.
    """
    from duty.senders.bots import DingTalk, Feishu, WeCom  # noqa: PLC0415
    from duty.senders.mail import Mail  # noqa: PLC0415
    from duty.senders.webhook import Webhook  # noqa: PLC0415

    def value(name: str) -> str:
        if not environment.get(name):
            raise DutyFileInvalid(f"channel {channel.id}: the environment variable {name} is not set")
        return environment[name]

    limit_s = channel.timeout_s
    match channel.kind:
        case "wecom":
            return WeCom(value(channel.url_env), limit_s)
        case "dingtalk":
            return DingTalk(value(channel.url_env), value(channel.secret_env), limit_s, now)
        case "feishu":
            return Feishu(value(channel.url_env), value(channel.secret_env), limit_s, now)
        case "webhook":
            return Webhook(value(channel.url_env), value(channel.secret_env), limit_s, now)
        case "smtp":
            password = value(channel.secret_env) if channel.user else ""
            security = channel.security
            return Mail(channel.host, channel.port, channel.sender, channel.user, password, security, limit_s, now)
        case "apprise":
            from duty.senders.other import Other  # noqa: PLC0415 - loads its many services

            return Other(value(channel.url_env))
