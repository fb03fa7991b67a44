"""What rests until a person looks at it: runs that wait for an approval, the dead, and undos that failed.

Values without behaviour, as `orchestrator.decisions` and `orchestrator.dead_calls` make them; times are aware of their
zone.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from pydantic import with_config

from orchestrator.guard_standings import TOLD

Ending = Literal["dead", "failed", "timed_out"]
"""How a run ended that can be replayed."""


@with_config(TOLD)
@dataclass(frozen=True, slots=True)
class Wanted:
    """A run that waits for a person."""

    run: str
    """Its id."""
    action: str
    """The action's name; "?" if its record cannot be read."""
    arguments: Any
    """Its validated arguments, whole: what will happen if it is approved. An action keeps a secret out of them with
    pydantic's `SecretStr`."""
    digest: str
    """Of exactly this; an approval that names it holds for nothing else."""
    asked: datetime
    """When it began to wait for an approval."""
    expires: datetime
    """When it ends as expired, if nobody decides."""
    principal: str | None
    """On whose behalf it runs."""
    tenant: str
    """Whose share of the workers it uses; empty: the default tenant."""
    conversation: str | None
    """Its conversation."""
    turn: str | None
    """Its turn."""


@with_config(TOLD)
@dataclass(frozen=True, slots=True)
class DeadCall:
    """A run that ended dead, failed or timed out."""

    run: str
    """Its id."""
    action: str
    """The action's name; "?" if its record cannot be read."""
    status: str
    """dead, failed or timed_out."""
    ended: datetime
    """When it ended."""
    attempts: int
    """Attempts that were begun."""
    arguments: dict[str, str]
    """What a replay would be given, masked but for what the action shows."""
    edited: bool
    """Whether a person gave it other arguments for its replay."""
    error: Any
    """What the model was told: `{"error", "code"}`."""
    principal: str | None
    """On whose behalf it ran."""
    tenant: str
    """Whose share of the workers it used; empty: the default tenant."""
    conversation: str | None
    """Its conversation."""
    turn: str | None
    """Its turn."""


@with_config(TOLD)
@dataclass(frozen=True, slots=True)
class StuckCall:
    """A run whose effect could not be undone."""

    run: str
    """Its id."""
    action: str
    """The action's name; "?" if its record cannot be read."""
    tenant: str
    """Whose share of the workers it used; empty: the default tenant."""
    conversation: str | None
    """Its conversation."""
    turn: str | None
    """Its turn."""
    failed: datetime
    """When its undo failed for the last time."""
    error: Any
    """What that ended with."""
    arguments: dict[str, str]
    """Its arguments, masked."""
