"""Replies of no use: a reply and its plan in; whether it was of any, what the model is told of it, and why a turn ends.

What was refused by a policy, a lock or a state is of use: the model has written it well.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pydantic_core import to_json

from actions.errors import (
    BadReference,
    InvalidArguments,
    MalformedCall,
    RepairedArguments,
    TooManyCalls,
    TruncatedCall,
    UnknownAction,
)
from actions.messages import mended
from actions.short import MOST_BYTES, MOST_OF_A_NAME, cut, within
from actions.transcripts import NOTES

if TYPE_CHECKING:
    from actions.messages import CallError, Reply
    from orchestrator.planning import Plan

CODE: Final = "bad_replies"
"""Why a turn ended whose model wrote nothing of use."""
PROVIDER: Final = "provider_error"
"""The error of a reply whose provider failed."""

_AGAIN: Final = " Send it again, complete and in a format that was asked for."
_MISTAKES: Final = frozenset({"not_json", MalformedCall.code, TruncatedCall.code, TooManyCalls.code})
_OF_NO_USE: Final = frozenset(
    each.code
    for each in (
        BadReference, InvalidArguments, MalformedCall, RepairedArguments, TooManyCalls, TruncatedCall, UnknownAction,
    )
)  # fmt: skip


def mistake_in(reply: Reply) -> CallError | None:
    """What the model did wrong in a reply without calls; None: nothing, or it was not the model."""
    if reply.calls:
        return None
    return next((error for error in reply.errors if error.code in _MISTAKES), None)


def failure_in(reply: Reply) -> CallError | None:
    """Why a reply without calls is not what the model wanted to say: its provider failed. None: it did not."""
    if reply.calls or not reply.errors or mistake_in(reply) is not None:
        return None
    failed = next((error for error in reply.errors if error.code == PROVIDER), None)
    return failed or (None if reply.text else reply.errors[0])


def is_bad(reply: Reply, plan: Plan) -> bool:
    """Whether nothing in a reply is of any use: all that it asks for is what cannot be read, or cannot be meant."""
    if not reply.calls:
        return mistake_in(reply) is not None
    refused = [each.error["code"] for each in plan.refused]
    return len(refused) == len(reply.calls) and all(code in _OF_NO_USE for code in refused)


def note_on(flaw: CallError) -> str:
    """What a model is told of a reply that could not be read, as a message (JSON) behind it."""
    text = f"Your reply could not be read. {flaw.message}"
    told = f"{within(text, MOST_BYTES - len(_AGAIN))}{_AGAIN}"
    return to_json({"role": "user", "name": NOTES, "content": mended(told)}).decode()


def end_of(count: int, reply: Reply, plan: Plan) -> dict[str, Any]:
    """Why a turn ends after so many replies of no use: `{"error", "code"}`, with what was wrong with the last one."""
    told = [f"{cut(each.call.name, MOST_OF_A_NAME)}: {each.error['error']}" for each in plan.refused]
    last = (told or [error.message for error in reply.errors])[0]
    return {
        "error": within(f"{count} replies in a row were of no use; the last one: {last}"),
        "code": CODE,
    }
