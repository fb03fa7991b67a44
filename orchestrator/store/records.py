"""What the store hands out: claimed runs, and runs and conversations as people read them.

Plain slotted dataclasses: some tens of thousands of them are made each second.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal


@dataclass(slots=True)
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
    left_ms: int | None = None
    """Milliseconds until its total deadline; None: it has none."""
    check: str = ""
    """Not empty: the attempt before this one ended so ("timeout", "death", "killed"), and nobody knows whether it took
    effect: ask the action's `check` first."""
    undoes: str = ""
    """Not empty: this run takes back what the run of this id did."""
    rescue: str = ""
    """Not empty: it has failed for the last time, and will end with this status when its `on_error` was called."""
    error: str = ""
    """With `rescue`: the error that it ends with, JSON."""
    approved: str = ""
    """Digest of what a person has approved; empty: nothing."""
    hooked: str = ""
    """What its params were made of in an earlier attempt, and their digest, JSON; empty: nothing had to be kept."""


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


@dataclass(frozen=True, slots=True)
class RunView:
    """A run as people and services read it; absent times are None."""

    id: str
    """The run."""
    status: str
    """`actions.messages.Status`."""
    lane: str
    """Its queue, with `/t` if it needs a thread and `/i` if it needs a process."""
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
    began_us: int | None = None
    """When its first attempt began; None: none did."""
    created_us: int | None = None
    """When it was recorded."""
    until_us: int | None = None
    """When it is ready again, if it waits for the clock."""
    deadline_us: int | None = None
    """When it expires, if it has a total deadline."""
    late: str | None = None
    """What became of a handler that went on after its run had ended, if that is known."""
    told: str | None = None
    """What the model is told in place of the result, JSON: what is true when its chain has settled."""
    now: str | None = None
    """What is true since an undo was tried again, JSON; the conversation has a note of it."""
    replayed: str | None = None
    """The run that took it up again."""
    replay_of: str | None = None
    """The run that it took up again."""
    undo: str | None = None
    """Of a step whose chain has failed: pending, undone or failed."""
    undo_error: str | None = None
    """What its undo ended with, if it failed, JSON."""
    undo_of: str | None = None
    """The run that this one takes back."""
    approval: str | None = None
    """wanted or given."""
    approval_until_us: int | None = None
    """Until when an answer is waited for."""
    shown: str | None = None
    """The validated arguments that a person is asked to approve, JSON."""
    parent: str | None = None
    """The run that it follows up."""
    children: tuple[str, ...] = ()
    """The runs that follow it up."""
    result_omitted: bool = False
    """Whether it was read without its result."""


@dataclass(frozen=True, slots=True)
class Glance:
    """The little of a run that filters need."""

    status: str
    """`actions.messages.Status`."""
    lane: str
    """Its queue, with what it needs of a pump."""
    conversation: str | None
    """Its conversation."""
    created_us: int | None
    """When it was recorded."""
    payload: str | None
    """Its payload, encoded, if that was asked for."""
    result_bytes: int
    """How long its result is, as JSON; 0: it has none."""


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
    mode: str = ""
    """How the calls of a reply are run, unless somebody says otherwise; empty: each for itself."""
    agent: str | None = None
    """Which of the participants the model speaks for."""
    dialects: str = ""
    """Dialects in which calls may stand in a reply's text, parted by spaces, or "none"; empty: as the settings say."""
    did: frozenset[str] = frozenset()
    """Names of actions that succeeded in it, of those that others depend on."""
    participants: dict[str, str] = field(default_factory=dict[str, str])
    """Who is there, each with "", "followed" or "muted"."""
    memory: dict[str, str] = field(default_factory=dict[str, str])
    """What actions remember in it, by their names: JSON texts."""
    last_turn: str | None = None
    """Its newest turn."""
