"""What one attempt of a handler may touch.

In: the run's record, as the worker reads it. Out: an `ActionContext` for the handler and its validator.
Nothing on it writes: changes leave a handler as its result and its directives.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar, overload

from actions.services import Http, Model, Secrets, Services

if TYPE_CHECKING:
    from actions.states import StateMachine

T = TypeVar("T")
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

    @overload
    def service(self, name: str) -> Any: ...
    @overload
    def service(self, name: str, default: T) -> Any | T: ...
    def service(self, name: str, default: Any = _MISSING) -> Any:
        """Return the service of this name, or the default; raise ConfigError when there is neither."""
        return self.services.get(name) if default is _MISSING else self.services.get(name, default)
