"""Every error of the project, split by the one who has to act on it.

    UmbelError
     ├── DeclarationError            the programmer: wrong when it was declared
     │    ├── DuplicateAction
     │    └── AmbiguousAction
     ├── OperatorError               the operator: wrong when started, or the store refused
     │    ├── ConfigError
     │    ├── PortInUse
     │    ├── StoreUnavailable
     │    ├── StoreRefused
     │    ├── LeaseLost
     │    ├── ConversationBusy
     │    ├── UnknownConversation
     │    ├── IdempotencyConflict
     │    ├── InvalidId
     │    ├── UnusableReply
     │    └── UnreadableRecord
     └── ModelError                  the model: becomes the result of its call
          ├── MalformedCall   TruncatedCall   TooManyCalls
          ├── UnknownAction   ForbiddenAction   InvalidArguments
          ├── RefusedByValidator   ValidatorFailed   StateConflict
          └── HandlerFailed   ResultNotSerialisable   InvalidResult   TimedOut   CancelledRun

    signals.Signal                   no error: how a handler steers its own run
     ├── TryAgain   Postpone
     └── Fail       Cancel

    signals.Refuse                   no exception: a value, what a validator answers

Each class has a stable `code` that is stored, logged and documented: a class may be renamed, a code may not.
"""

from __future__ import annotations

from typing import ClassVar

from actions.signals import Cancel, Fail, Postpone, Refuse, Signal, TryAgain

__all__ = [
    "AmbiguousAction", "Cancel", "CancelledRun", "ConfigError", "ConversationBusy", "DeclarationError",
    "DuplicateAction", "Fail", "ForbiddenAction", "HandlerFailed", "IdempotencyConflict",
    "InvalidArguments", "InvalidId", "InvalidResult", "LeaseLost", "MalformedCall", "ModelError", "OperatorError",
    "PortInUse", "Postpone", "Refuse", "RefusedByValidator", "ResultNotSerialisable", "Signal",
    "StateConflict", "StoreRefused", "StoreUnavailable", "TimedOut", "TooManyCalls", "TruncatedCall",
    "TryAgain", "UmbelError", "UnknownAction", "UnknownConversation", "UnreadableRecord", "UnusableReply",
    "ValidatorFailed",
]  # fmt: skip


class UmbelError(Exception):
    """Root of the tree. `code` is stable; `exit_code` is what a command ends with (as in sysexits.h)."""

    code: ClassVar[str] = "error"
    exit_code: ClassVar[int] = 70


class DeclarationError(UmbelError):
    """An action, policy, registry or state machine is declared wrongly; the message says what to change."""

    code = "declaration"
    exit_code = 78


class DuplicateAction(DeclarationError):
    """Two actions have the same name after normalising."""

    code = "duplicate_action"


class AmbiguousAction(DeclarationError):
    """One simile belongs to two actions, or is another action's name."""

    code = "ambiguous_action"


class OperatorError(UmbelError):
    """Something outside the code has to be put right. The message reads "what (where). What to do"."""

    code = "operator"

    def __init__(self, what: str, *, where: str = "", fix: str = "") -> None:
        place = f" ({where})" if where else ""
        advice = f". {fix}" if fix else ""
        super().__init__(f"{what}{place}{advice}")


class ConfigError(OperatorError):
    """A setting, a module or a service that was named is missing or wrong."""

    code = "config"
    exit_code = 78


class PortInUse(OperatorError):
    """Another process listens on the port that was asked for."""

    code = "port_in_use"
    exit_code = 69


class StoreUnavailable(OperatorError):
    """Redis does not answer; trying later may help."""

    code = "store_unavailable"
    exit_code = 69


class StoreRefused(OperatorError):
    """Redis answered and said no: wrong password, full memory, a refused script. Waiting does not help."""

    code = "store_refused"
    exit_code = 69


class LeaseLost(OperatorError):
    """The pump's right to its runs is over; what it finished late changes nothing."""

    code = "lease_lost"
    exit_code = 75


class ConversationBusy(OperatorError):
    """The conversation has a live turn; a second one may start when that has ended."""

    code = "conversation_busy"
    exit_code = 75


class UnknownConversation(OperatorError):
    """No conversation has this id: it never existed, or its time was over."""

    code = "unknown_conversation"
    exit_code = 65


class IdempotencyConflict(OperatorError):
    """The same idempotency key came again with a different body."""

    code = "idempotency_conflict"
    exit_code = 65


class InvalidId(OperatorError):
    """An id that a caller chose has not the form that ids have."""

    code = "invalid_id"
    exit_code = 65


class UnusableReply(OperatorError):
    """A posted reply holds neither text nor calls, only errors; nothing was stored."""

    code = "unusable_reply"
    exit_code = 65


class UnreadableRecord(OperatorError):
    """A stored record cannot be read: damaged, or written by a newer version."""

    code = "unreadable_record"
    exit_code = 65


class ModelError(UmbelError):
    """Goes back to the model as the result of its call: short, exact, safe to show."""

    code = "model"
    exit_code = 65

    def for_model(self) -> dict[str, str]:
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


class RefusedByValidator(ModelError):
    """The action's own validator said no, with its reason."""

    code = "refused"


class ValidatorFailed(ModelError):
    """The action's own validator broke, so the call was not run."""

    code = "validator_failed"


class StateConflict(ModelError):
    """A transition was decided on a revision of the state that no longer holds."""

    code = "state_conflict"


class HandlerFailed(ModelError):
    """The handler raised, or gave up with `Fail`."""

    code = "handler_failed"


class ResultNotSerialisable(ModelError):
    """The handler returned something that has no JSON form."""

    code = "result_not_serialisable"


class InvalidResult(ModelError):
    """The handler returned something that is not what the action's `output` promises."""

    code = "invalid_result"


class TimedOut(ModelError):
    """The attempt took longer than the action's timeout."""

    code = "timed_out"


class CancelledRun(ModelError):
    """The run was cancelled before it ended."""

    code = "cancelled"
