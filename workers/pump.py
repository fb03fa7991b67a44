"""The pump: claims what it can start now, runs it together, finishes it with the next claim, until idle.

One in each worker process, started by a nudge. In: runs from the store. Out: their ends, in batches. Its posture
(asleep, hot, full) is set by the claim script, so that whoever makes work ready knows whom to wake.
"""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from actions.errors import OperatorError, StoreUnavailable, TimedOut, UnreadableRecord
from actions.messages import Payload
from orchestrator.store.keys import THREADS, lane
from orchestrator.store.runs import claim_arguments, finish_arguments
from workers import outcome

if TYPE_CHECKING:
    from collections.abc import Awaitable, Iterable, Sequence

    from actions.definition import Action
    from orchestrator.settings import Settings
    from orchestrator.store.records import Claim, Claimed, Finish
    from orchestrator.store.store import Store
    from workers.events import RunEvents
    from workers.execution import Execution

log: Final = logging.getLogger("umbel.pump")

BATCH: Final = 64
"""Runs that one claim takes at most; the figure that the store's scripts were measured with."""
SUSPECTS: Final = 16
"""Suspects that one pump has in flight among its other runs, so that one poisonous run takes few with it."""
HOT: Final = 0.005
"""Seconds after which a pump that took something and has room claims again, if nothing ended before. Meanwhile the
store wakes nobody for it (it relies on at most 1 s); what comes in that time is taken together."""
FULL: Final = 0.9
"""Seconds after which a pump without room looks again at what it may do."""


@dataclass(slots=True)
class Flight:
    """A run that is being carried out here."""

    run: Claimed
    """What was claimed."""
    payload: Payload
    """What it is to do."""
    action: Action | None
    """The action, None if this worker does not know it."""
    task: asyncio.Task[Finish]
    """Its attempt."""
    began: float
    """When, by the monotonic clock in seconds."""
    timer: asyncio.TimerHandle | None = None
    """Ends it when its time is over."""
    end: str = ""
    """Why it was stopped from outside: "", "timeout", "cancel" or "lost"."""


