"""The one reader of event streams in a process: channels in, their new entries taken in by them.

One blocking read over all streams, for as long as there is a channel. Whatever Redis does, it goes on when Redis is
back: what was read before is first looked for, and a channel whose stream has lost it is broken off, so that all who
follow it look for themselves.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from typing import TYPE_CHECKING, Final

from actions.errors import OperatorError
from orchestrator.store.events import START
from orchestrator.store.following import MOST

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orchestrator.channels import Channel
    from orchestrator.store.events import Entry
    from orchestrator.store.store import Store

CHECK_S: Final = 15.0
"""Seconds between two looks at whether the streams still have what was read of them."""
_PAUSE_S: Final = 1e-5
"""Seconds between two reads for each stream: a read over many costs Redis some µs for each, so it comes less often."""
_SHORTEST_S: Final = 1e-3
"""No pause is shorter: the loop's clock knows no less."""
_BACKOFF_S: Final = (0.05, 0.1, 0.2, 0.5, 1.0)

_log = logging.getLogger(__name__)


class StreamReader:
    """Reads the streams of all channels; the dictionary is the hub's, which adds and removes."""

    def __init__(self, store: Store, channels: Mapping[str, Channel]) -> None:
        """Read nothing before a channel has begun."""
        self._events = store.events
        self._channels = channels
        self._follower = store.follower()
        self._some = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._errands: set[asyncio.Task[None]] = set()
        self._is_reading = False

    def follow(self) -> None:
        """A channel has begun: read its stream as well, from now on."""
        self._some.set()
        if self._task is None:
            self._task = asyncio.create_task(self._read_on(), name="event streams")
        elif self._is_reading:
            self._is_reading = False  # one token is enough for all who come before the next read
            errand = asyncio.create_task(self._interrupt())
            self._errands.add(errand)
            errand.add_done_callback(self._errands.discard)

    async def close(self) -> None:
        """Stop reading and close the connection."""
        tasks = [*self._errands, *([self._task] if self._task else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._task = None
        await self._follower.close()

    async def _interrupt(self) -> None:
        with contextlib.suppress(OperatorError):  # else the reader comes round by itself, some seconds later
            await self._follower.interrupt()

    def _places(self) -> dict[str, str]:
        return {name: each.position for name, each in self._channels.items() if each.position is not None}

    async def _read_on(self) -> None:
        failures, checked_at = 0, time.monotonic()
        while True:
            if not self._places():
                self._some.clear()
                await self._some.wait()
            try:
                if failures or time.monotonic() - checked_at > CHECK_S:
                    await self._check()
                    checked_at = time.monotonic()
                await self._read()
            except Exception as error:  # noqa: BLE001 - whatever it is: silence for ever would be worse
                self._is_reading = False
                if not failures:
                    _log.warning("event streams: %s", error, exc_info=not isinstance(error, OperatorError))
                await asyncio.sleep(_BACKOFF_S[min(failures, len(_BACKOFF_S) - 1)])
                failures += 1
            else:
                if failures:
                    _log.info("event streams: read on after %d failures", failures)
                failures = 0

    async def _read(self) -> None:
        places = self._places()
        if not places:
            return
        self._is_reading = True
        found = await self._follower.read(places)
        self._is_reading = False
        await self._take_in(found, places)
        if (pause := len(places) * _PAUSE_S) > _SHORTEST_S:
            await asyncio.sleep(pause)

    async def _take_in(self, found: dict[str, list[Entry]], places: dict[str, str]) -> None:
        # Fewer entries than a read may bring are all that there are, and the scripts keep many more: none was trimmed.
        many = {name: places[name] for name, entries in found.items() if len(entries) >= MOST}
        doubtful = set(await self._events.gone(many) if many else ())
        for name, entries in found.items():
            channel = self._channels.get(name)
            if channel is not None and channel.position == places[name] and name not in doubtful:
                channel.add(entries)
        await self._break_off(dict.fromkeys(doubtful, False))

    async def _check(self) -> None:
        """Find the streams that no longer have what was last seen of them: trimmed, emptied, or of another server.

        What was seen at the last check is looked for, not what was read last: a stream that was removed and made anew
        in between would pass.
        """
        seen = {name: each.anchor for name, each in self._channels.items() if each.anchor != START}
        lost: dict[str, bool] = {}
        for name in await self._events.gone(seen):
            lost[name] = (await self._events.page(name, seen[name], count=1)).missing == "unknown"
        await self._break_off(lost)
        for channel in self._channels.values():
            channel.anchor = channel.position or START

    async def _break_off(self, lost: Mapping[str, bool]) -> None:
        for name, is_lost in lost.items():
            last = await self._events.last(name)
            if (channel := self._channels.get(name)) is not None and channel.position is not None:
                channel.break_off(last, is_lost=is_lost)
