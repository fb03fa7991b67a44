"""What callers send to the HTTP API: the bodies of its requests, each field with its bounds.

What is not named here is refused. Tenant, principal and permissions come from the caller's key, so no body has them.
Nothing is turned into another type on the way in: a number as text is no number.
"""

from __future__ import annotations

from itertools import islice
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, WrapValidator, model_validator

from orchestrator.wire_forms import (
    LIMIT_KEY,
    MOST_RUNS,
    Busy,
    End,
    Ending,
    Id,
    Length,
    Mode,
    Moment,
    Name,
)

LONGEST_TEXT: Final = 1_000_000
"""Characters of a user's message."""
LONGEST_REASON: Final = 500
"""Characters of a reason for a denial: the model reads it."""
_MOST: Final = 2**31 - 1
_RETRIED: Final = 1_000
_MOST_UNKNOWN: Final = 20
"""Unknown fields of a body that are looked at: it is refused anyhow, and telling of 200,000 takes a second."""


def _plan(given: Any, _: Any) -> Any:
    """How many, or a plan, by what it looks like."""
    if not isinstance(given, int | dict | RetryPlan):
        raise ValueError('it is how many (a whole number), or an object with "retries"')  # noqa: TRY004 - pydantic's word
    return _RETRIES.validate_python(given) if isinstance(given, int) else RetryPlan.model_validate(given)


_RETRIES: Final = TypeAdapter[int](Annotated[int, Field(ge=0, le=_RETRIED, strict=True)])


class Request(BaseModel):
    """A body: unknown fields are refused, and nothing is converted."""

    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, use_attribute_docstrings=True, hide_input_in_errors=True
    )

    @model_validator(mode="before")
    @classmethod
    def _whole(cls, given: Any) -> Any:
        """JSON has one kind of number: 5.0 is as whole as 5 (JSON Schema says so, too)."""
        if not isinstance(given, dict):
            return given
        if len(given) > len(cls.model_fields) + _MOST_UNKNOWN:
            unknown = islice((name for name in given if name not in cls.model_fields), _MOST_UNKNOWN)
            known = (name for name in cls.model_fields if name in given)
            given = {name: given[name] for name in (*known, *unknown)}
        return {
            name: int(value) if isinstance(value, float) and value.is_integer() else value
            for name, value in given.items()
        }


class Selection(BaseModel):
    """The parameters of a list: they are texts, so numbers are read out of them; unknown ones are refused."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, use_attribute_docstrings=True, hide_input_in_errors=True
    )


class OpenConversation(Request):
    """A conversation to be made."""

    machine: Name | None = None
    """Name of a registered state machine; none without it."""
    state: Name | None = None
    """Where it begins; the machine's first state if it is left out."""
    context: dict[Annotated[str, Field(min_length=1, max_length=200)], Any] = Field(
        default_factory=dict, max_length=1_000
    )
    """The first context: any JSON value under each key."""
    mode: Mode | None = None
    """How the calls of a reply are run, unless who posts it says otherwise; left out: each for itself."""
    agent: Name | None = None
    """The participant that the model speaks for; "agent" if it is left out."""
    participants: dict[Name, Literal["", "followed", "muted"]] = Field(default_factory=dict, max_length=200)
    """Who is there from the beginning: names, each with "", "followed" or "muted"."""
    dialects: Annotated[list[Name], Field(max_length=100)] | None = None
    """The dialects in which calls may stand in a reply's text; none: only where the provider's format has a place for
    them; left out: as the settings say."""

    @model_validator(mode="after")
    def _has_machine(self) -> OpenConversation:
        if self.state is not None and self.machine is None:
            raise ValueError("a state needs the machine that it belongs to")
        return self


class Say(Request):
    """A user's message, which starts a turn."""

    text: Annotated[str, Field(min_length=1, max_length=LONGEST_TEXT)]
    """What the user says."""
    mode: Mode | None = None
    """How the calls of the model's replies are run; left out: as the conversation says."""
    busy: Busy = "enqueue"
    """What happens while another turn lives. enqueue: it waits its turn. refuse: 409. interrupt: that turn is ended
    first. inject: it becomes part of that turn."""


