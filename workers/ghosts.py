"""Handlers that go on after the end of their run: threads that cannot be stopped, coroutines that do not want to.

In: flights that have ended while their handler still runs. Out: a `late` finish for each when it has ended as well.
Until that is told the pump holds the ghost in the store, where it keeps the locks of its run; it is nobody's result.
"""

from __future__ import annotations

import asyncio
import logging
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from orchestrator.store import keys
from workers import finishes

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future

    from orchestrator.store.incoming import Finish
    from workers.flight import Flight

log: Final = logging.getLogger("umbel.flights")


class Ghosts:
    """The ghosts of one pump."""

    def __init__(self, gone: Callable[[Finish], None]) -> None:
        """Tell `gone`, on the loop, of each that has ended."""
        self._gone = gone
        self._there: dict[str, Flight] = {}

    def __len__(self) -> int:
        """How many there are."""
        return len(self._there)

    @property
    def known(self) -> list[tuple[str, str]]:
        """Their names in the store, each with the fence of its run."""
        return [(name, flight.run.fence) for name, flight in self._there.items()]

    def add(self, flight: Flight) -> None:
        """Its run has ended, its handler has not."""
        name = keys.ghost(flight.run.id, flight.run.fence)
        self._there[name] = flight
        log.warning("the handler of %s goes on after the end of its run, unheard", flight.run.id)
        loop = asyncio.get_running_loop()
        if flight.work is not None and not flight.work.done():
            flight.work.add_done_callback(partial(self._from_thread, loop, name))
        else:
            flight.task.add_done_callback(lambda task: self._ended(name, task))

    def forget(self) -> None:
        """The pump's lease is over, and with it their locks: what they say is not even noted."""
        self._there.clear()

    def _from_thread(self, loop: asyncio.AbstractEventLoop, name: str, work: Future[Any]) -> None:
        if not loop.is_closed():
            loop.call_soon_threadsafe(self._ended, name, work)

    def _ended(self, name: str, end: Future[Any] | asyncio.Task[Any]) -> None:
        flight = self._there.pop(name, None)
        broken = None if end.cancelled() else end.exception()  # asked in any case, or asyncio complains of it
        if flight is None:
            return
        how = (
            "was cancelled"
            if end.cancelled()
            else f"raised {type(broken).__name__}"
            if broken
            else "returned"
        )
        log.info("the handler of %s %s after the end of its run; that is discarded", flight.run.id, how)
        self._gone(finishes.late(flight.run, f"the handler {how} after the end of its run"))
