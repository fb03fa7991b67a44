"""The pump: claims what it can start now, runs it together, finishes it with the next claim, until idle.

One in each worker process, started by a nudge. In: runs from the store. Out: their ends, in batches. Its posture
(asleep, hot, full) is set by the claim script, so that whoever makes work ready knows whom to wake.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from typing import TYPE_CHECKING, Final

from actions.errors import OperatorError, StoreUnavailable
from orchestrator.store.rows import claim_arguments, finish_arguments
from workers.doze import Doze
from workers.flights import PROBATION, Flights
from workers.rooms import Rooms

if TYPE_CHECKING:
    from collections.abc import Awaitable, Collection, Iterable, Sequence

    from orchestrator.settings import Settings
    from orchestrator.store.records import Claim
    from orchestrator.store.store import Store
    from orchestrator.store.values import Value
    from workers.boxes import Boxes
    from workers.events import RunEvents
    from workers.execution import Execution
    from workers.points import Points

log: Final = logging.getLogger("umbel.pump")

SUSPECTS: Final = 16
"""Suspects that one pump starts within `PROBATION`, so that a run which kills at once takes few others with it."""
HOT: Final = 0.005
"""Seconds after which a pump that took something and has room claims again, if nothing ended before. Meanwhile the
store wakes nobody for it (it relies on at most 1 s); what comes in that time is taken together."""
FULL: Final = 0.9
"""Seconds after which a pump without room looks again at what it may do."""
NEAR_MS: Final = 10_000
"""Milliseconds for which an idle pump stays to see a wait end in time: a tick would see it up to a second late."""
LONGEST_NAP: Final = 2.0
"""Seconds that a sleeping pump lets pass between two claims, so that its loop is seen to live."""


class Pump:
    """One process's claim on the work of some queues; used again for each nudge."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        execution: Execution,
        boxes: Boxes,
        *,
        worker: str,
        queues: Sequence[str],
        isolated: Collection[str] = (),
        events: RunEvents | None = None,
        points: Points | None = None,
    ) -> None:
        """Serve these queues; `worker` is the Celery node's name, for people.

        `isolated` are the queues with isolated actions, which run in `boxes`.
        """
        self._settings = settings
        self._store = store
        self._worker = worker
        self._queues = tuple(queues)
        self._flights = Flights(execution, boxes, events, points)
        self._rooms = Rooms(settings, execution, self._flights, queues, isolated)
        execution.threads.on_free = self._flights.stir.set
        self._draining = False
        self._alone = False
        self._nap = min(max(settings.linger_ms / 1000, 0.1), LONGEST_NAP)
        self._doze = Doze(store, self._nap, self._flights.stir)
        self.name = ""
        """The name under which it holds its lease; a new one each time it starts or lost its lease."""
        self.beat = time.monotonic()
        """When the loop was last seen alive; the keeper watches it."""

    async def run(self) -> None:
        """Work until there has been nothing to do for `linger_ms`, or until told to drain; `rename` comes first."""
        try:
            await self._work()
        finally:
            await self._leave()

    async def _work(self) -> None:
        idle_since = time.monotonic()
        failures = 0
        while not self._draining:
            try:
                claim = await self._turnaround()
            except OperatorError as error:
                await self._reconnect(error)
                await asyncio.sleep(min(0.02 * 2**failures, 2.0))  # Redis is there, and still it does not go
                failures = min(failures + 1, 10)
                continue
            failures = 0
            if claim.verdict == "lost":
                self.lose()
                continue
            for run in claim.runs:
                self._flights.start(run)
            if claim.held > self._flights.held:
                await self._square()
            self._alone = claim.verdict == "alone" or (self._alone and bool(self._flights))
            if self.busy:
                idle_since = time.monotonic()
            elif (
                time.monotonic() - idle_since >= self._settings.linger_ms / 1000
                and not 0 <= claim.due_ms <= NEAR_MS
            ):
                break
            await self._wait(claim)

    def drain(self) -> None:
        """Claim nothing more; what runs may end within the grace."""
        self._draining = True
        self._flights.stir.set()

    @property
    def busy(self) -> bool:
        """Whether it has anything that a lost lease would matter to."""
        return self._flights.busy

    def show_life(self) -> None:
        """Called on the loop by the keeper; that it runs at all is the sign."""
        self.beat = time.monotonic()

    def lose(self) -> None:
        """The lease is over: what is in flight belongs to others now."""
        log.warning("pump %s lost its lease with %d runs in flight", self.name, len(self._flights))
        self._flights.abandon()
        self.rename()
        self._flights.stir.set()

    def cancel(self, runs: Iterable[str]) -> None:
        """Stop the handlers of these runs, if they are here."""
        self._flights.cancel(runs)

    def rename(self) -> None:
        """Take a name that no pump had before: a lease is never taken up again."""
        self._doze.stop()  # it waits for tokens under the old name
        # Short: it stands in every record that it claims.
        self.name = f"{self._worker}:{secrets.token_hex(4)}"

    # Trips to the store

    async def _turnaround(self) -> Claim:
        """Finish what has ended and claim what there is room for, in one trip."""
        self.show_life()
        self._flights.stir.clear()
        ended = self._flights.take_ended()
        claim = self._claim_arguments()
        try:
            if not ended:
                return await self._store.runs.claim_with(claim)
            finish = finish_arguments(self.name, ended, self._queues)
            told, claimed = await self._store.runs.turnaround(finish, claim)
        except BaseException:
            self._flights.put_back(ended)
            raise
        self._flights.were_told(ended, told)
        return claimed

    def _claim_arguments(self) -> list[Value]:
        return claim_arguments(
            self.name,
            self._rooms.lanes(alone=self._alone),
            self._worker,
            self._settings.lease_ms,
            int(self._nap * 1000),
            len(self._flights),
            SUSPECTS - self._flights.suspects,
            self._settings.patience_ms,
            self._rooms.shares(),
        )

    async def _reconnect(self, error: OperatorError) -> None:
        """Redis is away: keep what has ended, ask until it is back, then square what the store believes we hold."""
        level = logging.WARNING if isinstance(error, StoreUnavailable) else logging.ERROR
        log.log(level, "%s; %d runs in flight go on", error, len(self._flights))
        pause = 0.05
        while not self._draining:
            self.show_life()
            try:
                await self._store.runs.reconcile(self.name, self._flights.known)
            except OperatorError:
                await asyncio.sleep(pause)
                pause = min(pause * 2, 1.0)
            else:
                return

    async def _square(self) -> None:
        """The store believes us to hold more than we know: a claim was carried out whose answer never came."""
        log.warning("%s holds runs that it does not know; they are given back", self.name)
        try:
            await self._store.runs.reconcile(self.name, self._flights.known)
        except OperatorError as error:
            await self._reconnect(error)

    async def _send_ended(self) -> None:
        self._flights.stir.clear()
        ended = self._flights.take_ended()
        if not ended:
            return
        try:
            self._flights.were_told(ended, await self._store.runs.finish(self.name, ended))
        except OperatorError as error:
            log.warning("%s; %d results wait", error, len(ended))
            self._flights.put_back(ended)

    async def _wait(self, claim: Claim) -> None:
        """Until something ended, a wake token came, a wait is over, or the time that the posture allows."""
        full = claim.verdict != "ok" or max(self._rooms.free(alone=self._alone).values()) <= 0
        asleep = not full and not claim.runs
        limit = self._nap if asleep else FULL if full else HOT
        if self._flights.suspects:
            limit = min(limit, PROBATION)
        if claim.due_ms >= 0:
            limit = min(limit, claim.due_ms / 1000 + 0.001)
        if asleep:
            self._doze.begin(self.name)
        await self._flights.some_landed(limit)

    async def _leave(self) -> None:
        """Let what runs end within the grace, stop the rest and hand it back."""
        self._doze.stop()
        deadline = time.monotonic() + self._settings.grace.total_seconds()
        if self._flights.working:
            await self._quietly(self._store.runs.pause(self.name, self._queues))
        while self._flights.working and time.monotonic() < deadline:
            await self._flights.some_landed(min(0.25, max(0.0, deadline - time.monotonic())))
            self.show_life()
            await self._send_ended()
        await self._send_ended()
        unbegun = await self._flights.hand_back()
        await self._quietly(self._store.runs.leave(self.name, self._queues, unbegun))

    async def _quietly(self, step: Awaitable[None]) -> None:
        """Take a step of leaving; if Redis is away, the lease's end does the same later."""
        try:
            await step
        except OperatorError as error:
            log.warning("%s; the runs of %s are taken over when its lease ends", error, self.name)
