"""Umbel executes the actions that language models ask for, on the Celery and Redis that a team already runs.

This is the public face. Names are found when they are first asked for, so that `import umbel` costs next to
nothing and pulls in neither Celery nor Redis:

    from umbel import Lock, RateLimit, Refuse, Retry, action     # to declare actions
    from umbel import Client                                     # to ask a service over HTTP
    from umbel import Umbel                                      # to hand work straight to the store
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from actions.approvals import Approval
    from actions.chains import Chain
    from actions.context import ActionContext
    from actions.definition import action
    from actions.directives import (
        AppendContext,
        Complete,
        Continue,
        FollowUp,
        Remember,
        Result,
        SetContext,
        SetParticipant,
        Transition,
    )
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
        Stop,
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
    from actions.messages import Call, CallError, Reply
    from actions.policy import Isolation, Retry, Timeouts
    from actions.registry import Registry
    from actions.spoken import respond_or_ignore, yes_or_no
    from actions.states import Edge, StateMachine
    from orchestrator.answers import Ended, Posted
    from orchestrator.client import AsyncClient, Client
    from orchestrator.clients.errors import (
        ApiError,
        Conflict,
        Flaw,
        Forbidden,
        Invalid,
        NotFound,
        PlainHttpWarning,
        ServerFault,
        TooLarge,
        TooManyRequests,
        Unauthorised,
        Unavailable,
        Unreachable,
    )
    from orchestrator.clients.events import (
        Changes,
        RunChange,
        StateChange,
        StreamEnd,
        StreamReset,
        TurnChange,
    )
    from orchestrator.dead_calls import DeadCall, StuckCall, Which
    from orchestrator.decisions import Wanted
    from orchestrator.error_replies import ErrorReply, error_reply
    from orchestrator.examples import choose_examples, compose_examples
    from orchestrator.instructions import Instruction, instruction, instructions
    from orchestrator.intake.incoming import StreamReader
    from orchestrator.operations.chain_results import ChainResult, Started, StepEnd
    from orchestrator.operations.outcome import Acted, CallFailed
    from orchestrator.operations.parse import parse_output
    from orchestrator.operations.workflow import WorkflowResult
    from orchestrator.outputs.unfit import UnfitOutput
    from orchestrator.outputs.values import list_in, object_in
    from orchestrator.plans import Plan, PlanError, Step
    from orchestrator.reading import ConversationStanding, RunStanding, TurnStanding
    from orchestrator.response_models import Response, response_model
    from orchestrator.submission import Submission
    from orchestrator.workflows import Workflow, branch, converge, parallel, step
    from umbel.face import Umbel

__version__ = "0.1.0"

__all__ = [
    "Acted", "ActionContext", "ApiError", "AppendContext", "Approval", "AsyncClient", "Call", "CallError", "CallFailed",
    "Cancel", "Chain", "ChainResult", "Changes", "Client", "Complete", "ConfigError", "Conflict", "Continue",
    "ConversationBusy", "ConversationStanding", "CostTooHigh", "DeadCall", "DeclarationError", "Dedupe", "Edge",
    "Ended", "ErrorReply", "Fail", "Flaw", "FollowUp", "Forbidden", "IdempotencyConflict", "Instruction", "Invalid",
    "InvalidArguments", "InvalidId", "Isolation", "Lock", "ModelError", "NotFound", "OperatorError",
    "PlainHttpWarning", "Plan", "PlanError", "Posted", "Postpone", "RateLimit", "Refuse", "Registry", "Remember",
    "Reply", "Response", "Result", "Retry", "RunChange", "RunStanding", "ServerFault", "SetContext",
    "SetParticipant", "Started", "StateChange", "StateMachine", "Step", "StepEnd", "Stop", "StoreRefused",
    "StoreUnavailable", "StreamEnd", "StreamReader", "StreamReset", "StuckCall", "Submission", "Timeouts",
    "TooLarge", "TooManyRequests", "Transition", "TryAgain", "TurnChange", "TurnStanding", "Umbel", "UmbelError",
    "Unauthorised", "Unavailable", "UnfitOutput", "UnknownAction", "UnknownConversation", "UnknownRecord",
    "Unreachable", "UnusableReply", "Wanted", "Which", "Workflow", "WorkflowResult", "action", "branch",
    "choose_examples", "compose_examples", "converge", "error_reply", "instruction", "instructions", "list_in",
    "object_in", "parallel", "parse_output", "respond_or_ignore", "response_model", "step", "yes_or_no",
]  # fmt: skip

_HOMES = {
    "actions.approvals": "Approval",
    "actions.chains": "Chain",
    "actions.context": "ActionContext",
    "actions.definition": "action",
    "actions.directives": (
        "AppendContext Complete Continue FollowUp Remember Result SetContext SetParticipant Transition"
    ),
    "actions.errors": (
        "Cancel ConfigError ConversationBusy CostTooHigh DeclarationError Fail IdempotencyConflict "
        "InvalidArguments InvalidId ModelError OperatorError Postpone Refuse Stop StoreRefused "
        "StoreUnavailable TryAgain UmbelError UnknownAction UnknownConversation UnknownRecord UnusableReply"
    ),
    "actions.limits": "Dedupe Lock RateLimit",
    "actions.messages": "Call CallError Reply",
    "actions.policy": "Isolation Retry Timeouts",
    "actions.registry": "Registry",
    "actions.spoken": "respond_or_ignore yes_or_no",
    "actions.states": "Edge StateMachine",
    "orchestrator.answers": "Ended Posted",
    "orchestrator.client": "AsyncClient Client",
    "orchestrator.clients.errors": (
        "ApiError Conflict Flaw Forbidden Invalid NotFound PlainHttpWarning ServerFault TooLarge "
        "TooManyRequests Unauthorised Unavailable Unreachable"
    ),
    "orchestrator.clients.events": "Changes RunChange StateChange StreamEnd StreamReset TurnChange",
    "orchestrator.dead_calls": "DeadCall StuckCall Which",
    "orchestrator.decisions": "Wanted",
    "orchestrator.error_replies": "ErrorReply error_reply",
    "orchestrator.examples": "choose_examples compose_examples",
    "orchestrator.instructions": "Instruction instruction instructions",
    "orchestrator.intake.incoming": "StreamReader",
    "orchestrator.operations.chain_results": "ChainResult Started StepEnd",
    "orchestrator.operations.outcome": "Acted CallFailed",
    "orchestrator.operations.parse": "parse_output",
    "orchestrator.operations.workflow": "WorkflowResult",
    "orchestrator.outputs.unfit": "UnfitOutput",
    "orchestrator.outputs.values": "list_in object_in",
    "orchestrator.plans": "Plan PlanError Step",
    "orchestrator.reading": "ConversationStanding RunStanding TurnStanding",
    "orchestrator.response_models": "Response response_model",
    "orchestrator.submission": "Submission",
    "orchestrator.workflows": "Workflow branch converge parallel step",
    "umbel.face": "Umbel",
}
"""Where the public names are at home."""
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names.split()}


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
