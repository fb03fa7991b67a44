"""What a handler's directives do to its conversation, as the store is told: `Transition`, `SetContext` and their kin.

In: a directive. Out: an effect for the finish of its run. A value that would not be read back, or goes beyond the cap
of results, is the handler's mistake and fails its run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic_core import PydanticSerializationError

from actions.directives import AppendContext, Complete, Continue, SetContext, Transition
from actions.errors import ResultNotSerialisable, ResultTooLarge
from actions.results import json_of
from orchestrator.store.incoming import Effect, EffectKind

if TYPE_CHECKING:
    from actions.directives import Directive


def effect_of(directive: Directive, cap: int) -> Effect:
    """What the store does for it; raise ModelError for a value without JSON form or of more than `cap` bytes."""
    match directive:
        case Transition(target, revision):
            return Effect(EffectKind.TRANSITION, str(revision), target)
        case SetContext(key, value):
            return Effect(EffectKind.SET, key, _json(key, value, cap))
        case AppendContext(key, value):
            return Effect(EffectKind.APPEND, key, _json(key, value, cap))
        case Complete():
            return Effect(EffectKind.COMPLETE)
        case Continue():
            return Effect(EffectKind.CONTINUE)


def _json(key: str, value: Any, cap: int) -> str:
    try:
        told = json_of(value)
    except (PydanticSerializationError, ValueError, RecursionError) as error:
        raise ResultNotSerialisable(
            f"the context value {key!r} ({type(value).__name__}) has no JSON form"
        ) from error
    if len(told) > cap:
        raise ResultTooLarge(f"the context value {key!r} has {len(told)} bytes and {cap} is the cap")
    return told.decode()
