"""The events of a conversation or a run, as `events` of a client yields them: values with types.

In: what the service tells of a step. Out: `Changes`, `StreamReset` or `StreamEnd`. A kind of change that this client
does not know is handed on as it came: services are newer than their clients sometimes.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from orchestrator.standings import ConversationStanding, RunStanding


@dataclass(frozen=True, slots=True)
class RunChange:
    """A run came to another status."""

    run: str
    """Its id."""
    status: str
    """`actions.messages.Status`."""
    attempt: int = 0
    """Attempts begun so far."""
    why: str | None = None
    """Why it waits, or why it ended so, in a word."""
    worker: str | None = None
    """Who carries it out."""


@dataclass(frozen=True, slots=True)
class TurnChange:
    """A turn came to another status."""

    turn: str
    """Its id."""
    status: str
    """queued, live, done, failed, max_rounds, cancelled or injected."""
    into: str | None = None
    """The turn that its message went into."""


@dataclass(frozen=True, slots=True)
class StateChange:
    """The conversation came to another state of its machine."""

    state: str
    """The state."""


@dataclass(frozen=True, slots=True)
class OtherChange:
    """A change of a kind that this client does not know: the service is newer."""

    told: dict[str, Any]
    """The change as the service told it."""


Change = RunChange | TurnChange | StateChange | OtherChange


@dataclass(frozen=True, slots=True)
class Changes:
    """What one step changed, all at once."""

    id: str
    """Its place in the stream: `events(..., after=id)` goes on behind it."""
    at: datetime
    """When, by the store's clock."""
    changes: tuple[Change, ...]
    """In their order."""


@dataclass(frozen=True, slots=True)
class StreamReset:
    """The stream does not go on where it was left, or begins here: this is how things stand now."""

    id: str
    """Its place in the stream; what follows came later."""
    reason: str
    """trimmed: older events are kept no more. unknown: there is no such place. now: it was asked to begin now."""
    snapshot: ConversationStanding | RunStanding
    """How the conversation or the run stands."""


@dataclass(frozen=True, slots=True)
class StreamEnd:
    """The run has ended; nothing follows."""

    id: str
    """Its place in the stream."""
    status: str
    """How it ended: a terminal `actions.messages.Status`."""


Event = Changes | StreamReset | StreamEnd
