"""A follower of one event stream: from any id of it on, each entry once and in order, for as long as it likes.

Old entries come in pages from Redis, new ones from the channel's ring; who is too slow for the ring goes back to
pages. Between the two nothing is lost or told twice, for both are asked for what stands behind the same place. Where
something may be missing comes a `Gap`: whoever gets it forgets what it knew and looks at how things stand.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, Self, cast

from actions.errors import StoreUnavailable
from orchestrator.store.events import START, Entry, place

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from orchestrator.channels import Channel
    from orchestrator.store.events import Events

PAGE: Final = 200
"""Entries that are read from Redis at once."""
_AGAIN_S: Final = 0.5
"""Seconds between two tries to read a page while Redis is away."""


@dataclass(frozen=True, slots=True)
class Gap:
    """Something may be missing before what follows; who needs to know all looks at how things stand now."""

    reason: Literal["trimmed", "unknown", "now"]
    """`trimmed`: entries behind the given id are gone. `unknown`: the stream has no such entry. `now`: asked for."""
    id: str
    """The stream's last entry before it was told of: what follows is newer. Look at how things stand after this."""


class Subscription:
    """One follower; an async context manager that takes itself off the hub."""

    def __init__(
        self, channel: Channel, events: Events, begun: Callable[[], None], *, after: str, now: bool
    ) -> None:
        """Use `Hub.subscribe`; `begun` is told when this one was the first to know where its stream stands."""
        self._channel = channel
        self._events = events
        self._begun = begun
        self._after = after or START
        self._place = place(START)
        self._now = now
        self._epoch = -1
        self._has_read = False
        self._pending: list[Entry] = []
        self.leave: Callable[[], None] = lambda: None
        """Takes it off the hub; the hub sets it."""
        self.is_over = False
        """Whether the hub has closed, or `end` was called."""

    async def __aenter__(self) -> Self:
        """Nothing is done before the first `take`."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Leave the hub."""
        self.leave()

    def end(self) -> None:
        """Let `take` return None from now on, the one that waits included."""
        self.is_over = True
        self._channel.wake()

    async def __aiter__(self) -> AsyncIterator[Entry | Gap]:
        """Entry by entry, until the hub closes."""
        while (got := await self.take(3600.0)) is not None:
            if isinstance(got, Gap):
                yield got
            else:
                for entry in got:
                    yield entry

    async def take(self, timeout_s: float) -> list[Entry] | Gap | None:
        """What comes next: entries (none: the time is over), or a gap before them; None: the hub closes.

        Raises:
            StoreUnavailable: Redis was away at the first call; later ones wait until it is back.
        """
        limit = time.monotonic() + timeout_s
        while not self.is_over:
            if self._pending:
                entries, self._pending = self._pending, []
                return entries
            if self._now or not self._channel.serves(self._place, self._epoch):
                if (gap := await self._read(limit)) is not None:
                    return gap
            elif fresh := self._channel.behind(self._place):
                self._reach(fresh[-1].id)
                return fresh
            elif not await _within(limit, self._channel.news):
                break
            if time.monotonic() > limit and not self._pending:
                break
        return None if self.is_over else []

    async def _read(self, limit: float) -> Gap | None:
        """Read the next page into `_pending`, or wait a moment if Redis is away; return a gap before it."""
        epoch = self._channel.epoch
        try:
            gap = await self._next()
        except StoreUnavailable:
            if not self._has_read:
                raise
            await asyncio.sleep(max(0.0, min(_AGAIN_S, limit - time.monotonic())))
            return None
        self._has_read = True
        self._epoch = epoch
        return gap

    async def _next(self) -> Gap | None:
        """Put what follows into `_pending`; or tell of a gap, and go on from the stream's end."""
        stream, missing, entries = self._channel.stream, "now", list[Entry]()
        if self._now:
            last = await self._events.last(stream)
        else:
            page = await self._events.page(stream, self._after, count=PAGE)
            missing, entries, last = page.missing, page.entries, page.last
            if not missing and self._has_read and self._channel.lost > self._epoch:
                missing, entries, last = "unknown", [], await self._events.last(stream)
        self._now = False
        self._pending = entries
        self._reach(last)
        if len(entries) < PAGE and self._channel.begin(last):
            self._begun()
        return Gap(cast("Any", missing), last) if missing else None

    def _reach(self, id: str) -> None:  # noqa: A002 - the stream's word
        self._after, self._place = id, place(id)


async def _within(limit: float, event: asyncio.Event) -> bool:
    """Wait for an event; whether it came in time."""
    try:
        async with asyncio.timeout(max(0.0, limit - time.monotonic())):
            await event.wait()
    except TimeoutError:
        return False
    return True
