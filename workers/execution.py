"""One attempt of one run, as a short row of steps: read, resolve, allow, bind, validate, handle, judge.

In: what a claim gave. Out: a `Finish`. Whatever goes wrong on the way becomes a result for the model; nothing
escapes but cancellation, which belongs to the pump.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, cast

from pydantic_core import from_json

from actions.context import ActionContext
from actions.errors import (
    Fail,
    ForbiddenAction,
    ModelError,
    Signal,
    StoreUnavailable,
    TryAgain,
    UmbelError,
)
from actions.messages import Payload
from actions.params import bind
from actions.validation import permitted
from orchestrator import planning, turns
from workers import outcome

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Executor

    from pydantic import BaseModel

    from actions.definition import Action
    from actions.policy import Retry
    from actions.registry import Registry
    from actions.services import Services
    from actions.states import StateMachine
    from orchestrator.store.records import Claimed, Finish
    from orchestrator.store.store import Store

log: Final = logging.getLogger("umbel.execution")


class StoredConversation:
    """`actions.context.ConversationView` over the store: what the claim told, the rest read when asked for."""

    __slots__ = ("_store", "id", "machine", "revision", "state")

    def __init__(self, run: Claimed, machine: StateMachine | None, store: Store) -> None:
        self.id: str = run.conversation
        self.state: str | None = run.state or None
        self.revision: int = run.state_revision
        self.machine: StateMachine | None = machine
        self._store = store

    async def context(self) -> dict[str, Any]:
        """Return its context as it is now, a copy."""
        record = await self._store.conversations.read(self.id)
        return {key: from_json(value) for key, value in record.context.items()}

    async def messages(self, last: int = 20) -> list[dict[str, Any]]:
        """Return its newest messages, oldest first, in OpenAI chat shape."""
        return await self._store.conversations.messages(self.id, last)


class Execution:
    """Carries out attempts with the actions and services of this process."""

    def __init__(self, registry: Registry, store: Store, services: Services, threads: Executor) -> None:
        """Work with these; sync handlers run in `threads`."""
        self._registry = registry
        self._store = store
        self._services = services
        self._threads = threads
        self.threads_taken = 0
        """Threads that are at work, also for a run that timed out: a thread cannot be stopped."""
        self.on_free_thread: Callable[[], None] = lambda: None
        """Called on the loop when one of them has returned."""

    def action_of(self, payload: Payload) -> Action | None:
        """The action that a payload names, None if this worker does not know it."""
        try:
            return self._registry.resolve(payload.action)
        except ModelError:
            return None

    async def attempt(self, run: Claimed, payload: Payload) -> Finish:
        """Carry out one attempt and say how it ended."""
        if payload.action == turns.ADVANCE:
            return await self._advance(run)
        action: Action | None = None
        try:
            action = self._registry.resolve(payload.action)
            machine = self._allow(action, run)
            params = bind(action, payload.arguments)
            ctx = self._context(action, run, payload, machine)
            refusal = await permitted(action, params, ctx)
            if refusal is not None:
                return outcome.refused(run, refusal.for_model())
            value = await self._handle(action, params, ctx)
        except ForbiddenAction as error:
            return outcome.refused(run, error.for_model())
        except ModelError as error:
            return outcome.raised(run, error, outcome.NO_RETRY)
        except asyncio.CancelledError:
            raise
        except BaseException as error:  # noqa: BLE001 - whatever a handler raises (sys.exit too) is its result
            return self._surprised(run, error, (action.retry if action else None) or outcome.NO_RETRY)
        return outcome.returned(run, action, value)

    def _allow(self, action: Action, run: Claimed) -> StateMachine | None:
        """The state machine's word once more, on the state at the claim (it may have changed since the plan)."""
        if not run.machine:
            return None
        machine = self._registry.machine(run.machine)
        planning.check_state(action, machine, run.state or None)
        return machine

    def _context(
        self, action: Action, run: Claimed, payload: Payload, machine: StateMachine | None
    ) -> ActionContext:
        limit = action.timeout
        return ActionContext(
            run_id=run.id,
            action=action.name,
            attempt=run.attempt,
            deadline=None if limit is None else datetime.now(UTC) + limit,
            key=payload.key,
            fence=int(run.fence),
            principal=payload.principal,
            tenant=run.tenant or None,
            permissions=frozenset(payload.permissions),
            conversation=StoredConversation(run, machine, self._store) if run.conversation else None,
            reply_text=payload.turn_text,
            services=self._services,
        )

    async def _handle(self, action: Action, params: BaseModel, ctx: ActionContext) -> Any:
        if action.is_async:
            return await cast("Any", action.invoke(params, ctx))
        value = await self._in_thread(action, params, ctx)
        return await value if inspect.isawaitable(value) else value  # a wrapped coroutine function looks sync

    async def _in_thread(self, action: Action, params: BaseModel, ctx: ActionContext) -> Any:
        loop = asyncio.get_running_loop()
        work = self._threads.submit(_invoke, action, params, ctx)
        self.threads_taken += 1

        def give_back(_: Any) -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(self._thread_is_free)

        work.add_done_callback(give_back)
        return await asyncio.wrap_future(work)

    def _thread_is_free(self) -> None:
        self.threads_taken -= 1
        self.on_free_thread()

    async def _advance(self, run: Claimed) -> Finish:
        try:
            await turns.advance(run, self._store, self._registry, self._services.model)
        except asyncio.CancelledError:
            raise
        except StoreUnavailable as error:
            return self._turn_stops(run, TryAgain(reason=str(error)))
        except UmbelError as error:  # no model, no such conversation: asking again does not mend it
            return self._turn_stops(run, Fail(f"{error.code}: {error}"))
        except Signal as error:
            return self._turn_stops(run, error)
        except BaseException as error:  # noqa: BLE001 - same
            return self._surprised(run, error, turns.RETRY)
        return outcome.led(run)

    def _turn_stops(self, run: Claimed, why: Signal) -> Finish:
        log.warning("the turn %s does not go on (attempt %d): %s", run.turn, run.attempt, why.reason)
        return outcome.raised(run, why, turns.RETRY)

    def _surprised(self, run: Claimed, error: BaseException, retry: Retry) -> Finish:
        if not isinstance(error, Signal):
            log.warning("%s (attempt %d) raised", run.id, run.attempt, exc_info=error)
        return outcome.raised(run, error, retry)


def _invoke(action: Action, params: BaseModel, ctx: ActionContext) -> Any:
    """Call a sync handler; a StopIteration of its own cannot pass through a future, and would leave it open."""
    try:
        return action.invoke(params, ctx)
    except StopIteration as error:
        raise RuntimeError("the handler raised StopIteration") from error
