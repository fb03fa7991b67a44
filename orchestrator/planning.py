"""Calls in, a plan out: which become runs, in what order, and which are refused at once.

Resolve the name, ask the policy, validate the arguments, order. A refused call keeps its place with its result, so
that each call has exactly one. What a state machine allows is judged here only for calls that stand before the first
possible transition of their reply; the later ones wait for it and are judged when they are claimed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic_core import to_json

from actions.errors import ForbiddenAction, ModelError
from actions.messages import Payload, Status, idempotency_key, run_id_of
from actions.params import bind
from actions.validation import lacking
from orchestrator.store.keys import lane
from orchestrator.store.records import NewRun, Priority

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from actions.definition import Action
    from actions.messages import Call, Reply, TurnId
    from actions.registry import Registry
    from actions.states import StateMachine
    from orchestrator.store.records import ConversationRecord


@dataclass(frozen=True, slots=True)
class Refusal:
    """A call that does not run, and what the model is told."""

    call: Call
    """What the model asked for."""
    error: dict[str, str]
    """`{"error": text, "code": code}`."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A reply, ready to be submitted as one round."""

    message: str
    """The assistant's message in OpenAI's chat shape, as JSON."""
    runs: list[NewRun]
    """One for each call, in call order; the refused ones are terminal already."""
    refused: list[Refusal]
    """The refused ones again, for people."""


def plan(
    reply: Reply, conversation: ConversationRecord, turn: TurnId, number: int, registry: Registry
) -> Plan:
    """Plan the calls of a reply as round `number` (from 0) of a turn."""
    machine = registry.machine(conversation.machine) if conversation.machine else None
    ids = call_ids(reply.calls, turn, number)
    decided = [_decide(call, conversation, registry) for call in reply.calls]
    if machine is not None:
        decided = _judge_states(decided, machine, conversation.state)
    barriers = [_may_transition(found) for found in decided]
    waits = _order([isinstance(found, _Accepted) for found in decided], barriers)
    run_ids = [str(run_id_of(turn, number, at)) for at in range(len(decided))]
    runs: list[NewRun] = []
    for at, (call, found) in enumerate(zip(reply.calls, decided, strict=True)):
        payload = _payload(call, found, conversation, reply.text)
        payload.key = idempotency_key(conversation.id, turn, number, at)
        runs.append(
            NewRun(
                id=run_ids[at],
                lane=found.lane if isinstance(found, _Accepted) else "-",
                payload=payload.encode(),
                status=_status(found, waiting=bool(waits[at])),
                priority=found.priority if isinstance(found, _Accepted) else Priority.NORMAL,
                tenant=conversation.tenant,
                position=at,
                head=tool_head(ids[at]),
                result="" if isinstance(found, _Accepted) else to_json(found).decode(),
                open=len(waits[at]),
                dependents=tuple(run_ids[later] for later, on in enumerate(waits) if at in on),
            )
        )
    refused = [
        Refusal(call, found)
        for call, found in zip(reply.calls, decided, strict=True)
        if not isinstance(found, _Accepted)
    ]
    return Plan(assistant_message(reply, ids), runs, refused)


@dataclass(frozen=True, slots=True)
class _Accepted:
    action: Action
    lane: str
    priority: Priority


def _decide(call: Call, conversation: ConversationRecord, registry: Registry) -> _Accepted | dict[str, str]:
    """What does not depend on the state: can it be read, does it exist, is it permitted, do the arguments fit."""
    if call.error is not None:
        return {"error": call.error.message, "code": call.error.code}
    try:
        action = registry.resolve(call.name)
        check_permissions(action, conversation.permissions)
        bind(action, call.arguments or {})
    except ModelError as error:
        return error.for_model()
    return _Accepted(
        action, lane(action.queue, threaded=not action.is_async), Priority[action.priority.upper()]
    )


def _may_transition(found: _Accepted | dict[str, str]) -> bool:
    return isinstance(found, _Accepted) and found.action.may_transition


