"""How a run, a turn or a conversation stands: the forms in which `orchestrator.reading` tells it.

Values without behaviour; times are aware of their zone.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from pydantic import with_config

from orchestrator.guard_standings import TOLD, Ladder


@with_config(TOLD)
@dataclass(frozen=True, slots=True)
class RunStanding:
    """How a run stands."""

    run: str
    """Its id."""
    action: str
    """The action's name, or what was called if there is no such action; "?" if its record cannot be read."""
    status: str
    """blocked: others have to end first. ready: it may be claimed now. waiting: for a lock, a limit, the end of a
    backoff or its delay; `why` says for which. running: an attempt is carried out. cancelling: its handler was asked to
    stop. The rest never change again. succeeded: its handler gave a value. failed: it raised for the last time, or
    nobody knows what its last attempt did. timed_out: its last attempt took too long, or gave no sign of life.
    cancelled: somebody stopped it, or a newer run took its lock. expired: its time was over before it could end.
    refused: a policy said no before it ran (permission, state, arguments, lock, limit, duplicate). denied: a person
    said no. dead: it killed its worker three times while it was alone."""
    result: Any
    """What the model is told: the handler's value, or `{"error", "code"}`; None while it lives."""
    error: Any
    """What the last attempt said, if it is to be tried again."""
    attempts: int
    """Attempts begun so far."""
    most_attempts: int | None
    """How many there may be; None: its action is not known here. Those that its worker's death ended do not count."""
    arguments: dict[str, str]
    """Its arguments, masked but for those that the action shows."""
    queue: str
    """Where it is claimed from."""
    principal: str | None
    """On whose behalf it runs."""
    tenant: str
    """Whose share of the workers it uses; empty: the default tenant."""
    conversation: str | None
    """Its conversation."""
    turn: str | None
    """Its turn."""
    created: datetime | None
    """When it was recorded."""
    since: datetime
    """When its status began."""
    began: datetime | None
    """When its first attempt began; None: none did."""
    until: datetime | None
    """When it is ready again, if it waits for the clock."""
    deadline: datetime | None
    """When it expires, if it has a total deadline."""
    why: str | None
    """Why it waits, in a word of the record: `lock KEY`, `limit KEY`, `backoff`, `delay`, `joined` and the like."""
    ladder: Ladder | None
    """The guards that it has to pass or holds, what else it waits for; None: it has ended, or was read with others."""
    told: Any = None
    """What the model was told in place of the result, once its chain had settled; None: the result itself."""
    now: Any = None
    """What is true by now, if that has changed since the model was told; None: it has not."""
    late: str | None = None
    """What became of a handler that went on after the run had ended."""
    approval: Literal["wanted", "given"] | None = None
    """Whether a person has to approve it, or has; None: neither."""
    approval_until: datetime | None = None
    """Until when an approval is waited for."""
    undo: Literal["pending", "undone", "failed"] | None = None
    """Of a step whose chain failed: how its undo stands."""
    undo_error: Any = None
    """What its undo ended with, if that failed."""
    undo_waits: str | None = None
    """The run whose undo failed, for whose undo this one's waits."""
    undo_of: str | None = None
    """The run whose effect this one takes back."""
    undo_of_undo: Literal["pending", "undone", "failed"] | None = None
    """How the undo of that run stands by now: another one may have been tried since."""
    parent: str | None = None
    """The run that it follows up."""
    children: tuple[str, ...] = ()
    """The runs that follow it up."""
    replayed: str | None = None
    """The run that was made of this one, to run it again."""
    replay_of: str | None = None
    """The run that this one runs again."""
    result_omitted: bool = False
    """Whether it has a result that is too long for a list: it is told where the run is read alone."""
    known: bool = True
    """Whether its action is known here; if not, its arguments are only counted."""


@with_config(TOLD)
@dataclass(frozen=True, slots=True)
class TurnStanding:
    """How a turn stands."""

    turn: str
    """Its id."""
    status: str
    """queued, live, done, failed, max_rounds, cancelled or injected (its message went into another turn)."""
    conversation: str
    """Its conversation."""
    round: int | None
    """The number of its newest round, from 0; None: there is none yet."""
    left: int
    """Calls of this round that have no result yet."""
    began: datetime | None
    """When it began; None: it waits behind another turn."""
    ended: datetime | None
    """When it ended."""
    runs: tuple[RunStanding, ...]
    """The runs of its rounds in call order, and the one that leads it on, if that lives. Before the steps of a chain
    that takes locks of its own stands the run that holds them, while it lives."""
    aside: tuple[RunStanding, ...] = ()
    """What came of these: the runs that follow one up or undo it (their ids begin with its id), then the evaluators of
    the turn."""
    into: str | None = None
    """The turn that its message went into; None: it has its own rounds."""
    why: str | None = None
    """Why it failed, in words; None: it did not, or its calls say why."""


@with_config(TOLD)
@dataclass(frozen=True, slots=True)
class ConversationStanding:
    """How a conversation stands."""

    conversation: str
    """Its id."""
    status: str
    """idle, live or completed."""
    state: str | None
    """State of its machine, if it has one."""
    machine: str | None
    """Name of its machine."""
    principal: str | None
    """On whose behalf its calls run."""
    tenant: str
    """Whose share of the workers it uses."""
    revision: int
    """Grows with each change of its messages."""
    live_turn: TurnStanding | None
    """The turn that lives."""
    queued: tuple[str, ...]
    """Turns that wait behind it."""
    mode: str = ""
    """How the calls of a reply are run: sequence or chain; empty: each for itself."""
    agent: str | None = None
    """Which of the participants the model speaks for; None: nobody in particular."""
    dialects: tuple[str, ...] | None = None
    """The dialects in which calls may stand in a reply's text; None: as the settings say."""
    participants: dict[str, str] = field(default_factory=dict[str, str])
    """Who is there, each with "", "followed" or "muted"."""


Standing = RunStanding | TurnStanding | ConversationStanding
