"""Follow-ups: an action that a handler asks for beside its result becomes a child of its run.

In: the directive, the run that gave it, and what its conversation has seen. Out: a run like that of any call, allowed
and validated; what cannot be is refused already, with its reason as its result. None goes deeper than the fifth, and
none has the action and the arguments of one that it follows up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

from pydantic_core import PydanticSerializationError, from_json, to_json

from actions.errors import CycleRefused, InvalidArguments, MissingDependency, ModelError, TooDeep
from actions.messages import Payload, mended
from actions.params import bind
from orchestrator.digests import arguments_digest, digest
from orchestrator.drafting import FOLLOWS, check_recordable, draft, draft_refused
from orchestrator.judging import bound, check_offered, check_permissions, check_single, check_state

if TYPE_CHECKING:
    from pydantic import BaseModel

    from actions.definition import Action
    from actions.directives import FollowUp
    from actions.registry import Registry
    from orchestrator.store.incoming import NewRun
    from orchestrator.store.records import Claimed, ConversationRecord

DEEPEST: Final = 5
"""Follow-ups that may lie between a run and the call that began it all."""


def draft_follow_up(
    directive: FollowUp,
    parent: Claimed,
    payload: Payload,
    number: int,
    conversation: ConversationRecord | None,
    registry: Registry,
    left_ms: int | None,
    *,
    audit: bool = False,
) -> NewRun:
    """The run that a follow-up becomes.

    Args:
        directive: what the handler asks for.
        parent: the run whose handler asks.
        payload: that run's payload.
        number: which of its follow-ups this is, from 0.
        conversation: where the parent belongs; None: nowhere.
        registry: the actions there are.
        left_ms: milliseconds that the parent has left; the child has no more.
        audit: whether the audit hears of it.
    """
    run = f"{parent.id}.f{number}"
    child = Payload(
        directive.action,
        called=directive.action,
        principal=payload.principal,
        permissions=payload.permissions,
        key=digest(run),
        turn_text=payload.turn_text,
        depth=payload.depth + 1,
        lineage=(*payload.lineage, *_own_digest(payload, registry)),
        root=payload.root or parent.id,
        trace=payload.trace,
    )
    place: dict[str, Any] = {
        "id": run,
        "tenant": parent.tenant,
        "position": FOLLOWS,
        "head": _head(directive.action, run),
        "conversation": parent.conversation or None,
        "audit": audit,
    }
    action: Action | None = None
    try:
        action = registry.resolve(directive.action)
        child.action = action.name
        place["head"] = _head(action.name, run)
        child.arguments = _plain(directive.arguments)
        params = _allowed(action, child, parent, payload, conversation, registry)
        return draft(
            action, params, child, registry=registry, principal=child.principal, total_ms=left_ms, **place
        )
    except ModelError as error:
        return draft_refused(error.for_model(), child, action=action, **place)


def _head(name: str, run: str) -> str:
    """What stands before its status and its result inside the result of its parent."""
    return to_json({"action": mended(name), "run": run}).decode()[:-1]


def _allowed(
    action: Action,
    child: Payload,
    parent: Claimed,
    payload: Payload,
    conversation: ConversationRecord | None,
    registry: Registry,
) -> BaseModel | None:
    """The validated arguments of a follow-up that may run; a ModelError says why another one may not."""
    if child.depth > DEEPEST:
        raise TooDeep(
            f"{action.name} was not run: a follow-up may be {DEEPEST} deep, this would be {child.depth}"
        )
    check_offered(action)
    check_single(action)
    check_permissions(action, child.permissions)
    params = bound(action, child.arguments)
    if params is not None and arguments_digest(action, params) in child.lineage:
        raise CycleRefused(f"{action.name} with these arguments was not run: it follows up itself")
    did = {payload.action} if conversation is None else {payload.action, *conversation.did}
    for wanted in registry.dependencies(action):
        if wanted.name not in did:
            raise MissingDependency(f"{action.name} needs {wanted.name} to have succeeded before")
    if conversation is not None and conversation.machine and not _may_move(payload, registry):
        check_state(action, registry.machine(conversation.machine), parent.state or conversation.state)
    return params


def _own_digest(payload: Payload, registry: Registry) -> tuple[str, ...]:
    """The digest of the parent itself; none if its arguments are not all in its payload."""
    try:
        action = registry.resolve(payload.action)
        return (arguments_digest(action, bind(action, payload.arguments)),)
    except ModelError:
        return ()


def _may_move(payload: Payload, registry: Registry) -> bool:
    """Whether the parent may change the state in the same step; then the child is judged when it is claimed."""
    try:
        return registry.resolve(payload.action).may_transition
    except ModelError:
        return True


def _plain(arguments: dict[str, Any]) -> dict[str, Any]:
    """What a handler gives, as the JSON that a record can hold."""
    try:
        plain = from_json(to_json(mended(arguments)))
    except (PydanticSerializationError, ValueError, RecursionError):
        raise InvalidArguments("the arguments of a follow-up have no JSON form") from None
    check_recordable(plain)
    return cast("dict[str, Any]", plain)
