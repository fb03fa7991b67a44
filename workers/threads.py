"""The functions of actions, called: coroutine functions on the loop, the others in threads.

In: a flight and one of its action's functions. Out: what that returned, or what it raised. A thread cannot be stopped,
so those that still work are counted, whether anybody waits for them or not.
"""

from __future__ import annotations

import asyncio
import inspect
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Executor

    from workers.flight import Flight


class Threads:
    """The threads of one process that handlers run in."""

    def __init__(self, pool: Executor) -> None:
        """Take threads from this pool."""
        self._pool = pool
        self.taken = 0
        """Threads that are at work, also for a run that timed out."""
        self.on_free: Callable[[], None] = lambda: None
        """Called on the loop when one of them has returned."""

    async def call(self, flight: Flight, function: Callable[..., Any], *arguments: Any) -> Any:
        """Call a function wherever it belongs: a coroutine function here, a sync one in a thread."""
        if inspect.iscoroutinefunction(function):
            return await function(*arguments)
        return await self.run(flight, function, *arguments)

    async def run(self, flight: Flight, function: Callable[..., Any], *arguments: Any) -> Any:
        """Call a sync function in a thread; what a wrapped coroutine function gives is awaited here."""
        loop = asyncio.get_running_loop()
        flight.work = work = self._pool.submit(_called, function, arguments)
        self.taken += 1

        def give_back(_: Any) -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(self._is_free)

        work.add_done_callback(give_back)
        value = await asyncio.wrap_future(work)
        return await value if inspect.isawaitable(value) else value

    def _is_free(self) -> None:
        self.taken -= 1
        self.on_free()


def _called(function: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
    """Call a sync handler; a StopIteration of its own cannot pass through a future, and would leave it open."""
    try:
        return function(*arguments)
    except StopIteration as error:
        raise RuntimeError("the handler raised StopIteration") from error
