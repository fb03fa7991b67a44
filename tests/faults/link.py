"""A TCP proxy between workers and their server that can misbehave as networks do.

In: bytes of both sides. Out: the same bytes, or later, or none. `hold` is a network that stands still and comes back,
`swallow` one end that is gone without a word (half-open), `cut` a reset. What is opened after `swallow` is sound.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import Final, Self

_CHUNK: Final = 65_536


class _Pair:
    """One connection of a client, and ours to the server for it."""

    def __init__(self, client: asyncio.StreamWriter, server: asyncio.StreamWriter) -> None:
        self.writers = (client, server)
        self.swallows_requests = False
        self.swallows_replies = False

    @property
    def is_half_open(self) -> bool:
        return self.swallows_requests or self.swallows_replies

    def close(self) -> None:
        for writer in self.writers:
            writer.transport.abort()


class Link:
    """Listens on a port of its own and passes on to another; use it as an async context manager."""

    def __init__(self, port: int, host: str = "127.0.0.1") -> None:
        """Lead to this address."""
        self._target = (host, port)
        self._pairs: set[_Pair] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._flows = asyncio.Event()
        self._flows.set()
        self._server: asyncio.Server | None = None
        self.port = 0
        """Where it listens."""

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.close()
        self.cut()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def __len__(self) -> int:
        """Connections that are open, the half-open ones too."""
        return len(self._pairs)

    def hold(self) -> None:
        """Pass nothing on in either direction; what is sent meanwhile waits. New connections stand still too."""
        self._flows.clear()

    def release(self) -> None:
        """Pass on what has waited, and all that follows."""
        self._flows.set()

    def swallow(self, *, requests: bool = True, replies: bool = True) -> int:
        """Lose all that is sent from now on over the connections of this moment; they stay open. How many they are."""
        for pair in self._pairs:
            pair.swallows_requests |= requests
            pair.swallows_replies |= replies
        return len(self._pairs)

    def cut(self) -> None:
        """Reset all connections; new ones are let in."""
        for pair in list(self._pairs):
            pair.close()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._lead(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _lead(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._flows.wait()
        try:
            their_reader, their_writer = await asyncio.open_connection(*self._target)
        except OSError:
            writer.transport.abort()
            return
        pair = _Pair(writer, their_writer)
        self._pairs.add(pair)
        try:
            await asyncio.gather(
                self._pass(pair, reader, their_writer, is_request=True),
                self._pass(pair, their_reader, writer, is_request=False),
            )
        finally:
            pair.close()
            self._pairs.discard(pair)

    async def _pass(
        self, pair: _Pair, source: asyncio.StreamReader, sink: asyncio.StreamWriter, *, is_request: bool
    ) -> None:
        """Pass on until one side ends; if that cannot be heard on the other (half-open), it is not told."""
        with contextlib.suppress(OSError):
            while data := await source.read(_CHUNK):
                await self._flows.wait()
                if pair.swallows_requests if is_request else pair.swallows_replies:
                    continue
                sink.write(data)
                await sink.drain()
        if not pair.is_half_open:
            pair.close()
