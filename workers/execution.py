"""One attempt of one run, as a short row of steps: resolve, bind, prepare, check, allow, handle, judge.

In: a flight, made of what a claim gave. Out: a `Finish`. Whatever goes wrong on the way becomes a result for the model;
nothing escapes but cancellation, which belongs to the pump.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from actions.canonical import plain
from actions.directives import Result
from actions.errors import Fail, ForbiddenAction, ModelError, Signal, TryAgain
from actions.params import bind
from actions.results import opened
from actions.validation import lacking, permitted
from orchestrator import planning, turns
from workers import endings, outcome
from workers.charges import cooled, spent
from workers.context import RunContext
from workers.flight import NO_RETRY
from workers.leading import lead

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Executor

    from pydantic import BaseModel

    from actions.definition import Action
    from actions.messages import Payload
    from actions.registry import Registry
    from actions.services import Services
    from actions.states import StateMachine
    from orchestrator.guards import Caps
    from orchestrator.store.incoming import Finish
    from orchestrator.store.records import Claimed
    from orchestrator.store.store import Store
    from workers.flight import Flight

log: Final = logging.getLogger("umbel.execution")


@dataclass(frozen=True, slots=True)
class Bounds:
    """What the settings bound, as far as an attempt is concerned."""

    result_cap: int
    """Bytes of a result's JSON."""
    caps: Caps
    """Runs in flight of one turn, one conversation, one tenant."""


