"""Waiting for something that the store will say: a question in, its answer out, asked ever more slowly.

For people and submitters who want to see an end; nothing in the house itself waits like this.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from actions.errors import StoreUnavailable

T = TypeVar("T")

_FIRST: Final = 0.005
_LONGEST: Final = 0.25


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
