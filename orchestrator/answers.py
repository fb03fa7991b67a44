"""What callers are answered: what became of a reply, how a run ended; verdicts of the store as errors.

In: verdicts and records as the store gives them. Out: plain values, or the `OperatorError` that a verdict stands for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic_core import from_json, to_json

from actions.errors import ConversationBusy, IdempotencyConflict, UnknownConversation

if TYPE_CHECKING:
    from actions.messages import Reply, TurnId
    from orchestrator.planning import Refusal
    from orchestrator.store.records import RunView


@dataclass(frozen=True, slots=True)
class Posted:
    """What became of a posted reply."""

    turn: TurnId
    """The turn it began, or the one that the same key began before."""
    runs: tuple[str, ...]
    """One run for each call, in call order; empty when `repeated`."""
    refused: tuple[Refusal, ...]
    """The calls that do not run, with what the model is told."""
    reply: Reply
    """What intake read."""
    repeated: bool = False
    """The key was known: nothing was submitted again."""
    queued: bool = False
    """Another turn lived: it waits, and is planned when its turn comes; `runs` and `refused` are empty."""


@dataclass(frozen=True, slots=True)
class Ended:
    """The end of a run."""

    run: str
    """Which run."""
    status: str
    """A terminal status."""
    result: Any
    """What the model is told: the handler's value, or `{"error", "code"}`."""


def ended(view: RunView) -> Ended:
    """The end of a run out of its record."""
    return Ended(view.id, view.status, from_json(view.result or to_json(None)))


def check_accepted(verdict: str, conversation: str) -> None:
    """Raise what a verdict on a message or a reply stands for, if it was not accepted.

    Raises:
        UnknownConversation: there is none with this id.
        ConversationBusy: another turn lives.
        IdempotencyConflict: the key was used for something else.
    """
    match verdict:
        case "missing":
            raise UnknownConversation(
                f"there is no conversation {conversation}", fix="Open it first, or check the id"
            )
        case "busy":
            raise ConversationBusy(
                f"conversation {conversation} has a live turn",
                fix="Wait for its end and post the reply again",
            )
        case "conflict":
            raise IdempotencyConflict(
                "this key was used for another request",
                where=conversation,
                fix="Use a new key for a new request",
            )
        case _:
            return
