"""What the model hears: each of these becomes the result of its call, `{"error", "code"}`, short and safe to show.

Some are raised on the way (a call that cannot be read, a handler that fails), others are written by the store where it
refuses or ends a run; then the class stands here for its code. What a call hears because of the others beside it is
in `actions.order_refusals`. `actions.errors` shows the whole tree.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from actions.root import UmbelError

Flaw = tuple[tuple[int | str, ...], str]
"""Keys and places that lead to what is wrong, and what is."""


class ModelError(UmbelError):
    """Goes back to the model as the result of its call: short, exact, safe to show."""

    code = "model"
    exit_code = 65

    def for_model(self) -> dict[str, Any]:
        """Return `{"error": text, "code": code}`, the whole of what the model may see."""
        return {"error": str(self), "code": self.code}


class MalformedCall(ModelError):
    """The call cannot be read: no name, or arguments that are no JSON object."""

    code = "malformed_call"


class TruncatedCall(ModelError):
    """The reply ended inside the call; it never runs."""

    code = "truncated_call"


class TooManyCalls(ModelError):
    """The reply holds more calls than one reply may; this one is beyond the cap."""

    code = "too_many_calls"


class UnknownAction(ModelError):
    """No registered action has this name or simile."""

    code = "unknown_action"


class ForbiddenAction(ModelError):
    """The action exists, but not in this state of the conversation, or not for this principal."""

    code = "forbidden_action"


class InvalidArguments(ModelError):
    """The arguments do not fit the action's params; one line for each problem."""

    code = "invalid_arguments"

    def __init__(self, *told: object, flaws: Sequence[Flaw] = ()) -> None:
        """Take the text; `flaws`: the same for programs, each with the way to where it is in the arguments."""
        super().__init__(*told)
        self.flaws = tuple(flaws)


class RepairedArguments(ModelError):
    """The call was mended before it could be read, and the action takes only what was written without a fault."""

    code = "repaired_arguments"


class RefusedByValidator(ModelError):
    """The action's own validator said no, with its reason."""

    code = "refused"


class ValidatorFailed(ModelError):
    """The action's own validator broke, so the call was not run."""

    code = "validator_failed"


class StateConflict(ModelError):
    """A transition was decided on a revision of the state that no longer holds."""

    code = "state_conflict"


class Locked(ModelError):
    """Somebody else holds the action's lock, and its policy is to refuse."""

    code = "locked"


class RateLimited(ModelError):
    """A rate limit has no room, and its policy is to refuse; the result says when it has."""

    code = "rate_limited"

    def __init__(self, text: str, retry_after_s: float) -> None:
        super().__init__(text)
        self.args = (text, retry_after_s)
        self.retry_after_s = retry_after_s

    def __str__(self) -> str:
        return str(self.args[0])

    def for_model(self) -> dict[str, Any]:
        """Return `{"error": text, "code": code, "retry_after_s": seconds}`."""
        return {**super().for_model(), "retry_after_s": self.retry_after_s}


class CostTooHigh(ModelError):
    """The call would take more units of a rate limit than it ever has at once."""

    code = "cost_too_high"


class Duplicate(ModelError):
    """The same call was made a short while ago, and the action's dedupe refuses the second."""

    code = "duplicate"


class Superseded(ModelError):
    """A newer run took the lock from it, as the lock's policy says."""

    code = "superseded"


class HandlerFailed(ModelError):
    """The handler raised, or gave up with `Fail`."""

    code = "handler_failed"


class HookFailed(ModelError):
    """A hook of the action broke; the text names the hook. The run is not tried again."""

    code = "hook_failed"


class HandlerKilled(ModelError):
    """The process of an isolated action ended: out of memory, or it crashed."""

    code = "handler_killed"


class ResultNotSerialisable(ModelError):
    """The handler returned something that has no JSON form."""

    code = "result_not_serialisable"


class InvalidResult(ModelError):
    """The handler returned something that is not what the action's `output` promises."""

    code = "invalid_result"


class ResultTooLarge(ModelError):
    """The result is over the cap, and the action does not let it be cut."""

    code = "result_too_large"


class TimedOut(ModelError):
    """The attempt took longer than the action's timeout."""

    code = "timed_out"


class CancelledRun(ModelError):
    """The run was cancelled before it ended."""

    code = "cancelled"


class Expired(ModelError):
    """Its time was over: it did not begin within its queue time, or not end within its total time."""

    code = "expired"


class OutcomeUnknown(ModelError):
    """Its worker died or lost it, and nobody knows whether it took effect; the action does not try again then."""

    code = "outcome_unknown"


class Dead(ModelError):
    """Its worker died each time it ran alone; it is not tried again by itself."""

    code = "dead"
