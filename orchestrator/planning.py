"""Calls in, a plan out: which become runs, in what order, and which are refused at once.

Resolve the name, ask the policy, validate the arguments, order. A refused call keeps its place with its result, so
that each call has exactly one. What a state machine allows is judged here only for calls that stand before the first
possible transition of their reply; the later ones wait for it and are judged when they are claimed.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from pydantic_core import from_json

from actions.errors import ForbiddenAction, ModelError
from actions.messages import Payload, Status, idempotency_key, run_id_of
from actions.params import bind
from actions.validation import lacking
from orchestrator.chat_shape import assistant_message, call_ids, tool_head
from orchestrator.drafting import check_recordable, draft, draft_refused
from orchestrator.guards import Caps, guards_of
from orchestrator.guards import caps as caps_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pydantic import BaseModel

    from actions.definition import Action
    from actions.messages import Call, Reply, TurnId
    from actions.registry import Registry
    from actions.states import StateMachine
    from orchestrator.guards import Guard
    from orchestrator.store.incoming import NewRun
    from orchestrator.store.records import ConversationRecord


log: Final = logging.getLogger("umbel.planning")

STANDARD_CAPS: Final = Caps()
"""Unless the settings say otherwise."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A call that does not run, and what the model is told."""

    call: Call
    """What the model asked for."""
    error: dict[str, Any]
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

    def log_refusals(self, conversation: str) -> None:
        """Tell the operator's log what was refused, by name and code: arguments may be anybody's secrets."""
        if self.refused:
            names = ", ".join(
                f"{refusal.call.name:.60} ({refusal.error['code']})" for refusal in self.refused[:8]
            )
            more = f" and {len(self.refused) - 8} more" if len(self.refused) > 8 else ""  # noqa: PLR2004 - a line's worth
            log.info(
                "%s: refused %s%s", conversation, names.encode("ascii", "backslashreplace").decode(), more
            )


def plan(
    reply: Reply,
    conversation: ConversationRecord,
    turn: TurnId,
    number: int,
    registry: Registry,
    caps: Caps = STANDARD_CAPS,
) -> Plan:
    """Plan the calls of a reply as round `number` (from 0) of a turn, with these caps on what is in flight."""
    ids = call_ids(reply.calls, turn, number)
    decided = [_decide(call, conversation, registry) for call in reply.calls]
    if conversation.machine:
        _judge_states(decided, registry.machine(conversation.machine), conversation.state)
    waits = _order(decided)
    run_ids = [str(run_id_of(turn, number, at)) for at in range(len(decided))]
    running = sum(1 for found in decided if found.error is None)
    of_round = caps_of(
        caps, calls=running, turn=turn, conversation=conversation.id, tenant=conversation.tenant
    )
    runs: list[NewRun] = []
    for at, found in enumerate(decided):
        payload = _payload(found, conversation, reply.text)
        payload.key = idempotency_key(conversation.id, turn, number, at)
        place: dict[str, Any] = {
            "id": run_ids[at], "tenant": conversation.tenant, "position": at, "head": tool_head(ids[at]),
        }  # fmt: skip
        if found.error is not None or found.action is None or found.params is None:
            runs.append(draft_refused(found.error or {}, payload, action=found.action, **place))
            continue
        runs.append(
            draft(
                found.action,
                found.params,
                payload,
                registry=registry,
                principal=conversation.principal,
                conversation=conversation.id,
                guards=found.guards,
                caps_guards=of_round,
                status=Status.BLOCKED if waits[at] else Status.READY,
                open=len(waits[at]),
                dependents=tuple(run_ids[later] for later, on in enumerate(waits) if at in on),
                **place,
            )
        )
    refused = [Refusal(found.call, found.error) for found in decided if found.error is not None]
    return Plan(assistant_message(reply, ids), runs, refused)


@dataclass(slots=True)
class _Decided:
    """A call, what it was resolved to, and why it does not run, if it does not."""

    call: Call
    action: Action | None = None
    params: BaseModel | None = None
    guards: tuple[Guard, ...] = ()
    error: dict[str, Any] | None = None

    @property
    def may_transition(self) -> bool:
        return self.error is None and self.action is not None and self.action.may_transition


def _decide(call: Call, conversation: ConversationRecord, registry: Registry) -> _Decided:
    """What does not depend on the state: can it be read, does it exist, is it permitted, does it fit its limits."""
    found = _Decided(call)
    if call.error is not None:
        found.error = {"error": call.error.message, "code": call.error.code}
        return found
    try:
        found.action = registry.resolve(call.name)
        check_permissions(found.action, conversation.permissions)
        check_recordable(call.arguments or {})
        found.params = bind(found.action, call.arguments or {})
        found.guards = guards_of(
            found.action,
            found.params,
            principal=conversation.principal,
            tenant=conversation.tenant,
            conversation=conversation.id,
            registry=registry,
        )
    except ModelError as error:
        found.error = error.for_model()
    return found


def _judge_states(decided: Iterable[_Decided], machine: StateMachine, state: str | None) -> None:
    """Refuse what the state forbids, up to the first call that may change it (one that is refused cannot)."""
    for found in decided:
        if found.error is None and found.action is not None:
            try:
                check_state(found.action, machine, state)
            except ForbiddenAction as error:
                found.error = error.for_model()
        if found.may_transition:
            return


def moved(
    conversation: ConversationRecord, registry: Registry
) -> tuple[ConversationRecord, tuple[str, int] | None]:
    """Take the automatic edge that is open, if there is one: the conversation as it stands then, and the move.

    The move is applied in the step that opens the round. Edges are asked for in the order of their priority; only
    one is taken for each round.
    """
    if conversation.machine is None or conversation.state is None:
        return conversation, None
    context = {key: from_json(value) for key, value in conversation.context.items()}
    target = registry.machine(conversation.machine).next(conversation.state, context)
    if target is None:
        return conversation, None
    move = (target, conversation.state_revision)
    return replace(conversation, state=target, state_revision=move[1] + 1), move


def check_permissions(action: Action, permissions: Iterable[str]) -> None:
    """Raise ForbiddenAction if the action asks for a permission that is not there."""
    if refusal := lacking(action, frozenset(permissions)):
        raise ForbiddenAction(refusal.reason)


def check_state(action: Action, machine: StateMachine, state: str | None) -> None:
    """Raise ForbiddenAction if the state machine does not allow the action in this state."""
    if machine.allows(state, action):
        return
    allowed = ", ".join(sorted(machine.states.get(state or "", ()))) or "nothing"
    raise ForbiddenAction(f"{action.name} is not allowed in the state {state}; allowed there: {allowed}")


def _order(decided: Sequence[_Decided]) -> list[set[int]]:
    """For each call the positions that must have ended before it: a possible transition parts before from after."""
    waits: list[set[int]] = []
    since: set[int] = set()
    barrier: set[int] = set()
    for at, found in enumerate(decided):
        if found.error is not None:
            waits.append(set())
        elif found.may_transition:
            waits.append(since or barrier)
            barrier, since = {at}, set()
        else:
            waits.append(barrier)
            since = since | {at}
    return waits


def _payload(found: _Decided, conversation: ConversationRecord, text: str) -> Payload:
    action, call = found.action, found.call
    return Payload(
        action=action.name if action else "",
        arguments=call.arguments or {},
        call_id=call.id,
        called=call.name,
        principal=conversation.principal,
        permissions=conversation.permissions,
        turn_text=text if action and action.everywhere else "",
    )
