"""What a person is told when something went wrong: friendly words, and apart from them a code and the detail.

In: an exception, or the error that a call ended with (`{"error": text, "code": code}`). Out: an `ErrorReply`. Its text
holds nothing of the error itself; its detail is for whoever looks into it, and of a surprise it says the type alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from actions import errors
from actions.errors import (
    ConversationBusy,
    ForbiddenAction,
    IdempotencyConflict,
    InvalidId,
    MissingDependency,
    OperatorError,
    StateConflict,
    UmbelError,
    UnknownConversation,
    UnknownRecord,
    UnreadableRecord,
)


class Kind(StrEnum):
    """What went wrong, seen from outside."""

    STATE = "STATE_ERROR"
    """It is not possible in the state in which the conversation is."""
    CONTEXT = "CONTEXT_ERROR"
    """The conversation, or what it refers to, is not there or does not fit."""
    ACTION = "ACTION_ERROR"
    """An action was refused, or failed."""
    SERVICE = "SERVICE_ERROR"
    """The service itself, or something that it needs, does not work."""


TEXTS: Final[Mapping[Kind, str]] = {
    Kind.STATE: "That is not possible at this point of our conversation. Let us go on from where we are.",
    Kind.CONTEXT: "I have lost the thread of our conversation. Please start again from there.",
    Kind.ACTION: "I could not do that. Shall we try it in another way?",
    Kind.SERVICE: "Something on our side does not work at the moment. Please try again a little later.",
}
"""The words for each kind, unless a product has its own."""

_STATE: Final = frozenset(
    each.code for each in (ConversationBusy, ForbiddenAction, MissingDependency, StateConflict)
)
_CONTEXT: Final = frozenset(
    each.code
    for each in (IdempotencyConflict, InvalidId, UnknownConversation, UnknownRecord, UnreadableRecord)
)
_SURPRISE: Final = "internal"
"""The code of what is no error of ours."""
_OPERATORS: Final = frozenset(
    each.code for each in vars(errors).values() if isinstance(each, type) and issubclass(each, OperatorError)
) | {_SURPRISE}
"""Codes that are a service's, where they come without their exception."""


@dataclass(frozen=True, slots=True)
class ErrorReply:
    """One error, in words for a person and in words for whoever looks into it."""

    kind: Kind
    """What went wrong, seen from outside."""
    text: str
    """What the person reads."""
    code: str
    """The error's stable code; "internal" for a surprise."""
    detail: str
    """What exactly it was: for logs, not for the person."""

    def as_dict(self) -> dict[str, str]:
        """Return it for the wire: `{"kind", "text", "code", "detail"}`."""
        return {"kind": self.kind.value, "text": self.text, "code": self.code, "detail": self.detail}


def error_reply(
    error: BaseException | Mapping[str, Any], texts: Mapping[Kind, str] | None = None
) -> ErrorReply:
    """Return what to tell a person of an error.

    Args:
        error: an exception, or the error of a call as the model is told it.
        texts: words of the product's own, by kind; those that it leaves out are `TEXTS`.
    """
    if isinstance(error, Mapping):
        code, detail = str(error.get("code", _SURPRISE)), str(error.get("error", ""))
    elif isinstance(error, UmbelError):
        code, detail = error.code, str(error)
    else:
        code, detail = _SURPRISE, type(error).__name__
    kind = _kind_of(code)
    return ErrorReply(kind, (texts or {}).get(kind, TEXTS[kind]), code, detail)


def _kind_of(code: str) -> Kind:
    if code in _STATE:
        return Kind.STATE
    if code in _CONTEXT:
        return Kind.CONTEXT
    return Kind.SERVICE if code in _OPERATORS else Kind.ACTION
