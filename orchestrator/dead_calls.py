"""The dead as people see them: records of the store in; what was called, how it ended and why out, and which are meant.

Nothing is changed. Arguments come out masked, as everywhere but where a person approves them.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from pydantic_core import from_json

from actions.definition import Action
from actions.errors import DeclarationError, UnknownAction, UnreadableRecord
from actions.messages import Payload
from orchestrator import auditing

if TYPE_CHECKING:
    from actions.registry import Registry
    from orchestrator.store.dead import DeadRun
    from orchestrator.store.undos import StuckUndo

STATUSES: Final = ("dead", "failed", "timed_out")
"""How a run ended that can be replayed."""


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


@dataclass(frozen=True, slots=True)
class StuckCall:
    """A run whose effect could not be undone."""

    run: str
    """Its id."""
    action: str
    """The action's name; "?" if its record cannot be read."""
    turn: str | None
    """Its turn."""
    failed: datetime
    """When its undo failed for the last time."""
    error: Any
    """What that ended with."""
    arguments: dict[str, str]
    """Its arguments, masked."""


@dataclass(frozen=True, slots=True)
class Which:
    """Which of the dead are meant; what is not given does not narrow them."""

    status: Collection[str] = STATUSES
    """How they ended."""
    actions: Collection[str] = ()
    """Their actions, by the names that these are registered under."""
    since: datetime | None = None
    """They ended then or later."""
    before: datetime | None = None
    """They ended earlier than this."""
    error: str = ""
    """Stands in the text of their error, or is its code; capitals make no difference."""
    tenant: str | None = None
    """Whose they are; empty: the default tenant's."""

    def __post_init__(self) -> None:
        """Find a slip of the pen here: it would mean other runs than were meant."""
        if not self.status or (strange := set(self.status) - set(STATUSES)):
            said = ", ".join(sorted(strange)) if self.status else "none"
            raise DeclarationError(f"status: one or more of {', '.join(STATUSES)}, not {said}")

    @property
    def after_us(self) -> int | None:
        """`since` in microseconds."""
        return _us(self.since)

    @property
    def before_us(self) -> int | None:
        """The last microsecond that is earlier than `before`."""
        us = _us(self.before)
        return None if us is None else us - 1

    @property
    def is_plain(self) -> bool:
        """Whether the store alone can tell which ones are meant."""
        return not (self.actions or self.error) and self.tenant is None

    def matches(self, call: DeadCall) -> bool:
        """Whether a run is meant, whose status and time the store has looked at."""
        return (
            (not self.actions or call.action in self.actions)
            and (self.tenant is None or call.tenant == self.tenant)
            and (not self.error or _says(call.error, self.error))
        )


def dead_call(record: DeadRun, registry: Registry) -> DeadCall:
    """How one of the dead looks to people."""
    payload, action = _called(record.payload, registry)
    arguments = from_json(record.edited) if record.edited else payload.arguments
    return DeadCall(
        run=record.run,
        action=payload.action,
        status=record.status,
        ended=datetime.fromtimestamp(record.at_us / 1e6, UTC),
        attempts=record.attempts,
        arguments=auditing.masked(action, arguments),
        edited=bool(record.edited),
        error=from_json(record.result) if record.result else None,
        principal=payload.principal,
        tenant=record.tenant,
        conversation=record.conversation or None,
        turn=record.turn or None,
    )


def stuck_call(record: StuckUndo, registry: Registry) -> StuckCall:
    """How an undo that failed looks to people."""
    payload, action = _called(record.payload, registry)
    return StuckCall(
        run=record.run,
        action=payload.action,
        turn=record.turn or None,
        failed=datetime.fromtimestamp(record.at_us / 1e6, UTC),
        error=from_json(record.error) if record.error else None,
        arguments=auditing.masked(action, payload.arguments),
    )


def is_house(action: str) -> bool:
    """Whether this is no call but a run of the house's own, such as one that leads a turn on."""
    return "." in action  # no action's name has a dot


def _called(stored: str, registry: Registry) -> tuple[Payload, Action | None]:
    try:
        payload = Payload.decode(stored)
    except UnreadableRecord:
        return Payload("?"), None
    try:
        return payload, registry.resolve(payload.action)
    except UnknownAction:
        return payload, None


def _says(error: Any, wanted: str) -> bool:
    if not isinstance(error, dict):
        return False
    low = wanted.casefold()
    return low in str(error.get("error", "")).casefold() or low == str(error.get("code", "")).casefold()


def _us(at: datetime | None) -> int | None:
    if at is None:
        return None
    if at.tzinfo is None:
        raise DeclarationError(f"a time needs a time zone: {at.isoformat()} has none")
    return round(at.timestamp() * 1e6)
