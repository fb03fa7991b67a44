"""Which replies are accepted: the dialects that are read, and how many replies in a row may be of no use.

In: what the settings and a conversation say; then a reply and its plan. Out: whether it was of any use, what the model
is told of it, and why the turn ends after too many of them. What was refused by a policy, a lock or a state is of use:
the model has written it well.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pydantic_core import to_json

from actions.errors import (
    BadReference,
    DeclarationError,
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
from orchestrator.intake.draft import Unusable
from orchestrator.intake.names import chosen

if TYPE_CHECKING:
    from collections.abc import Iterable

    from actions.messages import CallError, Reply
    from orchestrator.planning import Plan
    from orchestrator.settings import Settings

NONE: Final = "none"
"""In place of dialects: calls stand in no text, only where the provider's format has a place for them."""
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


@dataclass(frozen=True, slots=True)
class Accepting:
    """What is accepted."""

    dialects: tuple[str, ...] | None = None
    """Names of the dialects in which calls may stand in a text, unless the conversation says otherwise; None: all."""
    bad_replies: int = 3
    """So many replies of no use in a row end their turn."""

    @classmethod
    def of(cls, settings: Settings) -> Accepting:
        """What the settings say."""
        return cls(read_dialects(" ".join(settings.dialects)), settings.bad_replies)

    def dialects_of(self, said: str) -> tuple[str, ...] | None:
        """The dialects of a conversation; `said` is what its record says."""
        return read_dialects(said) if said else self.dialects


def check_dialects(given: Iterable[str] | None) -> str:
    """The dialects of a conversation as its record has them: "" for None, which leaves it to the settings.

    Raises:
        DeclarationError: there is no such dialect.
    """
    if given is None:
        return ""
    told = [given] if isinstance(given, str) else list(given)
    if told in ([], [NONE]):
        return NONE
    try:
        return " ".join(each.name for each in chosen(told))
    except Unusable as error:
        raise DeclarationError(f"dialects: {error}") from None


def read_dialects(said: str) -> tuple[str, ...] | None:
    """The dialects that a record or a setting names; None: all."""
    return () if said == NONE else tuple(said.split()) or None


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
