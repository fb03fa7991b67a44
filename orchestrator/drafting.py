"""An action and its validated params -> the run as the store records it, by one function for everybody.

In: what was resolved, allowed and validated, and whose run it is. Out: a `NewRun` with its lane, guards, clocks and
whatever else the action declares. What is refused becomes a record too: terminal at once, with its result.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Final, Literal

from pydantic_core import to_json

from actions.canonical import canonical
from actions.errors import InvalidArguments
from actions.messages import Status
from actions.policy import milliseconds
from orchestrator.asks import ask_for, asks_the_same
from orchestrator.auditing import ALLOWED, ASKS, audit_line
from orchestrator.guards import guards_of, ordered
from orchestrator.store.incoming import LockGuard, NewRun, Priority, Sameness
from orchestrator.store.keys import lane

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import timedelta

    from pydantic import BaseModel

    from actions.definition import Action
    from actions.messages import Payload
    from actions.registry import Registry
    from orchestrator.guards import Guard

_DEEPEST: Final = 150
_LONGEST_INT: Final = 14_000  # bits, some 4,200 digits
FOLLOWS: Final = "f"
"""The place of a run that follows up another one."""
NO_LANE: Final = "-"
"""Where the record of a call stands that no action answers to; it never becomes ready."""


def draft(
    action: Action,
    params: BaseModel | None,
    payload: Payload,
    *,
    id: str,  # noqa: A002 - the field's word
    registry: Registry,
    tenant: str = "",
    principal: str | None = None,
    conversation: str | None = None,
    caps_guards: tuple[Guard, ...] = (),
    guards: tuple[Guard, ...] | None = None,
    status: Status = Status.READY,
    position: int | str = "",
    head: str = "",
    open: int = 0,  # noqa: A002 - the field's word
    dependents: tuple[str, ...] = (),
    reply_to: str = "",
    key_digest: str = "",
    total_ms: int | None = None,
    delay_ms: int = 0,
    chain: Literal["", "step"] = "",
    belongs_to: str = "",
    note: str = "",
    audit: bool = False,
) -> NewRun:
    """Return the run. Whether it asks for an approval, can be undone, and is remembered, its action says.

    One that may be undone or rescued has a lock of its own: a handler that goes on after its end (a thread cannot be
    stopped) keeps that, so that neither overtakes it.

    Args:
        action: what it does.
        params: its validated arguments; None while some of them are still to come, which the worker then judges.
        payload: what rides to the worker.
        id: the run's id.
        registry: knows the order of guards.
        tenant: whose share of the workers it uses.
        principal: on whose behalf it runs.
        conversation: where it belongs, if it does.
        caps_guards: guards beside the action's own, such as caps.
        guards: the action's own, if they are known already.
        status: READY, or BLOCKED with `open` dependencies.
        position: its place in its round.
        head: its tool message up to the content.
        open: how many runs have to end before.
        dependents: the runs that wait for its end.
        reply_to: the list that its end is told to.
        key_digest: of what was asked for under an idempotency key.
        total_ms: the caller's own deadline, in milliseconds from now.
        delay_ms: how long it waits before it is ready; the action's clocks begin after that.
        chain: whether it is a step of a chain.
        belongs_to: the conversation of a run that belongs to none of its turns.
        note: what stands before its end in a note to that conversation; empty: there is no note.
        audit: whether the audit hears of it.

    Raises:
        CostTooHigh: it would take more of a rate limit than there ever is.
    """
    if guards is None:
        guards = (
            ()
            if params is None
            else guards_of(
                action,
                params,
                principal=principal,
                tenant=tenant,
                conversation=conversation,
                registry=registry,
            )
        )
    ask = same = None
    if params is not None:
        if action.dedupe is not None:
            same = sameness(action, params, principal=principal, tenant=tenant, conversation=conversation)
        if action.approval is not None and not (action.hooks_arguments or action.preprocessor):
            ask = ask_for(action, params, principal=principal, tenant=tenant, conversation=conversation)
            if ask is not None and not asks_the_same(ask, action, payload.arguments):
                ask = None
        # where there is none, the worker asks: with what the handler will get
    undoes: Literal["", "1", "2"] = ""
    if action.undoer is not None and (chain or position == FOLLOWS):
        undoes = "2" if action.undo_takes_none else "1"
    if undoes or action.rescuer is not None:
        caps_guards = (*caps_guards, LockGuard(f"~run:{id}"))
    clocks = action.timeouts
    own_total = _from_now(clocks.total, delay_ms)
    return NewRun(
        id=id,
        lane=lane_of(action),
        payload=payload.encode(),
        status=status,
        priority=Priority[action.priority.upper()],
        tenant=tenant,
        position=position,
        head=head,
        open=open,
        dependents=dependents,
        reply_to=reply_to,
        guards=ordered((*guards, *caps_guards), registry) if caps_guards else guards,
        total_ms=min((each for each in (own_total, total_ms) if each is not None), default=None),
        queue_ms=_from_now(clocks.queue, delay_ms),
        delay_ms=delay_ms,
        on_unknown=action.on_unknown,
        digest=key_digest,
        same=same,
        approval=ask,
        chain=chain,
        undoes=undoes,
        rescues=action.rescuer is not None,
        did=action.name if conversation and action.name in registry.depended_on else "",
        conversation=belongs_to,
        note=note,
        audit=audit_line(id, action, payload, tenant, conversation, ASKS if ask else ALLOWED)
        if audit
        else "",
    )


def check_recordable(arguments: Mapping[str, Any]) -> None:
    """Raise InvalidArguments for arguments that a record cannot hold so that they are read back.

    JSON is read back to a depth of some 200; Python reads no whole number of more than 4,300 digits.
    """
    level: list[Any] = [arguments]
    for _ in range(_DEEPEST):
        level = [
            item
            for each in level
            for item in (each.values() if isinstance(each, dict) else each)
            if isinstance(item, dict | list) or (isinstance(item, int) and item.bit_length() > _LONGEST_INT)
        ]
        if not level:
            return
        if not all(isinstance(each, dict | list) for each in level):
            raise InvalidArguments("a number in the arguments has too many digits")
    raise InvalidArguments(f"the arguments are nested too deep: {_DEEPEST} levels at most")


def draft_refused(
    error: dict[str, Any],
    payload: Payload,
    *,
    id: str,  # noqa: A002 - the field's word
    action: Action | None = None,
    tenant: str = "",
    position: int | str = "",
    head: str = "",
    reply_to: str = "",
    key_digest: str = "",
    conversation: str | None = None,
    audit: bool = False,
) -> NewRun:
    """Return a run that is refused already, with what the model is told; `action` if the call named one."""
    code = str(error.get("code", ""))
    return NewRun(
        id=id,
        lane=lane_of(action) if action else NO_LANE,
        payload=payload.encode(),
        status=Status.REFUSED,
        priority=Priority[action.priority.upper()] if action else Priority.NORMAL,
        tenant=tenant,
        position=position,
        head=head,
        result=to_json(error).decode(),
        reply_to=reply_to,
        digest=key_digest,
        audit=audit_line(id, action, payload, tenant, conversation, code) if audit else "",
    )


def lane_of(action: Action) -> str:
    """The lane of an action: a place on the loop, a thread, or a process of its own."""
    if action.isolation is not None:
        return lane(action.queue, isolated=True)
    return lane(action.queue, threaded=not action.is_async)


def sameness(
    action: Action, params: BaseModel, *, principal: str | None, tenant: str | None, conversation: str | None
) -> Sameness | None:
    """By what a run is found to be the same as an earlier one; None if its action does not ask for it.

    A run without conversation has no sameness within one.
    """
    dedupe = action.dedupe
    if dedupe is None or (dedupe.scope == "conversation" and not conversation):
        return None
    scope = {
        "principal": [tenant or "", principal],
        "conversation": [conversation],
        "tenant": [tenant or ""],
        "all": [],
    }[dedupe.scope]
    told = canonical([action.name, dedupe.scope, scope, params])
    digest = blake2b(told.encode(), digest_size=16).hexdigest()
    return Sameness(digest, milliseconds(dedupe.window), dedupe.mode)


def _from_now(length: timedelta | None, delay_ms: int) -> int | None:
    return None if length is None else milliseconds(length) + delay_ms
