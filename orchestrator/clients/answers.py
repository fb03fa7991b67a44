"""Answers as they come off the wire: the head and pieces of a body in, a whole `httpx.Response` out, in bounded memory.

The service may be another than it seems. So an answer is asked for as it is, without compression (a few bytes can stand
for gigabytes), and one that is larger than any of ours is left off where that shows.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

import httpx

from orchestrator.clients.requests import unreadable

if TYPE_CHECKING:
    from orchestrator.clients.errors import ServerFault

LARGEST: Final = 128 * 2**20
"""Bytes of an answer: the largest result that can be allowed (64 MiB), and as much for what stands around it."""


class Incoming:
    """An answer of which more is to come."""

    def __init__(self, head: httpx.Response) -> None:
        """Begin with its head.

        Raises:
            ServerFault: it is compressed, or says that it is too large.
        """
        self._head = head
        self._pieces: list[bytes] = []
        self._left = LARGEST
        if head.headers.get("content-encoding", "identity").strip().lower() != "identity":
            raise unreadable(head, "no compression")
        length = head.headers.get("content-length", "")
        if (
            length.isascii()
            and length.isdigit()
            and (len(length) > len(str(LARGEST)) or int(length) > LARGEST)
        ):
            raise self._too_large()

    def take(self, piece: bytes) -> None:
        """Hear more of it.

        Raises:
            ServerFault: it is too large.
        """
        self._left -= len(piece)
        if self._left < 0:
            raise self._too_large()
        self._pieces.append(piece)

    def whole(self) -> httpx.Response:
        """All of it, once it has ended."""
        return httpx.Response(
            self._head.status_code, headers=self._head.headers, content=b"".join(self._pieces)
        )

    def _too_large(self) -> ServerFault:
        return unreadable(self._head, f"at most {LARGEST} bytes")


def too_slow() -> httpx.ReadTimeout:
    """The error of an answer that goes on for too long, however quickly each piece of it comes."""
    return httpx.ReadTimeout("the answer has not ended in time")


def read(answer: httpx.Response, until: float) -> httpx.Response:
    """Read an answer to its end, until this time of `time.monotonic` at most (and one piece more).

    Raises:
        ServerFault: it is larger than an answer can be, or compressed.
        httpx.ReadTimeout: it has not ended in time.
    """
    incoming = Incoming(answer)
    for piece in [answer.content] if answer.is_stream_consumed else answer.iter_raw():
        incoming.take(piece)
        if time.monotonic() > until:
            raise too_slow()
    return incoming.whole()


async def aread(answer: httpx.Response) -> httpx.Response:
    """`read`, for asyncio, whose caller bounds the time."""
    incoming = Incoming(answer)
    if answer.is_stream_consumed:  # by a transport of the caller's own
        incoming.take(answer.content)
        return incoming.whole()
    async for piece in answer.aiter_raw():
        incoming.take(piece)
    return incoming.whole()