def _judge_states(
    decided: Sequence[_Accepted | dict[str, str]], machine: StateMachine, state: str | None
) -> list[_Accepted | dict[str, str]]:
    """Judge by the state that holds now, up to the first call that may change it; one that is refused cannot."""
    judged: list[_Accepted | dict[str, str]] = []
    for found in decided:
        may_have_changed = any(map(_may_transition, judged))
        judged.append(found if may_have_changed else _judge_state(found, machine, state))
    return judged


def _judge_state(
    found: _Accepted | dict[str, str], machine: StateMachine, state: str | None
) -> _Accepted | dict[str, str]:
    if not isinstance(found, _Accepted):
        return found
    try:
        check_state(found.action, machine, state)
    except ForbiddenAction as error:
        return error.for_model()
    return found


def check_permissions(action: Action, permissions: Iterable[str]) -> None:
    """Raise ForbiddenAction if the action asks for a permission that is not there."""
    if refusal := lacking(action, frozenset(permissions)):
        raise ForbiddenAction(refusal.reason)


def check_state(action: Action, machine: StateMachine, state: str | None) -> None:
    """Raise ForbiddenAction if the state machine does not allow the action in this state."""
    if action.everywhere or (state is not None and machine.allows(state, action.name)):
        return
    allowed = ", ".join(sorted(machine.allowed(state))) if state is not None else ""
    raise ForbiddenAction(
        f"{action.name} is not allowed in the state {state}; allowed there: {allowed or 'nothing'}"
    )


def _order(accepted: Sequence[bool], barriers: Sequence[bool]) -> list[set[int]]:
    """For each call the positions that must have ended before it: a possible transition parts before from after."""
    waits: list[set[int]] = []
    since: set[int] = set()
    barrier: set[int] = set()
    for at, runs in enumerate(accepted):
        if not runs:
            waits.append(set())
        elif barriers[at]:
            waits.append(since or barrier)
            barrier, since = {at}, set()
        else:
            waits.append(barrier)
            since = since | {at}
    return waits


def _status(found: _Accepted | dict[str, str], *, waiting: bool) -> Status:
    if not isinstance(found, _Accepted):
        return Status.REFUSED
    return Status.BLOCKED if waiting else Status.READY


def _payload(
    call: Call, found: _Accepted | dict[str, str], conversation: ConversationRecord, text: str
) -> Payload:
    return Payload(
        action=found.action.name if isinstance(found, _Accepted) else "",
        arguments=call.arguments or {},
        call_id=call.id,
        called=call.name,
        principal=conversation.principal,
        permissions=conversation.permissions,
        turn_text=text if isinstance(found, _Accepted) and found.action.everywhere else "",
    )


def call_ids(calls: Iterable[Call], turn: str, number: int) -> list[str]:
    """An id for each call: the provider's where it has one that is new in this reply, else one of ours."""
    seen: set[str] = set()
    ids: list[str] = []
    for at, call in enumerate(calls):
        own = f"call_{turn[5:]}_{number}_{at}"
        chosen = call.id if call.id and call.id not in seen else own
        while chosen in seen:  # a model has guessed ours
            chosen += "_"
        seen.add(chosen)
        ids.append(chosen)
    return ids


def tool_head(call_id: str) -> str:
    """A tool message up to its content; the store adds that when the round is complete."""
    return f'{{"role":"tool","tool_call_id":{to_json(call_id).decode()},"content":'


def assistant_message(reply: Reply, ids: Sequence[str]) -> str:
    """The reply as a message in OpenAI's chat shape, with an id for each call."""
    message: dict[str, Any] = {"role": "assistant", "content": reply.text or None}
    if reply.calls:
        message["tool_calls"] = [
            {"id": call_id, "type": "function", "function": {"name": call.name, "arguments": _text(call)}}
            for call_id, call in zip(ids, reply.calls, strict=True)
        ]
    return to_json(message, inf_nan_mode="null").decode()


def _text(call: Call) -> str:
    return call.raw if call.arguments is None else to_json(call.arguments).decode()
