"""The proxy of the fault tests does to connections what it says."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from faults.link import Link


@pytest.fixture
async def link() -> AsyncIterator[Link]:
    """A link to a server that sends back what it gets."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(100):
                writer.write(data)
        writer.close()

    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    async with Link(server.sockets[0].getsockname()[1]) as made:
        yield made
    server.close()


class Peer:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def ask(self, text: bytes, within: float = 5) -> bytes | None:
        """What comes back; None if nothing does in time, empty if the connection ends."""
        self.writer.write(text)
        return await self.hear(within)

    async def hear(self, within: float = 5) -> bytes | None:
        try:
            async with asyncio.timeout(within):
                return await self.reader.read(100)
        except TimeoutError:
            return None
        except OSError:
            return b""


@pytest.fixture
async def connect(link: Link) -> AsyncIterator[Callable[[], Awaitable[Peer]]]:
    """Opens a connection over the link."""
    peers: list[Peer] = []

    async def open_one() -> Peer:
        peers.append(Peer(*await asyncio.open_connection("127.0.0.1", link.port)))
        return peers[-1]

    yield open_one
    for peer in peers:
        peer.writer.close()
    await asyncio.sleep(0)  # the loop closes them in its next turn


async def test_a_sound_link_passes_everything_on(link: Link, connect) -> None:
    peer = await connect()
    assert await peer.ask(b"one") == b"one"
    assert await peer.ask(b"two") == b"two"


async def test_what_is_held_comes_later(link: Link, connect) -> None:
    peer = await connect()
    assert await peer.ask(b"one") == b"one"
    link.hold()
    assert await peer.ask(b"two", within=0.2) is None
    link.release()
    assert await peer.hear() == b"two"


async def test_a_half_open_connection_hears_nothing_and_does_not_end(link: Link, connect) -> None:
    peer = await connect()
    assert await peer.ask(b"one") == b"one"
    assert link.swallow() == 1
    assert await peer.ask(b"two", within=0.2) is None
    assert len(link) == 1
    newcomer = await connect()
    assert await newcomer.ask(b"three") == b"three"


async def test_a_cut_ends_all_connections_and_lets_new_ones_in(link: Link, connect) -> None:
    peer = await connect()
    assert await peer.ask(b"one") == b"one"
    link.cut()
    assert await peer.hear() == b""
    newcomer = await connect()
    assert await newcomer.ask(b"two") == b"two"


async def test_the_end_of_the_server_reaches_the_client(link: Link, connect) -> None:
    peer = await connect()
    peer.writer.write_eof()
    assert await peer.hear() == b""
