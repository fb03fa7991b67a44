"""What the HTTP API answers, beside the standings that `umbel show --json` tells as well.

What is answered where something was made holds only what never changes, so that a repetition is answered alike.
Whoever reads these may meet fields that are not here: newer servers add some.
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict

from orchestrator.resting import DeadCall, StuckCall, Wanted
from orchestrator.standings import RunStanding, TurnStanding


class Answer(BaseModel):
    """An answer; what newer servers add is ignored."""

    model_config = ConfigDict(
        frozen=True, from_attributes=True, use_attribute_docstrings=True, defer_build=True
    )  # built when first used: importing a client stays quick


class ProblemPart(Answer):
    """One thing that is wrong with a request."""

    pointer: str
    """Where it stands: a JSON pointer into the body."""
    parameter: str | None = None
    """The parameter of the URL or the header, if it is one."""
    detail: str
    """What is wrong there."""
    code: str | None = None
    """The code of the error, where it has one of its own."""


class Problem(Answer):
    """What went wrong, as RFC 9457 tells it (`application/problem+json`)."""

    type: str
    """`/problems/<code>`: GET tells what it means."""
    title: str
    """The kind of problem, in some words."""
    status: int
    """The HTTP status."""
    detail: str
    """What is wrong this time."""
    code: str
    """The stable name of the kind."""
    instance: str
    """The path that was asked for."""
    request_id: str
    """The id of the request, which the server's log has as well."""
    errors: tuple[ProblemPart, ...] = ()
    """The single things that are wrong, if there are such."""


class Opened(Answer):
    """A conversation that was made."""

    conversation: str
    """Its id."""
    url: str
    """Where it can be read."""


class Accepted(Answer):
    """A message or a reply that was accepted."""

    conversation: str
    """Its conversation."""
    turn: str
    """The turn that it begins."""
    url: str
    """Where that turn can be read."""


class Submitted(Answer):
    """A run that was recorded."""

    run: str
    """Its id."""
    url: str
    """Where it can be read."""


class SubmittedAll(Answer):
    """The runs of a batch, in the order of its calls."""

    runs: tuple[Submitted, ...]
    """One for each call."""


class Messages(Answer):
    """A page of a conversation's messages, oldest first."""

    messages: tuple[dict[str, Any], ...]
    """Messages in the shape of OpenAI's chat completions."""
    next: str | None
    """Where the next page begins; none: this is the last."""


class ConversationState(Answer):
    """The state of a conversation, and what it allows."""

    conversation: str
    """Its id."""
    machine: str | None
    """Name of its state machine; none: it has no states."""
    state: str | None
    """Its state."""
    revision: int
    """Grows with each transition."""
    allowed: tuple[str, ...]
    """Names of the actions that a model may call now."""


class ConversationContext(Answer):
    """What a conversation keeps for its conditions and handlers."""

    context: dict[str, Any]
    """Any JSON value under each key."""


class Turns(Answer):
    """A page of a conversation's turns, newest first."""

    turns: tuple[TurnStanding, ...]
    """How each stands."""
    next: str | None
    """Where the next page begins; none: this is the last."""


class Round(Answer):
    """One reply of a turn and its calls."""

    round: int
    """Its number, from 0."""
    runs: tuple[RunStanding, ...]
    """Its runs, in call order."""


class Rounds(Answer):
    """The rounds of a turn."""

    rounds: tuple[Round, ...]
    """In their order."""


class Verdict(Answer):
    """What became of a deed; the same deed again is answered alike."""

    id: str
    """What it was done to."""
    verdict: str
    """How it is now: cancelled, cancelling, terminal, approved, denied, interrupted or retried."""


class Runs(Answer):
    """A page of runs, newest first; it may hold fewer than were asked for and still have a next one."""

    runs: tuple[RunStanding, ...]
    """How each stands."""
    next: str | None
    """Where the next page begins; none: this is the last."""


class Approvals(Answer):
    """A page of what waits for a person; it may hold fewer than were asked for and still have a next one."""

    approvals: tuple[Wanted, ...]
    """Oldest first."""
    next: str | None
    """Where the next page begins; none: this is the last."""


class Dead(Answer):
    """A page of the dead, oldest first; it may hold fewer than were asked for and still have a next one."""

    dead: tuple[DeadCall, ...]
    """What ended dead, failed or timed out."""
    next: str | None
    """Where the next page begins; none: this is the last."""


class DoneDead(Answer):
    """One of the dead for which a deed was done."""

    run: str
    """The run."""
    new: str | None = None
    """The run that takes it up again, if it was replayed."""


class FailedDead(Answer):
    """One of the dead for which a deed could not be done."""

    run: str
    """The run."""
    code: str
    """Why not, in a stable word."""
    detail: str
    """Why not, in a sentence."""


class DoneDeads(Answer):
    """What became of a deed on many of the dead: each is in one of these lists."""

    done: tuple[DoneDead, ...]
    """For these it is done."""
    failed: tuple[FailedDead, ...]
    """For these it could not be done; the others are not held up by them."""
    next: str | None = None
    """The `cursor` with which the same request goes on, for there may be more; none: that was all."""


class Undos(Answer):
    """A page of what could not be undone; it may hold fewer than were asked for and still have a next one."""

    undos: tuple[StuckCall, ...]
    """Oldest first."""
    next: str | None
    """Where the next page begins; none: this is the last."""
