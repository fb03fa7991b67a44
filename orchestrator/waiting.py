"""Waiting for something that the store will say: a question in, its answer out, asked ever more slowly.

For people and submitters who want to see an end; nothing in the house itself waits like this.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, Final, TypeVar

from actions.errors import StoreUnavailable
from actions.messages import TERMINAL, Status

if TYPE_CHECKING:
    from orchestrator.store.store import Store

T = TypeVar("T")

_FIRST: Final = 0.005
_LONGEST: Final = 0.25
_LOOK: Final = 2.0
"""Seconds after which the records are read although nothing was told: a reply list may have been lost."""
_AWAY: Final = 30.0
"""Seconds for which Redis may be away without an end of the wait."""
_GRACE: Final = 1.5
"""Seconds after the end of their time for which runs are left to the store, which ends them when it is asked to: by
a worker, within a second."""
_STOPPING: Final = 10.0
"""Seconds that runs have to end in once they were cancelled."""
_CHUNK: Final = 500


async def until(what: str, probe: Callable[[], Awaitable[tuple[str, T | None]]], timeout_s: float) -> T:
    """Ask until the answer's second part is there; the first is what stands meanwhile."""
    limit = time.monotonic() + timeout_s
    pause, stands = _FIRST, "unknown"
    while True:
        try:
            stands, found = await probe()
            if found is not None:
                return found
        except StoreUnavailable:
            if time.monotonic() > limit:
                raise
        if time.monotonic() > limit:
            raise TimeoutError(f"{what} is {stands} after {timeout_s:g} s")
        await asyncio.sleep(pause)
        pause = min(pause * 1.5, _LONGEST)


async def patiently(step: Callable[[], Awaitable[T]]) -> T:
    """Take a step that may be taken twice, again and again while Redis is away.

    Raises:
        StoreUnavailable: it was away for half a minute.
    """
    limit = time.monotonic() + _AWAY
    while True:
        try:
            return await step()
        except StoreUnavailable:
            if time.monotonic() > limit:
                raise
        await asyncio.sleep(_LONGEST)


class Ends:
    """Waits for many runs whose ends are told to one reply list; cancels what is left when the time is over."""

    def __init__(
        self, store: Store, mailbox: str, *, timeout_s: float | None, stops_at_failure: bool
    ) -> None:
        """Wait for the runs that name `mailbox` as their reply list.

        Args:
            store: where they live.
            mailbox: their reply list.
            timeout_s: how long from now all of them may take; None: as long as it takes.
            stops_at_failure: whether the first failure cancels what has not ended.
        """
        self._store = store
        self._mailbox = mailbox
        self._limit = math.inf if timeout_s is None else time.monotonic() + timeout_s
        self._stops = stops_at_failure
        self.failed: list[str] = []
        """Runs that did not succeed, in the order in which that was heard."""
        self.overdue: set[str] = set()
        """Runs that were cancelled because their time was over and no worker had said so."""

    @property
    def left_s(self) -> float:
        """Seconds that are left; infinite if there is no limit."""
        return max(0.0, self._limit - time.monotonic())

    async def wait_for(self, runs: Iterable[str]) -> None:
        """Wait until these have ended, or were cancelled and did not end for ten seconds more.

        Raises:
            StoreUnavailable: Redis was away for half a minute.
        """
        open_, stopped_at, pause, heard_at = set(runs), math.inf, _FIRST, time.monotonic()
        while open_ and time.monotonic() < stopped_at + _STOPPING:
            try:
                if stopped_at == math.inf and self._is_over():
                    stopped_at = time.monotonic()
                    self.overdue |= set() if self._is_stopped() else open_
                    await self._cancel(open_)
                open_ -= await self._next(open_, min(pause, max(self.left_s, _LONGEST)))
                pause, heard_at = min(pause * 2, _LOOK), time.monotonic()
            except StoreUnavailable:
                if time.monotonic() > heard_at + _AWAY:
                    raise
                await asyncio.sleep(_LONGEST)

    def _is_stopped(self) -> bool:
        return self._stops and bool(self.failed)

    def _is_over(self) -> bool:
        return self._is_stopped() or time.monotonic() > self._limit + _GRACE

    async def _next(self, runs: set[str], timeout_s: float) -> set[str]:
        """What ended next: the first that is told of, else all of which the records say so."""
        told = await self._store.runs.next_reply(self._mailbox, timeout_s)
        if told is not None:
            run, status, _ = told
            return self._heard({run: status}, runs)
        names = sorted(runs)
        found: dict[str, str] = {}
        for at in range(0, len(names), _CHUNK):
            some = names[at : at + _CHUNK]
            views = await self._store.runs.read_all(some)
            found |= {
                run: view.status if view else Status.EXPIRED
                for run, view in zip(some, views, strict=True)
                if view is None or view.status in TERMINAL
            }
        return self._heard(found, runs)

    def _heard(self, ends: dict[str, str], runs: set[str]) -> set[str]:
        mine = {run: status for run, status in ends.items() if run in runs}
        self.failed += [run for run, status in mine.items() if status != Status.SUCCEEDED]
        return set(mine)

    async def _cancel(self, runs: set[str]) -> None:
        """Cancel one by one: a run of a round ends alone, and its round is completed by its neighbours."""
        for run in sorted(runs):
            await self._store.runs.cancel(run)
