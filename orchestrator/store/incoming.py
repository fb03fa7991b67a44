"""What is handed to the store: runs, their guards, and what follows a round; how attempts end stands in `ends`.

Values without behaviour but their form for the scripts: plain slotted dataclasses, for some tens of thousands of them
are made each second. Nothing changes one after it was made (that is not enforced, for it would double what making one
takes).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Any, Literal

from pydantic_core import to_json

from actions.messages import Status
from orchestrator.store.ends import Effect, EffectKind, Finish

if TYPE_CHECKING:
    from orchestrator.store.values import Value

__all__ = [
    "Ask", "Effect", "EffectKind", "Finish", "Lead", "LimitGuard", "LockGuard", "NewRun", "Priority", "Sameness",
]  # fmt: skip


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
class Ask:
    """What a person has to approve before a run may start."""

    digest: str
    """Of exactly what is asked for: the approval holds for nothing else."""
    expires_ms: int
    """How long an answer is waited for; then the run is expired."""
    shown: str
    """The validated arguments, JSON: what the person sees."""
    key: str = ""
    """A newer run that asks under the same key takes the place of one that still waits; empty: none does."""


@dataclass(slots=True)
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
    """Ids of runs that wait for this one's end; with `!` before it, for its success: else they are refused."""
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

    approval: Ask | None = None
    """What a person has to approve first; it then waits for that beside all else."""
    chain: Literal["", "step", "lead"] = ""
    """step: it is a call of a chain. lead: it holds the chain's locks, from before its first step to its end."""
    undoes: Literal["", "1", "2"] = ""
    """Whether a step can be undone: 1 with what it returned, 2 also if nobody knows whether it took effect."""
    rescues: bool = False
    """Whether its action has an `on_error`, which is called once when it has failed for the last time."""
    did: str = ""
    """The name under which its conversation remembers its success; empty: it does not."""
    conversation: str = ""
    """The conversation of a run that belongs to none of its turns; empty: none, or its turn's."""
    note: str = ""
    """What stands before its end in a note to its conversation; empty: there is no note."""
    audit: str = ""
    """Who asked for it and what was decided: one line of the audit, a JSON object; empty: there is none."""

    def extras(self) -> str:
        """What few runs have, as JSON; empty if this one has none of it."""
        told: dict[str, Any] = {}
        if self.guards:
            told["g"] = "\n".join(guard.line() for guard in self.guards)
        if self.total_ms is not None or self.queue_ms is not None or self.delay_ms:
            clocks = {"total": self.total_ms, "queue": self.queue_ms, "delay": self.delay_ms or None}
            told |= {name: ms for name, ms in clocks.items() if ms is not None}
        if self.on_unknown != "retry":
            told["ou"] = self.on_unknown
        if self.digest:
            told["dg"] = self.digest
        if self.same is not None:
            told |= {"dd": self.same.key, "ddms": self.same.window_ms, "ddmode": self.same.mode}
        if self.before or self.after:
            told |= {name: at for name, at in (("before", self.before), ("after", self.after)) if at}
        if self.chain or self.undoes or self.rescues or self.did or self.conversation or self.approval:
            told |= self._rarest()
        return to_json(told).decode() if told else ""

    def _rarest(self) -> dict[str, Any]:
        """What very few have: fields of the record under `rare`, and what else is to be done for them."""
        rare = {
            "ch": self.chain,
            "uf": self.undoes,
            "oe": "1" if self.rescues else "",
            "did": self.did,
            "nt": self.note,
        }
        told: dict[str, Any] = {"rare": {name: value for name, value in rare.items() if value}}
        if self.conversation:
            told["conv"] = self.conversation
        if (ask := self.approval) is not None:
            told["ask"] = {"digest": ask.digest, "ms": ask.expires_ms, "shown": ask.shown, "key": ask.key}
        return told

    def row(self) -> tuple[Value, ...]:
        """The 14 values that the scripts read, in their order."""
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
            self.audit,
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
