"""A pump's sleep: it waits on its wake key in Redis while its loop does whatever else there is.

In: the name under which the pump sleeps. Out: `stir` is set when a token came.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from actions.errors import OperatorError

if TYPE_CHECKING:
    from orchestrator.store.store import Store


class Doze:
    """The sleep of one pump."""

    def __init__(self, store: Store, nap: float, stir: asyncio.Event) -> None:
        """Ask the wake key for `nap` seconds at a time; set `stir` when it has a token."""
        self._store = store
        self._nap = nap
        self._stir = stir
        self._task: asyncio.Task[None] | None = None

    def begin(self, name: str) -> None:
        """Sleep under this name, if not asleep already."""
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._sleep(name))

    def stop(self) -> None:
        """Wait no longer: the name is given up."""
        if self._task is not None:
            self._task.cancel()
            self._task = None

    async def _sleep(self, name: str) -> None:
        try:
            while not await self._store.runs.next_wake(name, self._nap):
                pass
        except OperatorError:
            return  # the next claim finds out, and reconnects
        self._stir.set()
