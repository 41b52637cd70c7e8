"""What a scenario file says: ``[run] [storm] [[fault]] [[act]] [expect]``. Its JSON Schema is made from this."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, field_validator, model_validator

from simulators.rain import CHICAGO_PEAK_RATIO, STEP_MIN, Storm, chicago_storm, nested_storm

RainRate = Annotated[float, Field(ge=0.0, le=2000.0, allow_inf_nan=False, description="mm/h")]
"""Up to more than the most ever measured, 31.2 mm in one minute (World Meteorological Organization)."""

RainDepth = Annotated[float, Field(gt=0.0, le=10_000.0, allow_inf_nan=False, description="mm")]
"""Up to more than the most ever measured in ten days, some 5,700 mm (World Meteorological Organization)."""

Share = Annotated[float, Field(gt=0.0, le=1.0)]
MaximumRow = Annotated[tuple[Annotated[int, Field(ge=1, le=240)], RainDepth], Field(description="[hours, mm]")]
Target = Annotated[str, Field(pattern=r"^(\*|[a-z0-9][a-z0-9-]{0,39}(/[a-z0-9][a-z0-9-]{0,39})?)$")]
"""``*``, a space, a device, or ``space/entrance``."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class RunPart(_Part):
    """What is run, when, and for how long."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,59}$")]
    label: Annotated[str, Field(min_length=1, max_length=200)]
    source: str = ""
    start: AwareDatetime
    hours: Annotated[int, Field(ge=1, le=240)] = 24
    seed: Annotated[int, Field(ge=0)] = 1

    @field_validator("start")
    @classmethod
    def _on_a_minute(cls, value: datetime) -> datetime:
        if value.second or value.microsecond:
            raise ValueError("a run starts on a whole minute")
        return value


class NoStorm(_Part):
    """A dry run."""

    kind: Literal["none"]

    def storm(self, start: datetime) -> Storm:
        """Return no rain."""
        del start
        return Storm(0, ())


class _Placed(_Part):
    start: AwareDatetime

    def start_min(self, run_start: datetime) -> int:
        """Minutes from the start of the run to the storm's. [min]"""
        return round((self.start - run_start) / timedelta(minutes=1))


