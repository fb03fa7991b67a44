"""The one reader of event streams in a process, and all who wait for what it reads.

In: names of streams and ids of runs and turns. Out: subscriptions, and the ends that were waited for. However many
there are, one blocking read serves them all; nobody polls and nobody has a connection of its own. `stream_reader` is
that reader, `channels` keep what is new, `subscriptions` hand it out.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import TYPE_CHECKING, Final, TypeVar

from actions.errors import OperatorError, StoreUnavailable
from actions.messages import TERMINAL, TERMINAL_TURN
from orchestrator.channels import Channel
from orchestrator.stream_reader import StreamReader
from orchestrator.subscriptions import Gap, Subscription

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from orchestrator.store.records import RunView
    from orchestrator.store.store import Store

__all__ = ["Gap", "Hub", "Subscription", "TooManyStreams"]

T = TypeVar("T")

_ANSWER_S: Final = 4.0
"""Seconds that one look at a record may take while somebody waits for its end."""


class TooManyStreams(OperatorError):
    """This process follows as many event streams as it may."""

    code = "too_many_streams"


class Hub:
    """Follows event streams for everybody in this process, on one event loop."""

    def __init__(self, store: Store, *, streams: int = 2_000, waits: int = 2_000) -> None:
        """Prepare; nothing is opened before somebody follows something.

        Args:
            store: where the streams are.
            streams: subscriptions at the same time; more are refused.
            waits: waits at the same time; more get what stands, at once.
        """
        self._store = store
        self._most = streams
        self._most_waits = waits
        self._channels: dict[str, Channel] = {}
        self._subscriptions: set[Subscription] = set()
        self._reader = StreamReader(store, self._channels)
        self._is_draining = False
        self.waits = 0
        """How many wait for an end at this moment."""

    @property
    def streams(self) -> int:
        """How many subscriptions there are at this moment."""
        return len(self._subscriptions)

    @property
    def is_full(self) -> bool:
        """Whether there may be no more of them."""
        return len(self._subscriptions) >= self._most

    # Following

    def subscribe(self, stream: str, after: str = "", *, now: bool = False) -> Subscription:
        """Follow a stream (a conversation's id, or what `Events.watch` named) from behind the entry `after`.

        Without `after` from the oldest entry that is kept; with `now` from the next one, after a `Gap`. Use what comes
        back as an async context manager.

        Raises:
            TooManyStreams: this process follows as many as it may.
        """
        if self.is_full:
            raise TooManyStreams(
                f"{self._most} event streams are open here, which is the most",
                fix="Try another process, or raise UMBEL_API_STREAMS",
            )
        channel = self._enter(stream)
        made = Subscription(channel, self._store.events, self._reader.follow, after=after, now=now)
        made.is_over = self._is_draining
        made.leave = lambda: self._take_off(made, channel)
        self._subscriptions.add(made)
        return made

    def _take_off(self, subscription: Subscription, channel: Channel) -> None:
        if subscription in self._subscriptions:
            self._subscriptions.discard(subscription)
            self._exit(channel)

    def _enter(self, stream: str) -> Channel:
        channel = self._channels.get(stream)
        if channel is None:
            channel = self._channels[stream] = Channel(stream)
        channel.users += 1
        return channel

    def _exit(self, channel: Channel) -> None:
        channel.users -= 1
        if channel.users == 0:
            del self._channels[channel.stream]

    # Waiting

    async def wait_run(self, run: str, timeout_s: float) -> RunView | None:
        """Wait until a run has ended, or the time is over, and return it as it stands then; None: there is none.

        Raises:
            StoreUnavailable: Redis is away.
        """

        async def look() -> tuple[RunView | None, bool]:
            view = await self._store.runs.read(run)
            return view, view is None or view.status in TERMINAL

        async def stream() -> str:
            return await self._store.events.watch(run)

        return await self._end_of(run, stream, look, timeout_s)

    async def wait_turn(self, turn: str, timeout_s: float) -> str | None:
        """Wait until a turn has ended, or the time is over, and return its status then; None: there is none.

        Raises:
            StoreUnavailable: Redis is away.
        """

        async def look() -> tuple[dict[str, str], bool]:
            record = await self._store.conversations.turn(turn)
            return record, record.get("s") in TERMINAL_TURN if record else True

        async def stream() -> str:
            return (await self._store.conversations.turn(turn)).get("c", "")

        record = await self._end_of(turn, stream, look, timeout_s)
        return record.get("s", "queued") if record else None

    async def _end_of(
        self,
        id: str,  # noqa: A002 - a run's or a turn's
        stream: Callable[[], Awaitable[str]],
        look: Callable[[], Awaitable[tuple[T, bool]]],
        timeout_s: float,
    ) -> T:
        """What `look` finds when it says that this is the end, or when the time is over."""
        limit = time.monotonic() + timeout_s
        found, is_over = await _soon(look())
        if is_over or timeout_s <= 0 or self._ends() or self.waits >= self._most_waits:
            return found
        if not (name := await _soon(stream())):
            return (await _soon(look()))[0]
        with self._waiting(name) as channel:
            while not is_over:
                told = channel.expect(id)
                try:
                    await self._begin(channel)
                    found, is_over = await _soon(look())
                    if is_over or self._ends() or not await _until(limit, told):
                        break
                finally:
                    channel.forget(id, told)
        return found if is_over else (await _soon(look()))[0]

    def _ends(self) -> bool:
        return self._is_draining

    @contextlib.contextmanager
    def _waiting(self, stream: str) -> Iterator[Channel]:
        channel = self._enter(stream)
        self.waits += 1
        try:
            yield channel
        finally:
            self.waits -= 1
            self._exit(channel)

    async def _begin(self, channel: Channel) -> None:
        if channel.position is None:
            last = await _soon(self._store.events.last(channel.stream))
            if channel.begin(last):
                self._reader.follow()

    # The end

    def drain(self) -> None:
        """Let all streams end, and all waits answer with what stands; there are no more from now on."""
        self._is_draining = True
        for subscription in self._subscriptions:
            subscription.is_over = True
        for channel in self._channels.values():
            channel.wake()
            channel.look_again()

    async def close(self) -> None:
        """End everything and close the connection."""
        self.drain()
        await self._reader.close()


async def _soon(look: Awaitable[T]) -> T:
    """Look at a record within bounded time, whatever Redis does."""
    try:
        async with asyncio.timeout(_ANSWER_S):
            return await look
    except TimeoutError:
        raise StoreUnavailable("Redis does not answer in time", fix="Try again in a moment") from None


async def _until(limit: float, told: asyncio.Future[None]) -> bool:
    """Wait for a word; whether it came in time."""
    try:
        async with asyncio.timeout(max(0.0, limit - time.monotonic())):
            await told
    except TimeoutError:
        return False
    return True
