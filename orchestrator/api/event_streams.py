"""What one client of an event stream is told: entries of the hub in, messages out, until it has to end.

It ends when the process stops, when the key opens nothing any more (`end`), when what it follows is gone (looked at
every some seconds, whether anything happens or not), and with the end of a run.
"""

from __future__ import annotations

import random
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from typing import TYPE_CHECKING, Any, Final

from actions.errors import OperatorError, StoreUnavailable
from actions.messages import TERMINAL
from orchestrator.api import sse
from orchestrator.hub import Gap

if TYPE_CHECKING:
    from orchestrator.hub import Subscription
    from orchestrator.store.events import Entry

HEARTBEAT_S: Final = 15.0
"""Seconds after which a silent stream gives a sign of life."""
LOOK_S: Final = 15.0
"""Seconds between two looks at the record of what is followed, at most: with a thousand streams, more would cost more
than events do."""
_LAST_S: Final = 1.0
"""Seconds that the last entry of a run has to come, once its record says that it has ended."""


class Telling:
    """One client's stream, of a conversation or of one run."""

    def __init__(
        self,
        subscribe: Callable[[], Subscription],
        *,
        run: str = "",
        snapshot: Callable[[], Awaitable[bytes]],
        holds: Callable[[], Awaitable[str]],
    ) -> None:
        """Tell what comes; nothing is done before it is opened.

        Args:
            subscribe: follows it from where the client wants to go on.
            run: its changes alone; empty: all.
            snapshot: how what is followed stands, as JSON. Raises what says that it is gone.
            holds: the status of what is followed, or "" if it is gone, so that the stream has to end.
        """
        self._subscribe = subscribe
        self._run = run
        self._snapshot = snapshot
        self._holds = holds
        self._passed = ""
        self._is_over = False
        self._events: Subscription | None = None

    def end(self) -> None:
        """Tell nothing more: the client may not hear it."""
        self._is_over = True
        if self._events is not None:
            self._events.end()

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[AsyncIterator[bytes]]:
        """All that is to be sent, in order.

        Raises:
            TooManyStreams: this process follows as many as it may.
            StoreUnavailable: Redis is away.
            UnknownConversation, UnknownRecord: what is to be followed is gone.
        """
        async with self._subscribe() as events:
            self._events = events
            got = await events.take(0)
            first = sse.retry() + (b"" if got is None else await self._told(got))
            async with aclosing(self._pieces(events, first)) as pieces:
                yield pieces

    async def _pieces(self, events: Subscription, first: bytes) -> AsyncGenerator[bytes, None]:
        yield first
        beat = time.monotonic() + HEARTBEAT_S
        look = _next_look()
        while not self._is_over:
            try:
                got = await events.take(max(0.0, min(beat, look) - time.monotonic()))
                if got is None:
                    return
                piece = await self._told(got)
                if time.monotonic() >= look:
                    piece += await self._look(events)
                    look = _next_look()
            except OperatorError:
                return  # the client comes again with its last id, and hears then how it is
            if not piece and time.monotonic() >= beat:
                piece = sse.HEARTBEAT + (sse.position(self._passed) if self._passed else b"")
                self._passed = ""
            if piece:
                beat = time.monotonic() + HEARTBEAT_S
                yield piece

    async def _told(self, got: list[Entry] | Gap) -> bytes:
        if isinstance(got, Gap):
            self._passed = ""
            return sse.reset(got.reason, await self._snapshot(), got.id)
        if not self._run:
            return b"".join(map(sse.changes, got))
        pieces: list[bytes] = []
        for entry in got:
            pieces.append(self._own(entry))
            if self._is_over:
                break
        return b"".join(pieces)

    def _own(self, entry: Entry) -> bytes:
        """What an entry says of the run; with its end, the stream's."""
        own = own_changes(entry, self._run)
        if not own:
            self._passed = entry.id
            return b""
        self._passed = ""
        piece = sse.some_changes(entry, own)
        if own[-1]["status"] in TERMINAL:
            self._is_over = True
            piece += sse.end(self._run, own[-1]["status"], entry.id)
        return piece

    async def _look(self, events: Subscription) -> bytes:
        """End the stream if it may not go on; what is still to be told."""
        if self._is_over:
            return b""
        try:
            status = await self._holds()
        except StoreUnavailable:
            return b""  # nothing is told meanwhile, so nothing is told to who may not hear it
        if not status:
            self._is_over = True
        elif self._run and status in TERMINAL:
            # Its last entry may be on its way. If it never comes (its conversation went first), the client hears of
            # the end when it comes again.
            got = await events.take(_LAST_S)
            piece = b"" if got is None else await self._told(got)
            self._is_over = True
            return piece
        return b""


def _next_look() -> float:
    """When to look again: not when a thousand others do that came at the same time."""
    return time.monotonic() + LOOK_S * random.uniform(0.5, 1)  # noqa: S311 - no secret


def own_changes(entry: Entry, run: str) -> list[dict[str, Any]]:
    """What an entry says of one run."""
    if f'"run":"{run}"' not in entry.text:
        return []
    return [change for change in entry.changes if change.get("run") == run]
