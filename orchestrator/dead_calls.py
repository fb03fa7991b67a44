"""The dead as people see them: records of the store in; what was called, how it ended and why out, and which are meant.

Nothing is changed. Arguments come out masked, as everywhere but where a person approves them.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, get_args

from pydantic_core import from_json

from actions.definition import Action
from actions.errors import DeclarationError, UnknownAction, UnreadableRecord
from actions.messages import Payload
from orchestrator import auditing
from orchestrator.resting import DeadCall, Ending, StuckCall

if TYPE_CHECKING:
    from actions.registry import Registry
    from orchestrator.store.dead import DeadRun
    from orchestrator.store.places import Place
    from orchestrator.store.undos import StuckUndo

__all__ = ["STATUSES", "DeadCall", "StuckCall", "Which", "dead_call", "is_house", "place_of", "stuck_call"]

STATUSES: Final[tuple[Ending, ...]] = get_args(Ending)
"""How a run ended that can be replayed."""


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


def place_of(call: DeadCall) -> Place:
    """Where it stands in the index of the dead."""
    return round(call.ended.timestamp() * 1e6), call.run


def stuck_call(record: StuckUndo, registry: Registry) -> StuckCall:
    """How an undo that failed looks to people."""
    payload, action = _called(record.payload, registry)
    return StuckCall(
        run=record.run,
        action=payload.action,
        tenant=record.tenant,
        conversation=record.conversation or None,
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