class TableStorm(_Placed):
    """A rate table as measured or made elsewhere; each row holds for ``step_min``."""

    kind: Literal["table"]
    step_min: Annotated[int, Field(ge=STEP_MIN, le=1440, multiple_of=STEP_MIN)]
    rates_mm_h: Annotated[tuple[RainRate, ...], Field(min_length=1)]

    def storm(self, start: datetime) -> Storm:
        """Return the storm in rows of `STEP_MIN`."""
        rows = tuple(rate for rate in self.rates_mm_h for _ in range(self.step_min // STEP_MIN))
        return Storm(self.start_min(start), rows)


class NestedStorm(_Placed):
    """Published maxima of 1, 2, 3, ... hours arranged around a peak, see `nested_storm`."""

    kind: Literal["nested"]
    hours: Annotated[int, Field(ge=1, le=240)]
    peak_at: AwareDatetime
    maxima_mm: Annotated[tuple[MaximumRow, ...], Field(min_length=1)]
    total_mm: RainDepth | None = None

    @model_validator(mode="after")
    def _maxima_nest(self) -> NestedStorm:
        hours = [row[0] for row in self.maxima_mm]
        rates = [b[1] - a[1] for a, b in pairwise(self.maxima_mm)]
        if hours[0] != 1 or hours != sorted(set(hours)) or any(rate <= 0 for rate in rates):
            raise ValueError("maxima_mm starts at 1 hour, and hours and depths rise from row to row")
        if self.hours > hours[-1]:
            raise ValueError(f"maxima_mm ends at {hours[-1]} hours, the storm lasts {self.hours}")
        if not self.start <= self.peak_at < self.start + timedelta(hours=self.hours):
            raise ValueError("peak_at lies outside the storm")
        return self

    def storm(self, start: datetime) -> Storm:
        """Return the arranged storm."""
        peak_min = round((self.peak_at - start) / timedelta(minutes=1))
        first_min = self.start_min(start)
        return nested_storm(
            self.maxima_mm, hours=self.hours, start_min=first_min, peak_min=peak_min, total_mm=self.total_mm
        )


class ChicagoStorm(_Placed):
    """A design storm on Shenzhen's formula."""

    kind: Literal["chicago"]
    return_period_years: Annotated[float, Field(ge=1.0, le=1000.0)]
    duration_min: Annotated[int, Field(ge=STEP_MIN, le=1440, multiple_of=STEP_MIN)] = 120
    peak_ratio: Annotated[float, Field(gt=0.0, lt=1.0)] = CHICAGO_PEAK_RATIO

    def storm(self, start: datetime) -> Storm:
        """Return the design storm."""
        return chicago_storm(
            self.return_period_years, self.duration_min, peak_ratio=self.peak_ratio, start_min=self.start_min(start)
        )


StormPart = Annotated[NoStorm | TableStorm | NestedStorm | ChicagoStorm, Field(discriminator="kind")]


class _Act(_Part):
    target: Target = "*"
    share: Share = 1.0
    """Share of the targets, picked by the seed."""
    at: AwareDatetime


class DeployBarrier(_Act):
    """Somebody is ordered to put up a barrier: deploying, and after its ``deploy_min`` the outcome."""

    kind: Literal["deploy_barrier"]
    outcome: Literal["deployed", "deployed_unverified", "failed"] = "deployed"


class OpenBarrier(_Act):
    """A barrier is taken away."""

    kind: Literal["open_barrier"]


class PowerLoss(_Act):
    """The mains of a space fail: its pumps stand still."""

    kind: Literal["power_loss"]
    until: AwareDatetime | None = None


class PumpFailure(_Act):
    """The pumps of a space fail with the mains on."""

    kind: Literal["pump_failure"]
    until: AwareDatetime | None = None


class WarningSignal(_Part):
    """A rain warning is in force; devices then report at their wet interval."""

    kind: Literal["warning_signal"]
    colour: Literal["yellow", "orange", "red"]
    at: AwareDatetime
    until: AwareDatetime | None = None


ActPart = Annotated[DeployBarrier | OpenBarrier | PowerLoss | PumpFailure | WarningSignal, Field(discriminator="kind")]


class _Fault(_Part):
    device: Target = "*"
    share: Share = 1.0
    """Share of the devices, picked by the seed."""
    at: AwareDatetime
    until: AwareDatetime | None = None
    chance: Share = 1.0
    """Chance that one message is hit, by the seed."""


class Dropout(_Fault):
    """Messages are never sent."""

    kind: Literal["dropout"]


class Stuck(_Fault):
    """Numbers stay at what they were when the fault began."""

    kind: Literal["stuck"]


class Spike(_Fault):
    """Levels jump for one message."""

    kind: Literal["spike"]
    by_m: Annotated[float, Field(allow_inf_nan=False)]


class ClockOffset(_Fault):
    """The device's clock is wrong."""

    kind: Literal["clock_offset"]
    offset_s: Annotated[int, Field(ge=-31_536_000, le=31_536_000)]


class Duplicate(_Fault):
    """Messages are sent twice."""

    kind: Literal["duplicate"]


class Garbage(_Fault):
    """A message that nobody can read is sent beside the right one."""

    kind: Literal["garbage"]
    form: Literal["not_json", "not_utf8", "nan", "no_timestamp", "unknown_quantity"]


FaultPart = Annotated[Dropout | Stuck | Spike | ClockOffset | Duplicate | Garbage, Field(discriminator="kind")]


class ExpectPart(_Part):
    """What the run must show."""

    red_spaces_at_least: Annotated[int, Field(ge=0)] = 0
    red_spaces_at_most: Annotated[int, Field(ge=0)] | None = None
    orange_spaces_at_least: Annotated[int, Field(ge=0)] = 0
    messages_at_least: Annotated[int, Field(ge=0)] = 0


class Scenario(_Part):
    """A whole scenario file."""

    run: RunPart
    storm: StormPart
    acts: tuple[ActPart, ...] = Field(alias="act", default=())
    faults: tuple[FaultPart, ...] = Field(alias="fault", default=())
    expect: ExpectPart = ExpectPart()

    def misplaced_times(self) -> Iterator[tuple[str | int, ...]]:
        """Yield the path of each time that lies outside the run."""
        end = self.run.start + timedelta(hours=self.run.hours)
        if not isinstance(self.storm, NoStorm) and not self.run.start <= self.storm.start < end:
            yield ("storm", "start")
        parts: Iterable[tuple[str, int, ActPart | FaultPart]] = (
            *(("act", number, act) for number, act in enumerate(self.acts)),
            *(("fault", number, fault) for number, fault in enumerate(self.faults)),
        )
        for name, number, part in parts:
            if not self.run.start <= part.at < end:
                yield (name, number, "at")

    @property
    def minutes(self) -> int:
        """Length of the run. [min]"""
        return self.run.hours * 60

    def rain(self) -> Storm:
        """Return the rate table of the storm, cut at the end of the run."""
        return self.storm.storm(self.run.start).cut(self.minutes)
