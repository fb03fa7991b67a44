"""What one attempt of a handler may touch.

In: the run's record, as the worker reads it. Out: an `ActionContext` for the handler and its validator.
Nothing on it writes to the store: changes leave a handler as its result and its directives.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager, AbstractContextManager, AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol, TypeVar, overload

from actions.caching import TenantCache
from actions.enhancing import enhance
from actions.services import Cache, Http, Model, Secrets, Services

if TYPE_CHECKING:
    from actions.states import StateMachine

T = TypeVar("T")
MOST_SPENT: Final = 2**53
"""Units: up to here every whole number has a float."""
_MISSING: Final = object()


class ConversationView(Protocol):
    """The conversation as a handler sees it: read only."""

    @property
    def id(self) -> str:
        """The conversation's id."""
        ...

    @property
    def state(self) -> str | None:
        """Its state, None without a state machine."""
        ...

    @property
    def revision(self) -> int:
        """The revision of its state; a `Transition` names it."""
        ...

    @property
    def machine(self) -> StateMachine | None:
        """Its state machine, None without one."""
        ...

    async def context(self) -> dict[str, Any]:
        """Return its context as it is now, a copy."""
        ...

    async def messages(self, last: int = 20) -> list[dict[str, Any]]:
        """Return its newest messages, oldest first, in OpenAI chat shape."""
        ...

    async def agent(self) -> str:
        """Return the name of the participant for whom the model speaks here."""
        ...

    async def memory(self) -> Any:
        """Return what this action remembered in this conversation (`Remember`), None if nothing."""
        ...

    async def participants(self) -> dict[str, str]:
        """Return who takes part, by name: "" (neutral), "followed" or "muted"."""
        ...


