"""The runs that a pump carries out at this moment: claimed ones go in, how they ended comes out.

Each is a task on the pump's loop, with a timer for its clocks. `stir` is set whenever something ended, so that the
pump sends all that ended in one trip. A flight that was abandoned (its lease is lost, or it was handed back) ends
without a word: its run belongs to somebody else.
"""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Final

from actions.errors import UnreadableRecord
from actions.messages import Payload
from orchestrator.store import keys
from workers import endings, finishes
from workers.flight import Flight, kind_of
from workers.ghosts import Ghosts
from workers.places import Places
from workers.points import name_at
from workers.timers import Timers

if TYPE_CHECKING:
    from collections.abc import Iterable

    from orchestrator.store.incoming import Finish
    from orchestrator.store.records import Claimed
    from workers.boxes import Boxes
    from workers.execution import Execution
    from workers.flight import Stop, Watcher
    from workers.points import Point, Points

log: Final = logging.getLogger("umbel.flights")

PROBATION: Final = 0.25
"""Seconds after which a suspect has shown that it does not kill at once; others may start beside it then."""
STUBBORN: Final = 2.0
"""Seconds that a handler may take to stop; then its run ends without it, and what it says later is discarded."""
TRIP: Final = 500
"""Ends that are told in one trip."""


class Flights:
    """What is in flight, and what has ended and was not yet told to the store."""

    def __init__(
        self, execution: Execution, boxes: Boxes, events: Watcher | None, points: Points | None = None
    ) -> None:
        """Carry out runs with these, and tell Celery's watchers and `points` of them, if there are any."""
        self._execution = execution
        self._points = points
        self._boxes = boxes
        self._events = events
        self._flying: dict[str, Flight] = {}
        self.places = Places()
        """Who takes which places here."""
        self._timers = Timers(self._stop)
        self._ended: list[Finish] = []
        self._ghosts = Ghosts(self._tell)
        self.stir = asyncio.Event()
        """Set when something ended; whoever waits for that clears it first."""

    def __len__(self) -> int:
        """How many are in flight."""
        return len(self._flying)

    @property
    def suspects(self) -> int:
        """How many of them were in flight when a worker died, and have not yet lived for long here."""
        since = time.monotonic() - PROBATION
        return sum(1 for flight in self._flying.values() if flight.run.level and flight.began > since)

    @property
    def working(self) -> bool:
        """Whether a handler runs here, also one that goes on after the end of its run."""
        return bool(self._flying or self._ghosts)

    @property
    def busy(self) -> bool:
        """Whether anything is in flight, or has ended and was not yet told, or goes on after its end."""
        return bool(self._flying or self._ended or self._ghosts)

    @property
    def known(self) -> list[tuple[str, str]]:
        """Name and fence of all that this process holds: in flight, ended and not yet told, ghosts."""
        flying = [(run, flight.run.fence) for run, flight in self._flying.items()]
        told = [
            (keys.ghost(end.run, end.fence) if end.verdict == finishes.LATE else end.run, end.fence)
            for end in self._ended
        ]
        return flying + told + self._ghosts.known

    @property
    def held(self) -> int:
        """How many that are."""
        return len(self._flying) + len(self._ended) + len(self._ghosts)

    def take_ended(self) -> list[Finish]:
        """What has ended, at most as much as goes well in one trip; who cannot tell the store puts it back."""
        ended, self._ended = self._ended[:TRIP], self._ended[TRIP:]
        if self._ended:
            self.stir.set()
        self._reach("before_finish", ended)
        return ended

    def were_told(self, ended: list[Finish], verdicts: list[str]) -> None:
        """The store has heard of these ends, and says what it made of them."""
        self._reach("after_finish", ended)
        endings.note_late(ended, verdicts)

    def _reach(self, point: Point, ended: list[Finish]) -> None:
        if self._points is not None:
            for each in ended:
                self._points(point, each.run)

    def put_back(self, ended: list[Finish]) -> None:
        """Keep what could not be told, before what ended since."""
        self._ended = ended + self._ended

    def start(self, run: Claimed) -> None:
        """Begin an attempt."""
        try:
            payload = Payload.decode(run.payload)
        except UnreadableRecord as error:
            log.error("%s cannot run: %s", run.id, error)
            self._tell(finishes.unreadable(run, error))
            return
        action = self._execution.action_of(payload)
        loop = asyncio.get_running_loop()
        now = time.monotonic()
        kind = kind_of(run.lane)
        flight = Flight(run, payload, action, kind, now)
        if self._points is not None:
            self._points("after_claim", run.id, name_at(flight))
        boxes = self._boxes if kind == keys.ISOLATED else None
        if flight.wind(now, waits=boxes is not None):
            self._timers.begin(flight)
        attempt = (
            self._execution.attempt(flight) if boxes is None else boxes.attempt(flight, self._timers.rewind)
        )
        flight.task = task = loop.create_task(attempt)
        self._flying[run.id] = flight
        self.places.take(kind, run.tenant)
        task.add_done_callback(partial(self._landed, flight))
        if self._events is not None:
            self._events.started(flight)

    def cancel(self, runs: Iterable[str]) -> None:
        """Stop those of these runs that are here; they end as cancelled."""
        for run in runs:
            if (flight := self._flying.get(run)) is not None:
                self._stop(flight, "cancelled")

    def abandon(self) -> None:
        """Stop all without a word, and forget what ended: none of it is ours any more."""
        abandoned = list(self._flying.values())
        self._flying.clear()
        self.places.clear()
        self._ended.clear()
        self._ghosts.forget()
        for flight in abandoned:
            if not flight.stopped:  # else it is tidying up already
                flight.task.cancel()

    async def hand_back(self) -> list[str]:
        """Abandon all, wait a moment for them to stop, and return the runs whose handlers had not begun."""
        handed = list(self._flying.values())
        self.abandon()
        if handed:  # until they have stopped nobody else should hold their locks
            await asyncio.wait([flight.task for flight in handed], timeout=STUBBORN)
        return [flight.run.id for flight in handed if flight.is_unbegun]

    async def some_landed(self, within_s: float) -> None:
        """Wait until `stir` is set, or the time is over."""
        with suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await self.stir.wait()

    # Ends

    def _stop(self, flight: Flight, why: Stop) -> None:
        if flight.stopped:
            return  # asked once: a handler's own tidying up is not cancelled again
        flight.stopped = why
        flight.task.cancel()
        asyncio.get_running_loop().call_later(STUBBORN, self._end_without, flight)

    def _end_without(self, flight: Flight) -> None:
        """Its handler does not stop: the run ends all the same."""
        if self._flying.get(flight.run.id) is flight:
            self._end(flight)

    def _landed(self, flight: Flight, _: asyncio.Task[Finish]) -> None:
        """Its task is over, by itself or because it was stopped."""
        if flight.timer is not None:
            flight.timer.cancel()
        if self._flying.get(flight.run.id) is flight:  # else it was abandoned, or ended without its handler
            self._end(flight)

    def _end(self, flight: Flight) -> None:
        del self._flying[flight.run.id]
        self.places.give_back(flight.kind, flight.run.tenant)
        finish = endings.finish_of(flight)
        if flight.stopped or flight.spending:
            finish = self._execution.settled(flight, finish)
        if flight.stopped and flight.goes_on:
            self._ghosts.add(flight)
            finish = endings.haunted(finish)
        if flight.run.check:
            finish = endings.still_asked(flight, finish)
        # It knows its flight: a ring of some thousands a second is what the collector would live on.
        if flight.task.done():  # else it may still have to leave what it has entered
            flight.ctx = None
        self._tell(finish)
        if self._events is not None:
            self._events.ended(flight, finish, time.monotonic() - flight.began)
        log.debug("%s ended as %s", flight.run.id, finish.verdict)

    def _tell(self, finish: Finish) -> None:
        self._ended.append(finish)
        self.stir.set()
