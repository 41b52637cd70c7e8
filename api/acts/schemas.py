"""What is asked for and what is answered. `duty.door.bodies` judges the same bodies for every way in."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

from api.params import IDENT
from duty.door.bodies import MOST_CHARACTERS, MOST_ID_CHARACTERS, MOST_MINUTES, MOST_NAMES
from duty.door.door import Done
from duty.orders.acts import MOST_OWNER_CHARACTERS
from duty.orders.orders import STEPS, Proof
from risk.reports import MOST_DEPTH_M
from risk.warnings import COLOUR_RANK
from undercroft.quantities import BARRIER_STATE_BY_WORD
from undercroft.site.limits import MOST_ITEMS


def _subject(kinds: str) -> Any:
    """Return what a subject of one of some kinds looks like.

    Its length is bounded beside the pattern: eighty times any letter costs each model that says so 3 MB and 20 ms.
    """
    names = kinds.split("|")
    return Field(
        pattern=rf"^({kinds})/[\w.:-]+$",
        max_length=max(map(len, names)) + 1 + MOST_ID_CHARACTERS,
        description=" or ".join(f"`{kind}/<id>`" for kind in names),
    )


AlarmSubject = Annotated[str, _subject("space|device|system")]
SpaceSubject = Annotated[str, _subject("space")]
DeviceSubject = Annotated[str, _subject("device")]
Text = Annotated[str, Field(min_length=1, max_length=MOST_CHARACTERS)]
Comment = Annotated[str, Field(max_length=MOST_CHARACTERS)]
Names = Annotated[list[Annotated[str, Field(min_length=1, max_length=100)]], Field(max_length=MOST_NAMES)]
Entry = Annotated[int, Field(ge=1, lt=2**31, description="number of the entry of the duty log that this corrects")]


def _minutes(kind: str) -> Any:
    return Field(gt=0, le=MOST_MINUTES[kind], description="from now on")


def _one_of(*words: str) -> Any:
    """Accept one of the words of another list, and show them all in the description."""

    def known(word: str) -> str:
        if word not in words:
            raise ValueError(f"expected one of {', '.join(words)}")
        return word

    return AfterValidator(known), Field(json_schema_extra={"enum": list(words)})


class _Asked(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    def said(self) -> dict[str, Any]:
        """Return the body of the act: what was said beside its kind and subject."""
        return self.model_dump(mode="json", exclude={"kind", "subject"}, exclude_none=True)


class Acknowledge(_Asked):
    """Say "mine": somebody has taken notice. Of an incident: of all its alarms that somebody was told of."""

    kind: Literal["acknowledge"]
    subject: Annotated[str, _subject("space|device|system|incident")]
    comment: Comment = ""


class Shelve(_Asked):
    """Silence an alarm for a time; never red, at most 30 minutes in a storm."""

    kind: Literal["shelve"]
    subject: AlarmSubject
    reason: Text
    minutes: Annotated[float, _minutes("shelve")]


class Unshelve(_Asked):
    """Let a shelved alarm be told again."""

    kind: Literal["unshelve"]
    subject: AlarmSubject
    comment: Comment = ""


class StandDown(_Asked):
    """End an alarm whose evidence can no longer come back. Needs the role leader."""

    kind: Literal["stand_down"]
    subject: SpaceSubject
    evidence: Text


class OutOfService(_Asked):
    """Take a device out: its readings count as missing. Needs the role leader."""

    kind: Literal["out_of_service"]
    subject: DeviceSubject
    reason: Text
    minutes: Annotated[float, _minutes("out_of_service")]


class InService(_Asked):
    """Take a device's readings again."""

    kind: Literal["in_service"]
    subject: DeviceSubject
    comment: Comment = ""


class RainWarning(_Asked):
    """A rain warning as the weather service has it now; what was said of it before is replaced."""

    kind: Literal["rain_warning"]
    subject: Annotated[str, _subject("warning")]
    state: Literal["in_force", "ended"]
    colour: Annotated[str, *_one_of(*COLOUR_RANK)] | None = Field(None, description="needed while it is in force")
    basins: Names | None = Field(None, description="neither basins nor streets: the whole district")
    streets: Names | None = None
    until: AwareDatetime | None = Field(None, description="expected end; it stays in force until it is ended")
    issued_at: AwareDatetime | None = None


