"""One call on its way to a run: what it was resolved to, whether its principal may, and whether its arguments fit.

In: a call, whose conversation it belongs to, and the actions there are. Out: a `Decided`, which keeps the call's place
with its action, params and guards, or with the error that the model is told. The order among calls is no matter here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from actions.errors import (
    BadReference,
    ChainOnly,
    ForbiddenAction,
    InvalidArguments,
    MalformedCall,
    ModelError,
    TruncatedCall,
    UserOnly,
)
from actions.params import bind
from actions.short import within
from actions.takes import takes
from actions.validation import lacking
from orchestrator.drafting import check_recordable
from orchestrator.guards import guards_of
from orchestrator.mending import check_repaired, with_mending, with_own_keys
from orchestrator.references import bind_part

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from pydantic import BaseModel

    from actions.definition import Action
    from actions.messages import Call
    from actions.registry import Registry
    from actions.states import StateMachine
    from orchestrator.guards import Guard
    from orchestrator.store.records import ConversationRecord

_UNREAD: Final = frozenset({MalformedCall.code, TruncatedCall.code})
_NOBODY: Final[frozenset[int]] = frozenset()


@dataclass(slots=True)
class Decided:
    """A call, what it was resolved to, and why it does not run, if it does not."""

    call: Call
    """What was asked for."""
    action: Action | None = None
    """What it was resolved to."""
    params: BaseModel | None = None
    """Its validated arguments; None for a refused call, and while some of them are still to come."""
    values: BaseModel | None = None
    """As `params`, with None for each that is still to come: what keys are made of."""
    guards: tuple[Guard, ...] = ()
    """What it has to pass before it starts."""
    error: dict[str, Any] | None = None
    """What the model is told instead of a result."""
    uses: tuple[tuple[str, int, str], ...] = ()
    """Parameters that take the result of an earlier call: (parameter, that call's position, path)."""
    needs: frozenset[int] | set[int] = _NOBODY
    """Positions of calls that must have succeeded before."""

    @property
    def may_transition(self) -> bool:
        """Whether the state may be another one when it has ended."""
        return self.error is None and self.action is not None and self.action.may_transition

    @property
    def name(self) -> str:
        """How messages name it: its step, else its action, else what the model wrote."""
        return self.call.step or (self.action.name if self.action else self.call.name[:60]) or "a call"


def decide(call: Call, conversation: ConversationRecord, registry: Registry) -> Decided:
    """Whether it can be read, exists, and is permitted: what depends neither on arguments nor on other calls."""
    found = Decided(call)
    if call.error is not None:
        message = call.error.message
        if call.error.code in _UNREAD:
            message += what_it_takes(call.name, conversation.permissions, registry)
        found.error = {"error": within(message), "code": call.error.code}
        return found
    try:
        found.action = registry.resolve(call.name)
        check_offered(found.action)
        check_permissions(found.action, conversation.permissions)
        check_repaired(found.action, call)
        check_recordable(call.arguments or {})
        found.call = with_own_keys(found.action, call)
    except ModelError as error:
        found.error = error.for_model()
    return found


def fit(
    found: Decided, conversation: ConversationRecord, registry: Registry, later: Collection[str] = ()
) -> None:
    """Validate the arguments of a call and find its guards; `later` are parameters that come when it is claimed."""
    if (action := found.action) is None or found.error is not None:
        return
    try:
        arguments = found.call.arguments or {}
        if later:
            values = bind_part(action, arguments, later)
            check_known(action, values, later)
        else:
            values = found.params = bound(action, arguments)
        found.values = values
        if values is not None:
            found.guards = guards_of(
                action,
                values,
                principal=conversation.principal,
                tenant=conversation.tenant,
                conversation=conversation.id,
                registry=registry,
            )
    except InvalidArguments as error:
        found.error = with_mending(found.call, error).for_model()
    except ModelError as error:
        found.error = error.for_model()


def bound(action: Action, arguments: Mapping[str, Any]) -> BaseModel | None:
    """The params; None if they do not fit yet, but a hook of the action has still to mend the arguments.

    Raises:
        InvalidArguments: they do not fit, and no hook is there for that, or keys have to be made of them now.
    """
    try:
        return bind(action, arguments)
    except InvalidArguments:
        if action.hook_before_validate is None or named(action):
            raise
        return None


def check_known(action: Action, values: BaseModel | None, later: Collection[str]) -> None:
    """Raise BadReference if a limit, a lock or a dedupe has to know what is still to come."""
    wanted = named(action)
    unknown = wanted if values is None else [name for name in wanted if name == "*" or name in later]
    if unknown:
        what = "all of its arguments" if "*" in unknown else ", ".join(unknown)
        raise BadReference(
            f"{action.name} cannot take these from earlier results: its limits and locks need {what} before it starts"
        )


def named(action: Action) -> list[str]:
    """The parameters that an action's limits, locks and dedupe are made of; `*` stands for all of them."""
    own = action.locks if action.chain is None else (*action.locks, *action.chain.locks)
    if not (own or action.rate_limits or action.dedupe):
        return []
    found = [name for lock in own for name in lock.template.parameters]
    for limit in action.rate_limits:
        found += limit.template.parameters
        if callable(limit.cost):
            found.append("*")
        elif limit.cost_parameter:
            found.append(limit.cost_parameter)
    return [*found, "*"] if action.dedupe is not None else found


def judge_states(decided: Iterable[Decided], machine: StateMachine, state: str | None) -> None:
    """Refuse what the state forbids, up to the first call that may change it (one that is refused cannot)."""
    for found in decided:
        if found.error is None and found.action is not None:
            try:
                check_state(found.action, machine, state)
            except ForbiddenAction as error:
                found.error = error.for_model()
        if found.may_transition:
            return


def check_offered(action: Action) -> None:
    """Raise UserOnly for an action that is not for models: one that people `submit`, or an evaluator."""
    if action.user_only:
        raise UserOnly(f"{action.name} is for people: no reply, chain or follow-up may call it")
    if action.evaluates is not None:
        raise UserOnly(f"{action.name} runs by itself after a turn: nothing may call it")


def check_single(action: Action) -> None:
    """Raise ChainOnly for an action that runs only as a step of a chain."""
    if action.chain is not None:
        raise ChainOnly(f"{action.name} runs only in a chain: give it as a step of one")


def check_permissions(action: Action, permissions: Iterable[str]) -> None:
    """Raise ForbiddenAction if the action asks for a permission that is not there."""
    if not action.permissions:
        return
    if refusal := lacking(action, frozenset(permissions)):
        raise ForbiddenAction(refusal.reason)


def what_it_takes(name: str, permissions: Iterable[str], registry: Registry) -> str:
    """What is added to the error of a call that cannot be read: the arguments of its action, if that may be called."""
    try:
        action = registry.resolve(name)
        check_offered(action)
        check_permissions(action, permissions)
    except ModelError:
        return ""
    return f"\n{takes(action)}"


def check_state(action: Action, machine: StateMachine, state: str | None) -> None:
    """Raise ForbiddenAction if the state machine does not allow the action in this state."""
    if machine.allows(state, action):
        return
    allowed = ", ".join(sorted(machine.states.get(state or "", ()))) or "nothing"
    raise ForbiddenAction(f"{action.name} is not allowed in the state {state}; allowed there: {allowed}")
