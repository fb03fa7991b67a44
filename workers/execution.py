"""One attempt of one run, as a short row of steps: resolve, bind, prepare, ask, check, allow, handle, judge.

In: a flight, made of what a claim gave. Out: a `Finish`. Whatever goes wrong on the way becomes a result for the model;
nothing escapes but cancellation, which belongs to the pump.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, Final

from actions.directives import Result
from actions.errors import ForbiddenAction, HandlerFailed, ModelError, Signal, TryAgain
from actions.params import bind
from actions.validation import lacking, permitted
from orchestrator import turns
from orchestrator.asks import ask_for
from orchestrator.judging import check_state
from orchestrator.store.incoming import Effect, EffectKind, Finish
from workers import arguments, aside, checking, endings, finishes, hooks, outcome
from workers.charges import cooled, spent
from workers.context import RunContext
from workers.following import followed
from workers.leading import lead
from workers.means import Bounds, Means
from workers.points import name_at
from workers.terms import NO_RETRY
from workers.threads import Threads

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from pydantic import BaseModel

    from actions.definition import Action
    from actions.messages import Payload
    from actions.registry import Registry
    from actions.services import Services
    from actions.states import StateMachine
    from orchestrator.store.store import Store
    from workers.flight import Flight
    from workers.points import Point, Points

log: Final = logging.getLogger("umbel.execution")


class Execution:
    """Carries out attempts with the actions and services of this process."""

    def __init__(
        self,
        registry: Registry,
        store: Store,
        services: Services,
        threads: Executor,
        bounds: Bounds,
        points: Points | None = None,
    ) -> None:
        """Work with these; sync handlers run in `threads`, and `points` are told how far each run is."""
        self.threads = Threads(threads)
        self._means = Means(registry, store, services, self.threads, bounds, points)

    def action_of(self, payload: Payload) -> Action | None:
        """The action that a payload names, None if this worker does not know it."""
        try:
            return self._means.registry.resolve(payload.action)
        except ModelError:
            return None

    async def attempt(self, flight: Flight) -> Finish:
        """Carry out one attempt and say how it ended."""
        run = flight.run
        if flight.payload.action == turns.ADVANCE:
            return await lead(run, self._means)
        try:
            finish = await self._steps(flight)
            if flight.ctx is not None and flight.ctx.entered is not None:
                await _left(flight.ctx, finish)
        except asyncio.CancelledError as error:
            await _abandoned(flight, error)
            raise
        except BaseException as error:  # noqa: BLE001 - whatever a handler raises (sys.exit too) is its result
            await _abandoned(flight, error)
            finish = self._raised(flight, error)
        return endings.judged(flight, self.settled(flight, finish))

    def _raised(self, flight: Flight, error: BaseException) -> Finish:
        if isinstance(error, ForbiddenAction):
            return finishes.refused(flight.run, error.for_model())
        if isinstance(error, ModelError):
            return outcome.raised(flight.run, error, NO_RETRY)
        return self.surprised(flight, error)

    def settled(self, flight: Flight, finish: Finish) -> Finish:
        """The same end, with what the attempt really used of its rate limits."""
        if flight.is_aside or (not flight.spending and (flight.ctx is None or not flight.ctx.spending)):
            return finish
        return finishes.with_effects(finish, tuple(spent(flight, self._means.registry)))

    async def _steps(self, flight: Flight) -> Finish:
        means, run, payload = self._means, flight.run, flight.payload
        action = flight.action or means.registry.resolve(payload.action)
        machine = means.registry.machine(run.machine) if run.machine else None
        flight.ctx = ctx = RunContext.of(flight, machine, means.registry, means.store, means.services)
        if flight.is_aside:
            return await self._aside(flight, action, ctx)
        if arguments.are_plain(flight, action) and action.approval is None:
            flight.params = params = bind(action, payload.arguments)
        else:
            _may(flight, action, machine)
            params = await arguments.bound(flight, action, ctx, means)
        if not run.check:
            if (asked := _gate(flight, action, params, machine)) is not None:
                return asked
        else:
            answer = await checking.ask(flight, action, params, ctx, means.threads)
            if answer is not checking.NOTHING:
                return await self._answered(flight, action, answer, ctx)
            if (asked := _gate(flight, action, params, machine)) is not None:
                return asked
        refusal = await permitted(action, params, ctx)
        if refusal is not None:
            return finishes.refused(run, refusal.for_model())
        self._point("before_handle", flight)
        flight.begins()
        if action.is_async:
            value = await action.invoke(params, ctx)
        else:
            value = await means.threads.run(flight, action.invoke, params, ctx)
        flight.returned = True
        self._point("after_handle", flight)
        return await self._returned(flight, action, value, ctx)

    async def _aside(self, flight: Flight, action: Action, ctx: RunContext) -> Finish:
        """Take back what a run did, or make good what it left."""
        self._point("before_handle", flight)
        done = await (aside.undo if flight.run.undoes else aside.rescue)(flight, action, ctx, self._means)
        self._point("after_handle", flight)
        return done

    async def _answered(self, flight: Flight, action: Action, answer: Any, ctx: RunContext) -> Finish:
        """The check has spoken for the attempt before, or cannot."""
        if isinstance(answer, Finish):
            return answer
        finish = await self._returned(flight, action, answer, ctx)
        flight.checking = False
        return finish

    async def _returned(self, flight: Flight, action: Action, value: Any, ctx: RunContext) -> Finish:
        means, run = self._means, flight.run
        if action.postprocessor is None and not action.has_hooks:
            finish = outcome.returned(run, action, value, means.bounds.result_cap)
        else:
            value, checked = await hooks.finished(value, flight, action, ctx, means.threads)
            finish = outcome.returned(run, action, value, means.bounds.result_cap, checked=checked)
        if isinstance(value, Result) and value.directives:
            return await followed(finish, flight, value.directives, means)
        return finish

    def _point(self, point: Point, flight: Flight) -> None:
        if self._means.points is not None:
            self._means.points(point, flight.run.id, name_at(flight))

    def surprised(self, flight: Flight, error: BaseException) -> Finish:
        """The end of an attempt that raised."""
        run, means, action = flight.run, self._means, flight.action
        if isinstance(error, Signal):
            flight.spoke = not flight.returned
        else:
            log.warning("%s (attempt %d) raised", run.id, run.attempt, exc_info=error)
        finish = outcome.raised(
            run,
            error,
            flight.retry,
            cap=means.bounds.result_cap,
            action=action.name if action is not None else "",
            what=flight.what,
        )
        if isinstance(error, TryAgain) and error.cool:
            ms = finish.delay_ms or outcome.after_ms(error)
            finish = finishes.with_effects(finish, tuple(cooled(flight, means.registry, error, ms)))
        return finish


def _may(flight: Flight, action: Action, machine: StateMachine | None) -> None:
    """Before anything of the action's is called: what its principal may do, and where. An open question comes first."""
    if flight.run.check:
        return
    if refusal := lacking(action, frozenset(flight.payload.permissions)):
        raise ForbiddenAction(refusal.reason)
    if machine is not None:
        check_state(action, machine, flight.run.state or None)