class FieldReport(_Asked):
    """What somebody saw: a depth, a barrier, a pump, a place closed or evacuated. Only a barrier may lower a level."""

    kind: Literal["field_report"]
    subject: SpaceSubject
    entrance: Annotated[str, Field(pattern=f"^{IDENT}$")] | None = None
    depth_m: Annotated[float, Field(ge=0, le=MOST_DEPTH_M)] | None = None
    barrier: Annotated[str, *_one_of(*BARRIER_STATE_BY_WORD)] | None = None
    pump: Literal["running", "stopped"] | None = None
    closed: bool | None = Field(None, description="nobody is let in at the entrance; without one, at any")
    evacuated: bool | None = Field(None, description="nobody is left inside")
    by: Text | None = Field(None, description="who saw it; absent: who enters it")
    phone: Text | None = Field(None, description="tells who saw it from others of that name: a later depth corrects it")
    note: Comment | None = None
    minutes: Annotated[float, _minutes("field_report")] | None = None
    observed_at: AwareDatetime | None = Field(None, description="absent: now")


class StockMovement(_Asked):
    """Supplies that came or went, or were counted, at a depot or a space."""

    kind: Literal["stock_movement"]
    subject: Annotated[str, _subject("depot|space")]
    item: Annotated[str, Field(pattern=f"^{IDENT}$", examples=["sandbag"])]
    quantity: Annotated[float, Field(ge=-MOST_ITEMS, le=MOST_ITEMS)] | None = Field(
        None, description="how many more, below 0 fewer; this or `counted`"
    )
    counted: Annotated[float, Field(ge=0, le=MOST_ITEMS)] | None = Field(None, description="how many are there")
    reason: Text


class Note(_Asked):
    """An entry of the duty log."""

    kind: Literal["note"]
    subject: Annotated[str, Field(max_length=100)] = "-"
    text: Text
    corrects: Entry | None = None


class Phone(_Asked):
    """The phone form of the duty log."""

    kind: Literal["phone"]
    subject: Annotated[str, Field(max_length=100)] = "-"
    text: Text
    caller: Text
    unit: Text
    phone: Text
    corrects: Entry | None = None


class Handover(_Asked):
    """Hand the shift over: what the next one has to know."""

    kind: Literal["handover"]
    subject: Literal["-"] = "-"
    to: Text
    text: Text


class SubmitReport(_Asked):
    """Say that a drafted report was handed in; report 0 is the first one by phone."""

    kind: Literal["submit_report"]
    subject: Annotated[str, _subject("incident")]
    serial: Annotated[int, Field(ge=0, lt=2**31)]


ActIn = Annotated[
    Acknowledge | Shelve | Unshelve | StandDown | OutOfService | InService | RainWarning | FieldReport | Note | Phone
    | Handover | SubmitReport | StockMovement,
    Field(discriminator="kind"),
]  # fmt: skip


class OrderIn(_Asked):
    """What is asked of somebody; its words come from the template of the space's kind."""

    subject: SpaceSubject
    proof: Proof
    owner: Annotated[str, Field(min_length=1, max_length=MOST_OWNER_CHARACTERS)]
    entrance: Annotated[str, Field(pattern=f"^{IDENT}$")] | None = None
    second: bool = Field(False, description="on purpose beside the same order that is open there already")


class StepIn(_Asked):
    """Where an order moves; `refuse`, `cancel` and `undo`, which takes a confirmation back, need a note."""

    step: Annotated[str, *_one_of(*STEPS)]
    note: Comment = ""


class ActOut(BaseModel):
    """What became of an act."""

    entry_no: int = Field(description="entry of the duty log")
    commit_seq: int | None = Field(
        description="place in the commit order; the engine has read it with the first tick that reaches it"
    )
    at: datetime = Field(description="when it was done: now, or the run clock of an exercise")
    order_id: str | None = Field(description="of an order")
    disagreement: str | None = Field(description="how the sensors contradict a confirmation")
    left_out: str | None = Field(
        description="alarms of the incident with news that nobody was told of: not acknowledged"
    )
    taken: str | None = Field(description="alarms of the incident that a colleague had taken, and who: not this act's")
    repeated: bool = Field(description="the act of this Idempotency-Key was done before; this is what became of it")

    @classmethod
    def of(cls, done: Done) -> ActOut:
        """Return what became of an act."""
        return cls(
            entry_no=done.entry_no, commit_seq=done.commit_seq, at=done.at, order_id=done.order_id,
            disagreement=done.disagreement, left_out=done.left_out, taken=done.taken,
            repeated=done.repeated,
        )  # fmt: skip
