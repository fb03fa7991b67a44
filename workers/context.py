"""What a handler is given: `ActionContext` over this process's store and services.

Its HTTP client is made for the run when it is first asked for: it gives a request no more time than the attempt has
left, and a 429 that comes back holds back everybody who is under the same limits.
"""

from __future__ import annotations

import logging
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from pydantic_core import from_json

from actions.context import ActionContext
from actions.errors import OperatorError
from orchestrator.people import agent_of
from orchestrator.services.http import RunHttp
from workers.charges import limits_of

if TYPE_CHECKING:
    from actions.registry import Registry
    from actions.services import Http, Services
    from actions.states import StateMachine
    from orchestrator.store.records import Claimed
    from orchestrator.store.store import Store
    from workers.flight import Flight

log: Final = logging.getLogger("umbel.execution")


class StoredConversation:
    """`actions.context.ConversationView` over the store: what the claim told, the rest read when asked for."""

    __slots__ = ("_action", "_store", "id", "machine", "revision", "state")

    def __init__(self, run: Claimed, machine: StateMachine | None, store: Store, action: str) -> None:
        self.id: str = run.conversation
        self.state: str | None = run.state or None
        self.revision: int = run.state_revision
        self.machine: StateMachine | None = machine
        self._store = store
        self._action = action

    async def context(self) -> dict[str, Any]:
        """Return its context as it is now, a copy."""
        record = await self._store.conversations.read(self.id)
        return {key: from_json(value) for key, value in record.context.items()}

    async def messages(self, last: int = 20) -> list[dict[str, Any]]:
        """Return its newest messages, oldest first, in OpenAI chat shape."""
        return await self._store.conversations.messages(self.id, last)

    async def agent(self) -> str:
        """Return the name of the participant for whom the model speaks here."""
        return agent_of(await self._store.conversations.read(self.id))

    async def memory(self) -> Any:
        """Return what this action remembered in this conversation (`Remember`), None if nothing."""
        kept = (await self._store.conversations.read(self.id)).memory.get(self._action)
        return None if kept is None else from_json(kept)

    async def participants(self) -> dict[str, str]:
        """Return who takes part, by name: "" (neutral), "followed" or "muted"."""
        return dict((await self._store.conversations.read(self.id)).participants)


class RunContext(ActionContext):
    """The context of one attempt, as workers make it."""

    __slots__ = ("_client", "_flight", "_registry", "_store")

    _client: Http | None
    _flight: Flight
    _registry: Registry
    _store: Store

    @classmethod
    def of(
        cls,
        flight: Flight,
        machine: StateMachine | None,
        registry: Registry,
        store: Store,
        services: Services,
    ) -> RunContext:
        """The context of this attempt, whose action is known."""
        run, payload = flight.run, flight.payload
        action = flight.action.name if flight.action is not None else payload.action
        ctx = cls(
            run_id=run.id,
            action=action,
            attempt=run.attempt,
            key=payload.key,
            fence=int(run.fence),
            principal=payload.principal,
            tenant=run.tenant or None,
            permissions=frozenset(payload.permissions),
            conversation=StoredConversation(run, machine, store, action) if run.conversation else None,
            reply_text=payload.turn_text,
            services=services,
            traceparent=payload.trace,
        )
        if flight.is_aside:  # another deed than the handler's, so it has a key of its own, always the same
            ctx.phase, ctx.original_key = ("undo" if run.undoes else "on_error"), payload.key
            ctx.key = f"{payload.key}.{ctx.phase}" if payload.key else ""
        ctx._client, ctx._flight, ctx._registry, ctx._store = None, flight, registry, store
        if flight.silence is not None:
            ctx.pulse = flight.witness.beat if flight.witness is not None else flight.show_life
        return ctx

    # A base class's field, computed when it is asked for: a clock read for each run is more than most make of it.
    @property
    def deadline(self) -> datetime | None:
        """When this attempt is over, with a time zone; None without a limit."""
        left = self._remaining()
        return None if left is None else datetime.now(UTC) + timedelta(seconds=left)

    @deadline.setter
    def deadline(self, _: datetime | None) -> None:
        """The attempt's clocks alone decide."""

    def remaining(self) -> timedelta | None:
        """How long this attempt has left, never less than nothing; None without a limit."""
        left = self._remaining()
        return None if left is None else timedelta(seconds=left)

    def spent(self, amount: float, limit: str | None = None) -> None:
        """Note units that were really used; see `ActionContext.spent`."""
        super().spent(amount, limit)
        if self._flight.witness is not None:
            self._flight.witness.spent(self.spending)

    @property
    def http(self) -> Http:
        """HTTP to the outside, within the time that this attempt has; raises ConfigError where there is none."""
        if self._client is None:
            self._client = RunHttp(self.services.http, self._remaining, self._cool, self.traceparent)
        return self._client

    def _remaining(self) -> float | None:
        return self._flight.remaining(time.monotonic())

    async def _cool(self, seconds: float) -> None:
        """Let nobody through under the limits of this run for so long: the other side said that it is enough."""
        keys = limits_of(self._flight, self._registry)
        if not keys:
            return
        names = ", ".join(
            sorted({key.partition(":")[0] for key in keys})
        )  # what follows is made of arguments
        log.warning("%s was told 429: its limits (%s) cool for %.1f s", self.run_id, names, seconds)
        try:
            await self._store.limits.cool(keys, round(seconds * 1000))
        except OperatorError as error:
            log.warning("%s; the limits of %s do not cool", error, self.run_id)