class Pump:
    """One process's claim on the work of some queues; used again for each nudge."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        execution: Execution,
        *,
        worker: str,
        queues: Sequence[str],
        events: RunEvents | None = None,
    ) -> None:
        """Serve these queues; `worker` is the Celery node's name, for people."""
        self._settings = settings
        self._store = store
        self._execution = execution
        self._worker = worker
        self._queues = tuple(queues)
        self._events = events
        self._flights: dict[str, Flight] = {}
        self._ended: list[Finish] = []
        self._stir = asyncio.Event()
        self._sleep: asyncio.Task[None] | None = None
        self._count = 0
        self._alone = False
        self._lost = False
        self.draining = asyncio.Event()
        self.name = ""
        """The name under which it holds its lease; a new one each time it starts or lost its lease."""
        self.beat = time.monotonic()
        """When the loop was last seen alive; the keeper watches it."""

    async def run(self) -> None:
        """Work until there has been nothing to do for `linger_ms`, or until told to drain."""
        self._rename()
        idle_since = time.monotonic()
        while not self.draining.is_set():
            try:
                claim = await self._turnaround()
            except OperatorError as error:
                await self._reconnect(error)
                continue
            if claim.verdict == "lost":
                self.lose()
                continue
            for run in claim.runs:
                self._start(run)
            self._alone = claim.verdict == "alone" or (self._alone and bool(self._flights))
            if claim.runs or self._flights or self._ended:
                idle_since = time.monotonic()
            elif time.monotonic() - idle_since >= self._settings.linger_ms / 1000:
                break
            await self._wait(claim)
        await self._leave()

    def drain(self) -> None:
        """Claim nothing more; what runs may end within the grace."""
        self.draining.set()
        self._stir.set()

    @property
    def busy(self) -> bool:
        """Whether it has anything that a lost lease would matter to."""
        return bool(self._flights or self._ended)

    def show_life(self) -> None:
        """Called on the loop by the keeper; that it runs at all is the sign."""
        self.beat = time.monotonic()

    def lose(self) -> None:
        """The lease is over: what is in flight belongs to others now."""
        log.warning("pump %s lost its lease with %d runs in flight", self.name, len(self._flights))
        for flight in list(self._flights.values()):
            self._stop(flight, "lost")
        self._flights.clear()
        self._ended.clear()
        self._rename()
        self._stir.set()

    def cancel(self, runs: Iterable[str]) -> None:
        """Stop the handlers of these runs, if they are here."""
        for run in runs:
            flight = self._flights.get(run)
            if flight is not None:
                self._stop(flight, "cancel")

    def _rename(self) -> None:
        self._stop_dozing()  # it waits for tokens under the old name
        self._count += 1
        self.name = f"{self._worker}:{id(self):x}:{time.time_ns():x}.{self._count}"

    # One trip to the store

    async def _turnaround(self) -> Claim:
        """Finish what has ended and claim what there is room for."""
        self.beat = time.monotonic()
        self._stir.clear()
        ended, self._ended = self._ended, []
        claim = self._claim_arguments()
        try:
            if not ended:
                return await self._store.runs.claim_with(claim)
            told, claimed = await self._store.runs.turnaround(
                finish_arguments(self.name, ended, self._queues), claim
            )
        except OperatorError:
            self._ended = ended + self._ended
            raise
        self._note(ended, told)
        return claimed

    def _claim_arguments(self) -> list[str | bytes | int | float]:
        threaded = sum(1 for flight in self._flights.values() if flight.run.lane.endswith(THREADS))
        room = min(BATCH, self._settings.room - (len(self._flights) - threaded))
        threads = min(BATCH, self._settings.threads - threaded)
        if self._alone and self._flights:
            room = threads = 0
        suspects = sum(1 for flight in self._flights.values() if flight.run.level)
        lanes = [
            pair
            for queue in self._queues
            for pair in ((lane(queue, threaded=False), room), (lane(queue, threaded=True), threads))
        ]
        return claim_arguments(
            self.name,
            lanes,
            self._worker,
            self._settings.lease_ms,
            self._nap_ms(),
            len(self._flights),
            SUSPECTS - suspects,
        )

    def _nap_ms(self) -> int:
        return min(max(self._settings.linger_ms, 100), 2_000)

    def _note(self, ended: list[Finish], told: list[str]) -> None:
        for finish, verdict in zip(ended, told, strict=True):
            if verdict == "stale":
                log.warning("%s ended too late (fence %s): its result is discarded", finish.run, finish.fence)

    async def _reconnect(self, error: OperatorError) -> None:
        """Redis is away: keep what has ended, ask until it is back, then square what the store believes we hold."""
        level = logging.WARNING if isinstance(error, StoreUnavailable) else logging.ERROR
        log.log(level, "%s; %d runs in flight go on", error, len(self._flights))
        pause = 0.05
        while not self.draining.is_set():
            try:
                known = [*self._flights, *(finish.run for finish in self._ended)]
                await self._store.runs.reconcile(self.name, known)
            except OperatorError:
                await asyncio.sleep(pause)
                pause = min(pause * 2, 1.0)
            else:
                return

    # Flights

    def _start(self, run: Claimed) -> None:
        try:
            payload = Payload.decode(run.payload)
        except UnreadableRecord as error:
            log.error("%s cannot run: %s", run.id, error)
            self._ended.append(outcome.unreadable(run, error))
            self._stir.set()
            return
        action = self._execution.action_of(payload)
        task = asyncio.get_running_loop().create_task(self._execution.attempt(run, payload))
        flight = Flight(run, payload, action, task, time.monotonic())
        self._flights[run.id] = flight
        task.add_done_callback(partial(self._landed, flight))
        if action is not None and action.timeout is not None:
            seconds = action.timeout.total_seconds()
            flight.timer = asyncio.get_running_loop().call_later(seconds, self._stop, flight, "timeout")
        if self._events is not None:
            self._events.started(flight)

    def _stop(self, flight: Flight, why: str) -> None:
        flight.end = flight.end or why
        flight.task.cancel()

    def _landed(self, flight: Flight, _: asyncio.Task[Finish]) -> None:
        """Its task is over, by itself or because it was stopped."""
        if flight.timer is not None:
            flight.timer.cancel()
        if self._flights.get(flight.run.id) is not flight:
            return  # lost with the lease, or handed back
        del self._flights[flight.run.id]
        finish = self._finish_of(flight)
        self._ended.append(finish)
        self._stir.set()
        if self._events is not None:
            self._events.ended(flight, finish, time.monotonic() - flight.began)

    def _finish_of(self, flight: Flight) -> Finish:
        if not flight.task.cancelled():
            error = flight.task.exception()
            if error is None:
                return flight.task.result()
            log.critical("%s broke the worker's own code; it failed", flight.run.id, exc_info=error)
            return outcome.raised(flight.run, error, outcome.NO_RETRY)
        retry = (flight.action.retry if flight.action else None) or outcome.NO_RETRY
        if flight.end == "timeout":
            limit = flight.action.timeout if flight.action is not None else None
            return outcome.raised(flight.run, TimedOut(f"the action took longer than {limit}"), retry)
        return outcome.cancelled(flight.run)

    # Waiting

    async def _wait(self, claim: Claim) -> None:
        """Until something ended, a wake token came, a wait is over, or the time that the posture allows."""
        if self._stir.is_set():
            return
        full = claim.verdict != "ok" or len(self._flights) >= self._settings.room
        asleep = not full and not claim.runs
        limit = self._nap_ms() / 1000 if asleep else FULL if full else HOT
        if claim.due_ms >= 0:
            limit = min(limit, claim.due_ms / 1000 + 0.001)
        if asleep and (self._sleep is None or self._sleep.done()):
            self._sleep = asyncio.create_task(self._doze())
        try:
            async with asyncio.timeout(limit):
                await self._stir.wait()
        except TimeoutError:
            return

    async def _doze(self) -> None:
        """Sleep on this pump's wake key until a token comes, which stirs it."""
        try:
            while not await self._store.runs.next_wake(self.name, self._nap_ms() / 1000):
                pass
        except OperatorError:
            return  # the next claim finds out, and reconnects
        self._stir.set()

    def _stop_dozing(self) -> None:
        if self._sleep is not None:
            self._sleep.cancel()
            self._sleep = None

    async def _leave(self) -> None:
        """End: let what runs end within the grace, hand the rest back at once."""
        deadline = time.monotonic() + self._settings.grace.total_seconds()
        if self._flights:
            await self._quietly(self._store.runs.pause(self.name, self._queues))
        while self._flights and time.monotonic() < deadline:
            self._stir.clear()
            await asyncio.wait(
                [flight.task for flight in self._flights.values()],
                timeout=min(0.25, deadline - time.monotonic()),
                return_when=asyncio.FIRST_COMPLETED,
            )
            await asyncio.sleep(0)
            await self._send_ended()
        abandoned = list(self._flights.values())
        self._flights.clear()
        for flight in abandoned:
            self._stop(flight, "lost")
        self._stop_dozing()
        await self._send_ended()
        await self._quietly(self._store.runs.leave(self.name, self._queues))

    async def _quietly(self, step: Awaitable[None]) -> None:
        """Take a step of leaving; if Redis is away, the lease's end does the same later."""
        try:
            await step
        except OperatorError as error:
            log.warning("%s; the runs of %s are taken over when its lease ends", error, self.name)

    async def _send_ended(self) -> None:
        ended, self._ended = self._ended, []
        if not ended:
            return
        try:
            self._note(ended, await self._store.runs.finish(self.name, ended))
        except OperatorError as error:
            log.warning("%s; %d results wait", error, len(ended))
            self._ended = ended + self._ended
