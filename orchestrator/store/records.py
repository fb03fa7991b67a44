"""What goes into the store's scripts and what comes out of them, as values without behaviour.

They are plain slotted dataclasses: some tens of thousands of them are made each second.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING, Literal

from actions.messages import Status

if TYPE_CHECKING:
    from orchestrator.store.values import Value


class Priority(IntEnum):
    """The order in which ready lists are served; the number stands in the keys."""

    HIGH = 0
    NORMAL = 1
    LOW = 2


@dataclass(frozen=True, slots=True)
class NewRun:
    """One run to be recorded. A refused one carries its result and never becomes ready."""

    id: str
    """`actions.messages.RunId`."""
    lane: str
    """Queue and kind of place, see `keys.lane`."""
    payload: bytes
    """`actions.messages.Payload`, encoded; opaque to the scripts."""
    status: Status = Status.READY
    """READY, BLOCKED (dependencies open) or a terminal status."""
    priority: Priority = Priority.NORMAL
    """Which ready list of its queue it stands on."""
    tenant: str = ""
    """Whose turn it takes on the ready list; empty: the one default tenant."""
    position: int | str = ""
    """Place in its round, from 0."""
    head: str = ""
    """Its tool message up to and without the content: `{"role":"tool","tool_call_id":"…","content":`."""
    result: str = ""
    """Result as JSON for one that is terminal already."""
    open: int = 0
    """How many runs must have ended before it is ready."""
    dependents: tuple[str, ...] = ()
    """Ids of runs that wait for this one's end. None if it is terminal already: nothing would release them."""
    reply_to: str = ""
    """Reply list that its end is told to; empty: nobody waits."""

    def row(self) -> tuple[Value, ...]:
        """The 12 values that the scripts read, in their order."""
        return (
            self.id,
            self.status,
            self.lane,
            int(self.priority),
            self.tenant,
            self.payload,
            self.position,
            self.head,
            self.result,
            self.open or "",
            " ".join(self.dependents),
            self.reply_to,
        )


@dataclass(frozen=True, slots=True)
class Lead:
    """What leads a turn on when a round is complete: the run that is made then."""

    lane: str
    """Where that run is made ready."""
    payload: bytes
    """Its payload, encoded."""
    priority: Priority = Priority.NORMAL
    """Its priority."""
    max_rounds: int = 10
    """Rounds that the turn may have; it ends as `max_rounds` when they are used up."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """A run that a pump has to start now."""

    id: str
    """The run."""
    lane: str
    """The lane it was claimed from."""
    payload: str
    """Its payload, encoded."""
    attempt: int
    """Which attempt this is, from 1."""
    conversation: str
    """Its conversation, or empty."""
    turn: str
    """Its turn, or empty."""
    tenant: str
    """Its tenant, or empty."""
    state: str
    """The conversation's state at this moment, or empty."""
    state_revision: int
    """Revision of that state; a transition names it."""
    level: str
    """Suspicion: empty, "1" (runs among few) or "2" (runs alone)."""
    machine: str
    """Name of the conversation's state machine, or empty."""
    principal: str
    """Who the conversation belongs to, or empty."""
    fence: str
    """The number of this claim; every later change must name it."""
    deaths: int = 0
    """Attempts before this one that ended with the death of their worker; they use up no retry."""


@dataclass(frozen=True, slots=True)
class Claim:
    """What a claim gave."""

    verdict: Literal["ok", "alone", "drain", "lost"]
    """ok; alone: one run and nothing beside it; drain: end what you have, a run wants to be alone; lost: the lease
    was over, what you have belongs to others."""
    due_ms: int
    """Milliseconds until some waiting run is due; -1: none waits for the clock."""
    runs: list[Claimed]
    """What is to be started."""
    held: int = 0
    """Runs that the store believes the pump to hold, these among them."""


class EffectKind(StrEnum):
    """The kinds of directives that `finish` applies."""

    TRANSITION = "transition"
    SET = "set"
    APPEND = "append"
    COMPLETE = "complete"
    CONTINUE = "continue"


@dataclass(frozen=True, slots=True)
class Effect:
    """A directive in the form that `finish` applies in the same step as the result."""

    kind: EffectKind
    """What is to be done."""
    key: str = ""
    """transition: the state revision it was decided on; set and append: the context key."""
    value: str = ""
    """transition: the target state; set and append: a JSON text."""


@dataclass(frozen=True, slots=True)
class Finish:
    """How one attempt of a run ended."""

    run: str
    """The run."""
    fence: str
    """The fence it was claimed under."""
    verdict: str
    """A terminal status, "again" (backoff, uses a retry) or "postponed" (does not)."""
    result: str
    """Result or error as JSON."""
    delay_ms: int = 0
    """again, postponed: how long it waits."""
    why: str = ""
    """again, postponed: the reason in one word of ours, such as `backoff`."""
    effects: tuple[Effect, ...] = ()
    """Directives, applied only if the run succeeded, all or none."""

    def row(self) -> list[Value]:
        """The values that `finish` reads, in their order."""
        row: list[Value] = [
            self.run, self.fence, self.verdict, self.result, self.delay_ms, self.why, len(self.effects),
        ]  # fmt: skip
        for effect in self.effects:
            row += (effect.kind, effect.key, effect.value)
        return row


@dataclass(frozen=True, slots=True)
class RunView:
    """A run as people and services read it; absent times are None."""

    id: str
    """The run."""
    status: str
    """`actions.messages.Status`."""
    lane: str
    """Its queue, with `/t` if it needs a thread."""
    payload: str
    """Encoded payload."""
    attempts: int
    """Attempts begun so far."""
    result: str | None
    """Result as JSON once it is terminal."""
    why: str | None
    """Why it waits."""
    error: str | None
    """What the last attempt said when it is to be tried again, as JSON."""
    conversation: str | None
    """Its conversation."""
    turn: str | None
    """Its turn."""
    tenant: str
    """Its tenant; empty: the default one."""
    since_us: int
    """When its status began, µs since the epoch by Redis's clock."""


@dataclass(frozen=True, slots=True)
class ConversationRecord:
    """A conversation without its messages."""

    id: str
    """The conversation."""
    status: Literal["idle", "live", "completed"]
    """Whether a turn lives, or an action completed it."""
    live_turn: str | None
    """The live turn."""
    revision: int
    """Grows with each change of the messages."""
    state: str | None
    """State of its machine, if it has one."""
    state_revision: int
    """Grows with each transition."""
    machine: str | None
    """Name of its state machine."""
    tenant: str
    """Whose it is; empty: the default tenant."""
    principal: str | None
    """On whose behalf its calls run."""
    permissions: tuple[str, ...]
    """What that principal may do."""
    context: dict[str, str]
    """Context keys to JSON texts."""