def _gate(flight: Flight, action: Action, params: BaseModel, machine: StateMachine | None) -> Finish | None:
    """What may have changed since the plan: the state of the conversation, and whether a person has to be asked.

    An approval holds for exactly these arguments, those that the handler gets; the Finish is the question to a person.
    """
    run = flight.run
    if machine is not None:
        check_state(action, machine, run.state or None)
    if action.approval is None:
        return None
    wanted = ask_for(
        action, params, principal=flight.payload.principal, tenant=run.tenant, conversation=run.conversation
    )
    if wanted is None or wanted.digest == run.approved:
        return None
    key = (Effect(EffectKind.APPROVAL_KEY, wanted.key),) if wanted.key else ()
    return Finish(run.id, run.fence, finishes.ASKS, wanted.shown, wanted.expires_ms, wanted.digest, key)


async def _left(ctx: Any, finish: Finish) -> None:
    """Leave what the attempt has entered, before its end is known: what fails there fails the attempt."""
    await ctx.close_entered(None if finish.verdict == "succeeded" else HandlerFailed("it did not succeed"))


async def _abandoned(flight: Flight, error: BaseException) -> None:
    """Leave what the attempt has entered, because of this error, which stays the reason whatever happens here."""
    ctx = flight.ctx
    if ctx is None or ctx.entered is None:
        return
    try:
        await ctx.close_entered(error)
    except Exception as wrong:
        if wrong is not error:
            log.warning("%s did not leave what it had entered", flight.run.id, exc_info=wrong)
