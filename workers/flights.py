"""The runs that a pump carries out at this moment: claimed ones go in, how they ended comes out.

Each is a task on the pump's loop, with a timer for its time. `stir` is set whenever something ended, so that the
pump sends all that ended in one trip. A flight that was abandoned (its lease is lost, or it was handed back) ends
without a word: its run belongs to somebody else.
"""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final, Protocol

from actions.errors import Fail, TimedOut, TryAgain, UnreadableRecord
from actions.messages import Payload
from orchestrator import turns
from orchestrator.store.keys import THREADS
from workers import outcome

if TYPE_CHECKING:
    from collections.abc import Iterable

    from actions.definition import Action
    from orchestrator.store.records import Claimed, Finish
    from workers.execution import Execution

log: Final = logging.getLogger("umbel.flights")


PROBATION: Final = 0.25
"""Seconds after which a suspect has shown that it does not kill at once; others may start beside it then."""
STUBBORN: Final = 2.0
"""Seconds that a handler may take to stop; then its run ends without it, and what it says later is discarded."""
TRIP: Final = 500
"""Ends that are told in one trip."""


@dataclass(slots=True)
class Flight:
    """A run that is being carried out here."""

    run: Claimed
    """What was claimed."""
    payload: Payload
    """What it is to do."""
    action: Action | None
    """The action, None if this worker does not know it (or it leads a turn)."""
    task: asyncio.Task[Finish]
    """Its attempt."""
    began: float
    """When, by the monotonic clock in seconds."""
    timer: asyncio.TimerHandle | None = None
    """Ends it when its time is over."""
    timed_out: bool = False
    """Whether that is why it was stopped."""
    cancelled: bool = False
    """Whether its cancellation was asked for."""


class Watcher(Protocol):
    """Who is told of flights, for people."""

    def started(self, flight: Flight) -> None:
        """An attempt begins."""
        ...

    def ended(self, flight: Flight, finish: Finish, runtime_s: float) -> None:
        """It ended, after this many seconds."""
        ...