@dataclass(slots=True)
class ActionContext:
    """One attempt of one run: who asks, how long there is, what may be used."""

    run_id: str
    """The run's id."""
    action: str
    """The registered name of the action."""
    attempt: int = 1
    """Which attempt this is, from 1."""
    deadline: datetime | None = None
    """When this attempt is over, with a time zone; None without a limit."""
    key: str = ""
    """The idempotency key: the same for each attempt. Pass it on to what is changed outside."""
    fence: int = 0
    """Grows with each claim; what is changed outside can refuse a smaller one than it has seen."""
    principal: str | None = None
    """On whose behalf the run acts; None when nobody is named."""
    tenant: str | None = None
    """Whose share of the workers it uses; None without tenants."""
    permissions: frozenset[str] = frozenset()
    """What the principal may do."""
    conversation: ConversationView | None = None
    """The conversation the call stood in; None for a run from outside."""
    reply_text: str = ""
    """The visible text of the reply the call stood in."""
    services: Services = field(default_factory=Services)
    """The services and settings of this process."""
    pulse: Callable[[], None] | None = field(default=None, repr=False)
    """Called for each sign of life, perhaps from a thread; the worker sets it."""
    spending: dict[str, int] = field(default_factory=dict[str, int])
    """Units that this attempt really took, by the name of the limit ("": all that are weighed by cost)."""
    traceparent: str = ""
    """The W3C trace context of the request that the run came from, to pass on; "" if there was none."""
    original_key: str = ""
    """In an undo: the idempotency key that the undone handler had; "" everywhere else."""
    phase: Literal["run", "undo", "on_error"] = "run"
    """What of the action is called: its handler and what stands around it, its undo, or its on_error."""
    entered: AsyncExitStack | None = field(default=None, repr=False)
    """What this attempt has entered; None as long as it has entered nothing."""
    is_over: bool = field(default=False, repr=False)
    """Whether the attempt is over, so that nothing more may be entered."""

    def heartbeat(self) -> None:
        """Say that this attempt is alive; needed more often than the action's heartbeat timeout."""
        if self.pulse is not None:
            self.pulse()

    def remaining(self) -> timedelta | None:
        """How long this attempt has left, never less than nothing; None without a limit."""
        return None if self.deadline is None else max(timedelta(0), self.deadline - datetime.now(UTC))

    def spent(self, amount: float, limit: str | None = None) -> None:
        """Note units that were really used, such as tokens; what was reserved for this run is then corrected.

        Several notes add up. They count however the attempt ends. What was used beyond the reservation is charged as
        well: later runs wait for it.

        Args:
            amount: units, rounded up to a whole number.
            limit: name of the rate limit; None for each of the action's limits that is weighed by cost.

        Raises:
            ValueError: the amount is negative, no finite number, or beyond anything (2 to the 53rd).
        """
        if not (math.isfinite(amount) and 0 <= amount <= MOST_SPENT):
            raise ValueError(f"{amount!r:.40} is no number of units")
        name = limit or ""
        self.spending[name] = self.spending.get(name, 0) + math.ceil(amount)

    @overload
    async def enter(self, manager: AbstractAsyncContextManager[T]) -> T: ...
    @overload
    async def enter(self, manager: AbstractContextManager[T]) -> T: ...
    async def enter(self, manager: Any) -> Any:
        """Enter a context manager, async or sync, and return what it gives, as `with` does.

        It is left when the attempt is over, however it ends, the last one first; it sees the exception that ended the
        attempt and cannot swallow it. A sync one is entered and left on the loop and has to be quick.

        Raises:
            RuntimeError: the attempt is over already.
            TypeError: it is no context manager.
        """
        if self.is_over:
            raise RuntimeError(f"{self.action}: the attempt is over, nothing can be entered for it any more")
        if self.entered is None:
            self.entered = AsyncExitStack()
        if hasattr(manager, "__aenter__"):
            return await self.entered.enter_async_context(manager)
        return self.entered.enter_context(manager)

    async def close_entered(self, error: BaseException | None = None) -> None:
        """Leave all that was entered, the last one first; the worker calls it when the attempt is over.

        Args:
            error: what ended the attempt, None if the handler returned.

        Raises:
            Exception: what leaving one raised, such as a commit that failed; all of them have been left then.
        """
        self.is_over = True
        stack, self.entered = self.entered, None
        if stack is None:
            return
        if error is None:
            await stack.aclose()
        else:
            await stack.__aexit__(type(error), error, error.__traceback__)

    async def enhanced(
        self, basic: Mapping[str, Any], service: str, how: Callable[[Any], Any]
    ) -> dict[str, Any]:
        """Return a basic result, made better by an optional service where that is possible.

        Args:
            basic: the result as it is without the service.
            service: the service's name.
            how: gets the service, returns what it adds as a dict, or an awaitable of it.

        Returns:
            `{**basic, **added, "enhanced": True}`; `{**basic, "enhanced": False}` if the service is missing or fails.
        """
        return await enhance(self.service(service, None), basic, service, how)

    @property
    def http(self) -> Http:
        """HTTP to the outside; raises ConfigError where there is none."""
        return self.services.http

    @property
    def model(self) -> Model:
        """The language model; raises ConfigError where there is none."""
        return self.services.model

    @property
    def secrets(self) -> Secrets:
        """Where secret values come from; raises ConfigError where there is none."""
        return self.services.secrets

    @property
    def cache(self) -> Cache:
        """Values kept for a while, this tenant's own; raises ConfigError where there is no cache."""
        return TenantCache(self.services.cache, self.tenant)

    @overload
    def service(self, name: str) -> Any: ...
    @overload
    def service(self, name: str, default: T) -> Any | T: ...
    def service(self, name: str, default: Any = _MISSING) -> Any:
        """Return the service of this name, or the default; raise ConfigError when there is neither.

        The service "cache" is this tenant's, as `ctx.cache` is.
        """
        if name == "cache" and name in self.services:
            return self.cache
        return self.services.get(name) if default is _MISSING else self.services.get(name, default)
