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
     │    ├── UnknownRecord
     │    ├── IdempotencyConflict
     │    ├── InvalidId
     │    ├── InvalidCursor
     │    ├── UnusableReply
     │    └── UnreadableRecord
     └── ModelError                  the model: becomes the result of its call
          ├── MalformedCall   TruncatedCall   TooManyCalls
          ├── UnknownAction   ForbiddenAction   InvalidArguments   RepairedArguments
          ├── RefusedByValidator   ValidatorFailed   StateConflict
          ├── Locked   RateLimited   CostTooHigh   Duplicate   Superseded
          ├── HandlerFailed   HookFailed   HandlerKilled   TimedOut   OutcomeUnknown
          ├── ResultNotSerialisable   InvalidResult   ResultTooLarge
          ├── CancelledRun   Expired   Dead
          ├── MissingDependency   DependencyFailed   DependencyCycle   BadReference
          ├── ChainRefused   ChainOnly   NotRun   Interrupted
          ├── Undone   UndoFailed   NotUndone
          ├── CycleRefused   TooDeep   TooManyFollowUps
          └── UserOnly   ApprovalDenied   ApprovalExpired

    signals.Signal                   no error: how a handler steers its own run
     ├── TryAgain   Postpone
     ├── Fail
     │    └── Stop
     └── Cancel

    signals.Refuse                   no exception: a value, what a validator answers

Each class has a stable `code` that is stored, logged and documented: a class may be renamed, a code may not.
What the model hears stands in `actions.refusals` and `actions.order_refusals`; one import from here serves all.
"""

from __future__ import annotations

from actions.order_refusals import (
    ApprovalDenied,
    ApprovalExpired,
    BadReference,
    ChainOnly,
    ChainRefused,
    CycleRefused,
    DependencyCycle,
    DependencyFailed,
    Interrupted,
    MissingDependency,
    NotRun,
    NotUndone,
    TooDeep,
    TooManyFollowUps,
    UndoFailed,
    Undone,
    UserOnly,
)
from actions.refusals import (
    CancelledRun,
    CostTooHigh,
    Dead,
    Duplicate,
    Expired,
    ForbiddenAction,
    HandlerFailed,
    HandlerKilled,
    HookFailed,
    InvalidArguments,
    InvalidResult,
    Locked,
    MalformedCall,
    ModelError,
    OutcomeUnknown,
    RateLimited,
    RefusedByValidator,
    RepairedArguments,
    ResultNotSerialisable,
    ResultTooLarge,
    StateConflict,
    Superseded,
    TimedOut,
    TooManyCalls,
    TruncatedCall,
    UnknownAction,
    ValidatorFailed,
)
from actions.root import UmbelError
from actions.signals import Cancel, Fail, Postpone, Refuse, Signal, Stop, TryAgain

__all__ = [
    "AmbiguousAction", "ApprovalDenied", "ApprovalExpired", "BadReference", "Cancel", "CancelledRun",
    "ChainOnly", "ChainRefused", "ConfigError", "ConversationBusy", "CostTooHigh", "CycleRefused", "Dead",
    "DeclarationError", "DependencyCycle", "DependencyFailed", "Duplicate", "DuplicateAction", "Expired",
    "Fail", "ForbiddenAction", "HandlerFailed", "HandlerKilled", "HookFailed", "IdempotencyConflict",
    "Interrupted", "InvalidArguments", "InvalidCursor", "InvalidId", "InvalidResult", "LeaseLost", "Locked",
    "MalformedCall", "MissingDependency", "ModelError", "NotRun", "NotUndone", "OperatorError",
    "OutcomeUnknown", "PortInUse", "Postpone", "RateLimited", "Refuse", "RefusedByValidator",
    "RepairedArguments", "ResultNotSerialisable", "ResultTooLarge", "Signal", "StateConflict", "Stop", "StoreRefused",
    "StoreUnavailable", "Superseded", "TimedOut", "TooDeep", "TooManyCalls", "TooManyFollowUps",
    "TruncatedCall", "TryAgain", "UmbelError", "UndoFailed", "Undone", "UnknownAction", "UnknownConversation",
    "UnknownRecord", "UnreadableRecord", "UnusableReply", "UserOnly", "ValidatorFailed",
]  # fmt: skip


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


class UnknownRecord(OperatorError):
    """No run or turn has this id: it never existed, or its time was over."""

    code = "unknown_record"
    exit_code = 65


class IdempotencyConflict(OperatorError):
    """The same idempotency key came again with a different body."""

    code = "idempotency_conflict"
    exit_code = 65


class InvalidId(OperatorError):
    """An id that a caller chose has not the form that ids have."""

    code = "invalid_id"
    exit_code = 65


class InvalidCursor(OperatorError):
    """A cursor is none that a page of the same list has named."""

    code = "invalid_cursor"
    exit_code = 65


class UnusableReply(OperatorError):
    """A posted reply holds neither text nor calls, only errors; nothing was stored."""

    code = "unusable_reply"
    exit_code = 65


class UnreadableRecord(OperatorError):
    """A stored record cannot be read: damaged, or written by a newer version."""

    code = "unreadable_record"
    exit_code = 65
