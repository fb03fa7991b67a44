"""Umbel executes the actions that language models ask for, on the Celery and Redis that a team already runs.

This is the public face. Names are found when they are first asked for, so that `import umbel` costs next to
nothing and pulls in neither Celery nor Redis:

    from umbel import Lock, RateLimit, Refuse, Retry, Umbel, action
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from actions.context import ActionContext
    from actions.definition import action
    from actions.directives import AppendContext, Complete, Continue, Result, SetContext, Transition
    from actions.errors import (
        Cancel,
        ConfigError,
        ConversationBusy,
        CostTooHigh,
        DeclarationError,
        Fail,
        IdempotencyConflict,
        InvalidArguments,
        InvalidId,
        ModelError,
        OperatorError,
        Postpone,
        Refuse,
        StoreRefused,
        StoreUnavailable,
        TryAgain,
        UmbelError,
        UnknownAction,
        UnknownConversation,
        UnknownRecord,
        UnusableReply,
    )
    from actions.limits import Dedupe, Lock, RateLimit
    from actions.policy import Isolation, Retry, Timeouts
    from actions.registry import Registry
    from actions.states import Edge, StateMachine
    from orchestrator.answers import Ended, Posted
    from orchestrator.operations.outcome import Acted, CallFailed
    from orchestrator.reading import ConversationStanding, RunStanding, TurnStanding
    from orchestrator.submission import Submission
    from umbel.face import Umbel

__version__ = "0.1.0"

__all__ = [
    "Acted",
    "ActionContext",
    "AppendContext",
    "CallFailed",
    "Cancel",
    "Complete",
    "ConfigError",
    "Continue",
    "ConversationBusy",
    "ConversationStanding",
    "CostTooHigh",
    "DeclarationError",
    "Dedupe",
    "Edge",
    "Ended",
    "Fail",
    "IdempotencyConflict",
    "InvalidArguments",
    "InvalidId",
    "Isolation",
    "Lock",
    "ModelError",
    "OperatorError",
    "Posted",
    "Postpone",
    "RateLimit",
    "Refuse",
    "Registry",
    "Result",
    "Retry",
    "RunStanding",
    "SetContext",
    "StateMachine",
    "StoreRefused",
    "StoreUnavailable",
    "Submission",
    "Timeouts",
    "Transition",
    "TryAgain",
    "TurnStanding",
    "Umbel",
    "UmbelError",
    "UnknownAction",
    "UnknownConversation",
    "UnknownRecord",
    "UnusableReply",
    "action",
]

_HOMES = {
    "actions.context": ("ActionContext",),
    "actions.definition": ("action",),
    "actions.directives": ("AppendContext", "Complete", "Continue", "Result", "SetContext", "Transition"),
    "actions.errors": (
        "Cancel",
        "ConfigError",
        "ConversationBusy",
        "CostTooHigh",
        "DeclarationError",
        "Fail",
        "IdempotencyConflict",
        "InvalidArguments",
        "InvalidId",
        "ModelError",
        "OperatorError",
        "Postpone",
        "Refuse",
        "StoreRefused",
        "StoreUnavailable",
        "TryAgain",
        "UmbelError",
        "UnknownAction",
        "UnknownConversation",
        "UnknownRecord",
        "UnusableReply",
    ),
    "actions.limits": ("Dedupe", "Lock", "RateLimit"),
    "actions.policy": ("Isolation", "Retry", "Timeouts"),
    "actions.registry": ("Registry",),
    "actions.states": ("Edge", "StateMachine"),
    "orchestrator.answers": ("Ended", "Posted"),
    "orchestrator.operations.outcome": ("Acted", "CallFailed"),
    "orchestrator.reading": ("ConversationStanding", "RunStanding", "TurnStanding"),
    "orchestrator.submission": ("Submission",),
    "umbel.face": ("Umbel",),
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    """Import a public name from its home when it is first asked for (PEP 562)."""
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_HOME_OF[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """The public names, for completion."""
    return sorted({*globals(), *__all__})