class Execution:
    """Carries out attempts with the actions and services of this process."""

    def __init__(
        self, registry: Registry, store: Store, services: Services, threads: Executor, bounds: Bounds
    ) -> None:
        """Work with these; sync handlers run in `threads`."""
        self._registry = registry
        self._store = store
        self._services = services
        self._threads = threads
        self._bounds = bounds
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

    async def attempt(self, flight: Flight) -> Finish:
        """Carry out one attempt and say how it ended."""
        run = flight.run
        if flight.payload.action == turns.ADVANCE:
            return await lead(run, self._store, self._registry, self._services, self._bounds.caps)
        try:
            finish = await self._steps(flight)
        except ForbiddenAction as error:
            return outcome.refused(run, error.for_model())
        except ModelError as error:
            finish = outcome.raised(run, error, NO_RETRY)
        except asyncio.CancelledError:
            raise
        except BaseException as error:  # noqa: BLE001 - whatever a handler raises (sys.exit too) is its result
            finish = self.surprised(flight, error)
        return self.settled(flight, finish)

    def settled(self, flight: Flight, finish: Finish) -> Finish:
        """The same end, with what the attempt really used of its rate limits."""
        if not flight.spending and (flight.ctx is None or not flight.ctx.spending):
            return finish
        return outcome.with_effects(finish, tuple(spent(flight, self._registry)))

    async def _steps(self, flight: Flight) -> Finish:
        run, payload = flight.run, flight.payload
        action = flight.action or self._registry.resolve(payload.action)
        machine = self._registry.machine(run.machine) if run.machine else None
        flight.params = params = bind(action, payload.arguments)
        flight.ctx = ctx = RunContext.of(flight, machine, self._registry, self._store, self._services)
        if not run.check:
            _allow(action, run, machine)
        if action.preprocessor is not None:
            params = await self._prepared(flight, action, params, ctx)
        if run.check:
            if (finish := await self._ask(flight, action, params, ctx)) is not None:
                return finish
            _allow(action, run, machine)
        refusal = await permitted(action, params, ctx)
        if refusal is not None:
            return outcome.refused(run, refusal.for_model())
        self.begins(flight)
        if action.is_async:
            value = await action.invoke(params, ctx)
        else:
            value = await self._call(flight, action.invoke, params, ctx)
        if action.postprocessor is not None:
            flight.returned = True
            value = await self._finished(flight, action, value, ctx)
        return outcome.returned(run, action, value, self._bounds.result_cap)

    def begins(self, flight: Flight) -> None:
        """From now on the handler may have taken effect."""
        flight.acted = True

    def answered(self, flight: Flight, *, effect: bool) -> None:
        """The action's check has said whether the attempt before took effect."""
        flight.answer = "yes" if effect else "no"

    async def _prepared(
        self, flight: Flight, action: Action, params: BaseModel, ctx: RunContext
    ) -> BaseModel:
        """Let the action's preprocessor replace the arguments; what it returns is validated like any."""
        refusal = None if flight.run.check else lacking(action, ctx.permissions)  # else its check comes first
        if refusal:
            raise ForbiddenAction(refusal.reason)
        return bind(action, await self._process(flight, action, "preprocessor", plain(params), ctx))

    async def _finished(self, flight: Flight, action: Action, value: Any, ctx: RunContext) -> Result:
        """Let the action's postprocessor replace the value; the directives that came with it stay."""
        result = opened(value)
        after = opened(await self._process(flight, action, "postprocessor", result.value, ctx))
        return Result(after.value, (*result.directives, *after.directives))

    async def _process(self, flight: Flight, action: Action, which: str, given: Any, ctx: RunContext) -> Any:
        """Call a processor. One that breaks fails the run: trying again would repeat what the handler did."""
        function = getattr(action, which)
        try:
            if action.is_async or inspect.iscoroutinefunction(function):
                value = function(given, ctx)
                return await value if inspect.isawaitable(value) else value
            return await self._call(flight, function, given, ctx)
        except (Signal, asyncio.CancelledError):
            raise
        except BaseException as error:
            log.warning("the %s of %s failed", which, flight.run.id, exc_info=error)
            raise Fail(f"the {which} of {action.name} failed with {type(error).__name__}") from error

    async def _ask(self, flight: Flight, action: Action, params: BaseModel, ctx: RunContext) -> Finish | None:
        """Ask the action whether its last attempt took effect; None: it did not, the handler has its turn."""
        run = flight.run
        if action.checker is None:  # it was declared otherwise when that attempt began
            return outcome.unanswered(run, f"{action.name} has no check", NO_RETRY)
        flight.checking = True
        try:
            if inspect.iscoroutinefunction(action.checker):
                value = await action.checker(params, ctx)
            else:
                value = await self._call(flight, action.checker, params, ctx)
            self.answered(flight, effect=value is not None)
            if value is not None and action.postprocessor is not None:
                value = await self._finished(flight, action, value, ctx)
        except asyncio.CancelledError:
            raise
        except Signal as error:
            return self.surprised(flight, error)
        except BaseException as error:
            log.warning("the check of %s failed", run.id, exc_info=error)
            return outcome.unanswered(run, f"its check failed with {type(error).__name__}", flight.retry)
        flight.checking = False
        if value is not None:
            return outcome.returned(run, action, value, self._bounds.result_cap)
        return None if run.check == "death" else endings.last_word(flight)

    async def _call(self, flight: Flight, function: Callable[..., Any], *arguments: Any) -> Any:
        """Call a sync function in a thread; what a wrapped coroutine function gives is awaited here."""
        loop = asyncio.get_running_loop()
        flight.work = work = self._threads.submit(_called, function, arguments)
        self.threads_taken += 1

        def give_back(_: Any) -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(self._thread_is_free)

        work.add_done_callback(give_back)
        value = await asyncio.wrap_future(work)
        return await value if inspect.isawaitable(value) else value

    def _thread_is_free(self) -> None:
        self.threads_taken -= 1
        self.on_free_thread()

    def surprised(self, flight: Flight, error: BaseException) -> Finish:
        """The end of an attempt that raised."""
        run = flight.run
        if not isinstance(error, Signal):
            log.warning("%s (attempt %d) raised", run.id, run.attempt, exc_info=error)
        finish = outcome.raised(run, error, flight.retry)
        if isinstance(error, TryAgain) and error.cool:
            ms = finish.delay_ms or outcome.after_ms(error)
            finish = outcome.with_effects(finish, tuple(cooled(flight, self._registry, error, ms)))
        return finish


def _allow(action: Action, run: Claimed, machine: StateMachine | None) -> None:
    """The state machine's word once more, on the state at the claim (it may have changed since the plan)."""
    if machine is not None:
        planning.check_state(action, machine, run.state or None)


def _called(function: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
    """Call a sync handler; a StopIteration of its own cannot pass through a future, and would leave it open."""
    try:
        return function(*arguments)
    except StopIteration as error:
        raise RuntimeError("the handler raised StopIteration") from error