class Flights:
    """What is in flight, and what has ended and was not yet told to the store."""

    def __init__(self, execution: Execution, events: Watcher | None) -> None:
        """Carry out runs with this, and tell Celery's watchers of them, if there are any."""
        self._execution = execution
        self._events = events
        self._flying: dict[str, Flight] = {}
        self._ended: list[Finish] = []
        self.stir = asyncio.Event()
        """Set when something ended; whoever waits for that clears it first."""

    def __len__(self) -> int:
        """How many are in flight."""
        return len(self._flying)

    @property
    def on_threads(self) -> int:
        """How many of them take a thread."""
        return sum(1 for flight in self._flying.values() if flight.run.lane.endswith(THREADS))

    @property
    def suspects(self) -> int:
        """How many of them were in flight when a worker died, and have not yet lived for long here."""
        since = time.monotonic() - PROBATION
        return sum(1 for flight in self._flying.values() if flight.run.level and flight.began > since)

    @property
    def busy(self) -> bool:
        """Whether anything is in flight, or has ended and was not yet told."""
        return bool(self._flying or self._ended)

    @property
    def known(self) -> list[tuple[str, str]]:
        """Run and fence of all that this process holds: in flight, or ended and not yet told."""
        flying = [(run, flight.run.fence) for run, flight in self._flying.items()]
        return flying + [(finish.run, finish.fence) for finish in self._ended]

    def take_ended(self) -> list[Finish]:
        """What has ended, at most as much as goes well in one trip; who cannot tell the store puts it back."""
        ended, self._ended = self._ended[:TRIP], self._ended[TRIP:]
        if self._ended:
            self.stir.set()
        return ended

    def put_back(self, ended: list[Finish]) -> None:
        """Keep what could not be told, before what ended since."""
        self._ended = ended + self._ended

    def start(self, run: Claimed) -> None:
        """Begin an attempt."""
        try:
            payload = Payload.decode(run.payload)
        except UnreadableRecord as error:
            log.error("%s cannot run: %s", run.id, error)
            self._ended.append(outcome.unreadable(run, error))
            self.stir.set()
            return
        action = self._execution.action_of(payload)
        loop = asyncio.get_running_loop()
        task = loop.create_task(self._execution.attempt(run, payload))
        flight = Flight(run, payload, action, task, time.monotonic())
        self._flying[run.id] = flight
        task.add_done_callback(partial(self._landed, flight))
        seconds = _limit(action, payload)
        if seconds is not None:
            loop.call_soon(self._set_timer, flight, seconds)
        if self._events is not None:
            self._events.started(flight)

    def cancel(self, runs: Iterable[str]) -> None:
        """Stop those of these runs that are here; they end as cancelled."""
        for run in runs:
            if (flight := self._flying.get(run)) is not None and not flight.cancelled:
                flight.cancelled = True  # asked once: a handler's own tidying up is not cancelled again
                self._stop(flight)

    def abandon(self) -> None:
        """Stop all without a word, and forget what ended: none of it is ours any more."""
        abandoned = list(self._flying.values())
        self._flying.clear()
        self._ended.clear()
        for flight in abandoned:
            flight.task.cancel()

    async def some_landed(self, within_s: float) -> None:
        """Wait until at least one has ended, or the time is over."""
        tasks = [flight.task for flight in self._flying.values()]
        await asyncio.wait(tasks, timeout=within_s, return_when=asyncio.FIRST_COMPLETED)
        await asyncio.sleep(0)  # the callbacks of the tasks that ended run in the loop's next turn

    def _set_timer(self, flight: Flight, seconds: float) -> None:
        """Called after the task's first step: most need no timer then, and thousands of dead ones slow the loop."""
        if not flight.task.done():
            flight.timer = asyncio.get_running_loop().call_later(seconds, self._time_is_over, flight)

    def _time_is_over(self, flight: Flight) -> None:
        """If the loop stood still, what was done in time is only now seen to be done: it gets one more turn."""
        asyncio.get_running_loop().call_soon(self._time_is_really_over, flight)

    def _time_is_really_over(self, flight: Flight) -> None:
        if not flight.task.done():
            flight.timed_out = True
            self._stop(flight)

    def _stop(self, flight: Flight) -> None:
        flight.task.cancel()
        asyncio.get_running_loop().call_later(STUBBORN, self._end_without, flight)

    def _end_without(self, flight: Flight) -> None:
        """Its handler does not stop: the run ends all the same."""
        if self._flying.get(flight.run.id) is flight:
            log.warning(
                "the handler of %s does not stop when it is cancelled; it goes on unheard", flight.run.id
            )
            self._end(flight)

    def _landed(self, flight: Flight, _: asyncio.Task[Finish]) -> None:
        """Its task is over, by itself or because it was stopped."""
        if flight.timer is not None:
            flight.timer.cancel()
        if self._flying.get(flight.run.id) is flight:  # else it was abandoned, or ended without its handler
            self._end(flight)

    def _end(self, flight: Flight) -> None:
        del self._flying[flight.run.id]
        finish = _finish_of(flight)
        self._ended.append(finish)
        self.stir.set()
        if self._events is not None:
            self._events.ended(flight, finish, time.monotonic() - flight.began)


def _limit(action: Action | None, payload: Payload) -> float | None:
    """Seconds that an attempt may take."""
    if payload.action == turns.ADVANCE:
        return turns.TIMEOUT_S
    return action.timeout.total_seconds() if action is not None and action.timeout is not None else None


def _finish_of(flight: Flight) -> Finish:
    """How it ended. Once its time was over, or it was cancelled, it does not matter what its handler says after all."""
    if flight.timed_out and flight.action is not None:
        error = TimedOut(f"the action took longer than {flight.action.timeout}")
        return outcome.raised(flight.run, error, flight.action.retry or outcome.NO_RETRY)
    if flight.timed_out:
        return outcome.raised(flight.run, TryAgain(reason="leading the turn took too long"), turns.RETRY)
    if flight.cancelled:
        return outcome.cancelled(flight.run)
    if flight.task.cancelled():
        return outcome.raised(flight.run, Fail("the action was cancelled from within"), outcome.NO_RETRY)
    broken = flight.task.exception()
    if broken is None:
        return flight.task.result()
    log.critical("%s broke the worker's own code; it failed", flight.run.id, exc_info=broken)
    return outcome.raised(flight.run, broken, outcome.NO_RETRY)
