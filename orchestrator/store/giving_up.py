"""A time limit for what exists once: it does not give up on an answer that is here already."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

_ROUNDS: Final = 10
"""Rounds of the loop that an answer may take from the socket to who waits for it; it needs a few."""


@asynccontextmanager
async def in_time(seconds: float) -> AsyncIterator[None]:
    """Raise TimeoutError in this block after so many seconds, but not before what has come by then was read.

    A loop that stood still notices that the time is over in the same round in which it reads what came meanwhile.
    `asyncio.timeout` then throws that away; and what was taken out of a list is nowhere else.
    """
    loop = asyncio.get_running_loop()
    timers: list[asyncio.Handle] = []

    def end(rounds: int) -> None:
        if rounds:
            timers[:] = [loop.call_soon(end, rounds - 1)]
        else:
            limit.reschedule(loop.time())

    async with asyncio.timeout(None) as limit:
        timers.append(loop.call_later(seconds, end, _ROUNDS))
        try:
            yield
        finally:
            timers.pop().cancel()
