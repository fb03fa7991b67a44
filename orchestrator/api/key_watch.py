"""Keys of requests that go on for long: their ids in, and a word to each request whose key opens nothing any more.

One look a second for all of them together, however many there are, and none while there are none. While Redis is away
nobody is told of anything, so nobody's request ends.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final

from actions.errors import OperatorError
from orchestrator import keyring

if TYPE_CHECKING:
    from orchestrator.api.known_keys import KnownKeys
    from orchestrator.store.store import Store

LOOK_S: Final = 1.0
"""Seconds between two looks."""


class KeyWatch:
    """Looks whether keys are still there, and not over."""

    def __init__(self, store: Store, known: KnownKeys) -> None:
        """Look here; nothing is done before somebody waits for an end. `known` forgets at once what has ended."""
        self._store = store
        self._known = known
        self._waiting: dict[str, list[Callable[[], object]]] = defaultdict(list)
        self._timer: asyncio.TimerHandle | None = None
        self._looking: asyncio.Task[None] | None = None
        self._is_closed = False

    @contextmanager
    def watching(self, key_id: str, ended: Callable[[], object]) -> Iterator[None]:
        """Call `ended` if the key is revoked, or its time is over, while this block lasts; `key_id` "": never."""
        if not key_id:
            yield
            return
        self._waiting[key_id].append(ended)
        self._arm()
        try:
            yield
        finally:
            others = self._waiting.get(key_id, [])
            if ended in others:
                others.remove(ended)
            if not others:
                self._waiting.pop(key_id, None)
            if not self._waiting:
                self._disarm()

    async def close(self) -> None:
        """Look no more."""
        self._is_closed = True
        self._disarm()
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)

    def _arm(self) -> None:
        if self._waiting and self._timer is None and self._looking is None and not self._is_closed:
            self._timer = asyncio.get_running_loop().call_later(LOOK_S, self._begin)

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _begin(self) -> None:
        self._timer = None
        self._looking = asyncio.create_task(self._look(), name="keys of long requests")

    async def _look(self) -> None:
        try:
            with suppress(OperatorError):
                asked = list(self._waiting)
                found = await self._store.api_keys.among(asked)
                now = time.time()
                for key_id in asked:
                    key = found.get(key_id)
                    if key is None or keyring.is_over(key, now):
                        self._known.forget(key_id)
                        for ended in self._waiting.pop(key_id, []):
                            ended()
        finally:
            self._looking = None
            self._arm()