class RetryPlan(Request):
    """How often a failed attempt is tried again, and after which waits."""

    retries: Annotated[int, Field(ge=0, le=_RETRIED)]
    """How many attempts may follow the first."""
    initial: Length = "1s"
    """Upper bound of the first wait; each is drawn evenly between nothing and its bound."""
    factor: Annotated[float, Field(ge=1, le=1_000, allow_inf_nan=False)] = 2
    """How much longer each bound is than the one before."""
    cap: Length = "10s"
    """No wait is longer."""


class SubmitRun(Request):
    """One call of an action, without a conversation."""

    action: Name
    """Name or simile of an action."""
    arguments: dict[str, Any] = Field(default_factory=dict)
    """Its arguments."""
    delay: Length | None = None
    """How long from now it is not started."""
    deadline: End | None = None
    """How long from now, or until when, all of it may take, waits and retries included; then it ends as expired."""
    retry: Annotated[Annotated[int, Field(ge=0, le=_RETRIED)] | RetryPlan, WrapValidator(_plan)] | None = None
    """In place of the action's retries: how many, or how many and after which waits."""
    timeout: Length | None = None
    """Of each attempt, if that is shorter than the action's own."""


class SubmitRuns(Request):
    """Many calls: all are looked at before any is recorded."""

    runs: Annotated[list[SubmitRun], Field(min_length=1, max_length=MOST_RUNS)]
    """The calls; the answer names their runs in the same order."""


class Approve(Request):
    """A person says yes."""

    digest: Annotated[str, Field(min_length=1, max_length=128)] | None = None
    """Of what was looked at: if the run asks for something else by now, nothing is approved. Left out: whatever it asks
    for at this moment."""


class Deny(Request):
    """A person says no."""

    reason: Annotated[str, Field(max_length=LONGEST_REASON)] = ""
    """What the model is told."""


class Replay(Request):
    """One of the dead is to be run again."""

    new_key: bool = False
    """Whether its handler gets a key of its own, so that a service outside takes it for something new."""


class EditDead(Request):
    """Other arguments for the replay of one of the dead."""

    arguments: dict[str, Any]
    """Its new arguments."""
    merge: bool = False
    """Whether the arguments that are not given stay as they are."""


class ChooseDead(Request):
    """Which of the dead a deed is meant for: named ones, or all that a filter finds; not both, and never nothing."""

    runs: Annotated[list[Id], Field(min_length=1, max_length=MOST_RUNS)] | None = None
    """These runs."""
    status: Annotated[list[Ending], Field(min_length=1, max_length=3)] | None = None
    """Those that ended so."""
    actions: Annotated[list[Name], Field(min_length=1, max_length=100)] | None = None
    """Those of these actions, by any of their names."""
    since: Moment | None = None
    """Those that ended then or later."""
    before: Moment | None = None
    """Those that ended earlier than this."""
    error: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    """Those in whose error this stands, or whose code it is; capitals make no difference."""
    all: Literal[True] | None = None
    """All that there are; said alone, so that nothing left out by mistake means everything."""
    cursor: Annotated[str, Field(min_length=1, max_length=1_024)] | None = None
    """`next` of the answer before: the same request goes on behind what that one came to."""

    @model_validator(mode="after")
    def _means_something(self) -> ChooseDead:
        given = {name for name in _CHOOSING if getattr(self, name) is not None}
        if not given:
            raise ValueError('say which ones: name runs, give a filter, or "all": true')
        if len(given) > 1 and given & {"runs", "all"}:
            raise ValueError("runs and all are said alone, without a filter")
        return self


_CHOOSING: Final = set(ChooseDead.model_fields) - {"cursor"}
"""What says which ones are meant."""


class ReplayDead(ChooseDead):
    """Which of the dead are to be run again."""

    new_key: bool = False
    """Whether each handler gets a key of its own, so that a service outside takes it for something new."""


class SetLimit(Request):
    """Other numbers for a limit, for all workers at once."""

    n: Annotated[int, Field(ge=0, le=_MOST)]
    """Starts (or units) in each window; 0 lets nobody start."""
    per: Length
    """Length of the window, from 1 ms to a year."""
    burst: Annotated[int, Field(ge=1, le=_MOST)] | None = None
    """Units at once, for a limit that is declared with a burst."""
    cost: Annotated[int, Field(ge=1, le=_MOST)] | None = None
    """Units that each run takes, in place of its own."""
    key: Annotated[str, Field(pattern=LIMIT_KEY)] | None = None
    """One key of the limit alone; left out: all of them."""
