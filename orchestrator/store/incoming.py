"""What is handed to the store: runs, guards, what follows a round, and how attempts ended.

Values without behaviour but their form for the scripts: plain slotted dataclasses, for some tens of thousands of them
are made each second.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING, Any, Literal

from pydantic_core import to_json

from actions.messages import Status

if TYPE_CHECKING:
    from orchestrator.store.values import Value


class Priority(IntEnum):
    """The order in which ready lists are served; the number stands in the keys."""

    HIGH = 0
    NORMAL = 1
    LOW = 2


@dataclass(frozen=True, slots=True)
class LockGuard:
    """A lock that a run has to hold while an attempt of it runs, or a cap on how many do (`places`)."""

    key: str
    """What is locked: printable, without spaces. Keys that begin with `~` are the house's own (caps)."""
    policy: Literal["wait", "refuse", "replace"] = "wait"
    """What a run does that finds no place."""
    places: int = 1
    """How many runs may hold it at the same time."""

    def line(self) -> str:
        """The guard as the scripts read it."""
        return f"L {self.policy} {self.places} {self.key}"


@dataclass(frozen=True, slots=True)
class LimitGuard:
    """A rate limit that an attempt has to be within when it starts."""

    key: str
    """Whose starts are counted together, the limit's name first: printable, without spaces."""
    name: str
    """Name of the limit, by which operators change it."""
    n: int
    """Starts (or units of cost) in each window."""
    per_us: int
    """Length of the window in microseconds."""
    burst: int = 0
    """0: exactly n starts in any window, the last n are remembered (n is 1,000 at most). Else GCRA: so many at once."""
    cost: int = 1
    """Units that this run takes."""
    over: Literal["wait", "refuse"] = "wait"
    """What a run does that finds no room."""

    def line(self) -> str:
        """The guard as the scripts read it."""
        return f"R {self.over} {self.n} {self.per_us} {self.burst} {self.cost} {self.name} {self.key}"


@dataclass(frozen=True, slots=True)
class Sameness:
    """By what a run is found to be the same as an earlier one (dedupe), and what follows."""

    key: str
    """Digest of action, arguments and scope."""
    window_ms: int
    """How long after the earlier one was recorded they are the same."""
    mode: Literal["join", "refuse"] = "join"
    """join: it ends with the result of the earlier one, now or when that ends. refuse: it is refused."""


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
    guards: tuple[LockGuard | LimitGuard, ...] = ()
    """What it has to pass before an attempt starts, in the order in which it climbs (see `orchestrator.guards`)."""
    total_ms: int | None = None
    """Milliseconds from now after which it is expired, whatever it is doing; None: no such end."""
    queue_ms: int | None = None
    """Milliseconds from now by which its first attempt must have begun; None: no such end."""
    delay_ms: int = 0
    """Milliseconds before it becomes ready."""
    on_unknown: Literal["retry", "fail", "check"] = "retry"
    """What follows an attempt of which nobody knows whether it took effect (death, lost lease, hand-back)."""
    digest: str = ""
    """Of what was asked for, under an id made of an idempotency key: the same id with another digest is a conflict."""
    same: Sameness | None = None
    """How it is deduplicated, if it is."""
    before: str = ""
    """A barrier that its end lowers; empty: none."""
    after: str = ""
    """A barrier that it waits at, until all runs have ended that were recorded `before` it earlier; empty: none."""

    def extras(self) -> str:
        """What few runs have, as JSON; empty if this one has none of it."""
        told: dict[str, Any] = {}
        if self.guards:
            told["g"] = "\n".join(guard.line() for guard in self.guards)
        if self.total_ms is not None:
            told["total"] = self.total_ms
        if self.queue_ms is not None:
            told["queue"] = self.queue_ms
        if self.delay_ms:
            told["delay"] = self.delay_ms
        if self.on_unknown != "retry":
            told["ou"] = self.on_unknown
        if self.digest:
            told["dg"] = self.digest
        if self.same is not None:
            told |= {"dd": self.same.key, "ddms": self.same.window_ms, "ddmode": self.same.mode}
        if self.before:
            told["before"] = self.before
        if self.after:
            told["after"] = self.after
        return to_json(told).decode() if told else ""

    def row(self) -> tuple[Value, ...]:
        """The 13 values that the scripts read, in their order."""
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
            self.extras(),
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


class EffectKind(StrEnum):
    """What `finish` applies beside a result: the last four whatever the verdict is, the others only for a success."""

    TRANSITION = "transition"
    SET = "set"
    APPEND = "append"
    COMPLETE = "complete"
    CONTINUE = "continue"
    SPENT = "spent"
    COOL = "cool"
    CHECK = "check"
    GHOST = "ghost"


@dataclass(frozen=True, slots=True)
class Effect:
    """A directive in the form that `finish` applies in the same step as the result."""

    kind: EffectKind
    """What is to be done."""
    key: str = ""
    """transition: the state revision it was decided on; set and append: the context key; spent and cool: the key of
    one of the run's limits; check: what the next attempt finds in `Claimed.check`."""
    value: str = ""
    """transition: the target state; set and append: a JSON text; spent: the units that it really took; cool: ms for
    which the limit lets nobody through. ghost (no key, no value): its handler still runs, so its locks stay taken
    until `late` is told, or the pump's lease ends."""


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
    """What happens beside: directives, all or none, if the run succeeded; the rest in any case."""

    def row(self) -> list[Value]:
        """The values that `finish` reads, in their order."""
        row: list[Value] = [
            self.run, self.fence, self.verdict, self.result, self.delay_ms, self.why, len(self.effects),
        ]  # fmt: skip
        for effect in self.effects:
            row += (effect.kind, effect.key, effect.value)
        return row
