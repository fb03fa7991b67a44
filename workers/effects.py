"""What a handler's directives do to its conversation, as the store is told: `Transition`, `SetContext` and their kin.

In: directives. Out: effects for the finish of their run; follow-ups become runs elsewhere (`following`). A value that
would not be read back, or goes beyond the cap of results, is the handler's mistake and fails its run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic_core import PydanticSerializationError

from actions.directives import (
    AppendContext,
    Complete,
    Continue,
    FollowUp,
    Remember,
    SetContext,
    SetParticipant,
    Transition,
)
from actions.errors import ResultNotSerialisable, ResultTooLarge
from actions.results import json_of
from orchestrator.store.incoming import Effect, EffectKind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from actions.directives import Directive


def effects_of(directives: Iterable[Directive], cap: int, action: str) -> tuple[Effect, ...]:
    """What the store does for directives of this action, but for the follow-ups among them.

    Raises:
        ModelError: a value has no JSON form, or one of more than `cap` bytes.
    """
    return tuple(_effect(each, cap, action) for each in directives if not isinstance(each, FollowUp))


def _effect(  # noqa: PLR0911 - one return for each directive
    directive: Transition | SetContext | AppendContext | Complete | Continue | Remember | SetParticipant,
    cap: int,
    action: str,
) -> Effect:
    match directive:
        case Transition(target, revision):
            return Effect(EffectKind.TRANSITION, str(revision), target)
        case SetContext(key, value):
            return Effect(EffectKind.SET, key, _json(f"the context value {key!r}", value, cap))
        case AppendContext(key, value):
            return Effect(EffectKind.APPEND, key, _json(f"the context value {key!r}", value, cap))
        case Remember(None):
            return Effect(EffectKind.REMEMBER, action)
        case Remember(value):
            return Effect(EffectKind.REMEMBER, action, _json("what is to be remembered", value, cap))
        case SetParticipant(name, state):
            return Effect(EffectKind.PARTICIPANT, name, "-" if state is None else state)
        case Complete():
            return Effect(EffectKind.COMPLETE)
        case Continue():
            return Effect(EffectKind.CONTINUE)


def _json(what: str, value: Any, cap: int) -> str:
    try:
        told = json_of(value)
    except (PydanticSerializationError, ValueError, RecursionError) as error:
        raise ResultNotSerialisable(f"{what} ({type(value).__name__}) has no JSON form") from error
    if len(told) > cap:
        raise ResultTooLarge(f"{what} has {len(told)} bytes and {cap} is the cap")
    return told.decode()
