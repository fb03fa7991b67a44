"""Server-Sent Events on the wire: steps in, bytes out, and the answer that sends them while somebody listens.

As in the WHATWG's HTML standard (9.2). The id of a message is the id of the stream's entry, so that `Last-Event-ID`
goes on behind it. A client that takes nothing for half a minute is let go; nobody waits for it.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from typing import TYPE_CHECKING, Any, Final

from pydantic_core import to_json
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from orchestrator.api.waiting import connected

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from orchestrator.store.events import Entry

MEDIA_TYPE: Final = "text/event-stream"
HEADERS: Final = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
"""No proxy keeps it back (the second is nginx's word)."""
HEARTBEAT: Final = b": \n\n"
"""A comment: it keeps proxies and clients from taking silence for an end."""

_STALLED_S: Final = 30.0
"""Seconds that one piece may take to be sent."""
_RETRY_MS: Final = (1_000, 3_000)
"""When a client that was cut off should come again; drawn for each, so that they do not come together."""


def retry() -> bytes:
    """How long the client is to wait before it comes again."""
    return b"retry: %d\n\n" % random.randint(*_RETRY_MS)  # noqa: S311 - no secret


def position(id: str) -> bytes:  # noqa: A002 - the field's word
    """A message that tells nothing but where to go on from; a client notes it and shows nobody."""
    return f"id: {id}\n\n".encode()


def changes(entry: Entry) -> bytes:
    """A step with all its changes; made once for all who follow."""
    if entry.memo is None:
        data = f'{{"at":{entry.at_ms},"changes":{entry.text}}}'
        entry.memo = _message("changes", data.encode(), entry.id)
    return entry.memo


def some_changes(entry: Entry, of: Sequence[dict[str, Any]]) -> bytes:
    """A step with some of its changes."""
    return _message("changes", to_json({"at": entry.at_ms, "changes": of}), entry.id)


def reset(reason: str, snapshot: bytes, id: str) -> bytes:  # noqa: A002
    """How things stand now, for something may have been missed; what follows is newer than `id`."""
    return _message("reset", to_json({"reason": reason})[:-1] + b',"snapshot":' + snapshot + b"}", id)


def end(run: str, status: str, id: str) -> bytes:  # noqa: A002
    """A run has ended: nothing follows."""
    return _message("end", to_json({"run": run, "status": status}), id)


def _message(event: str, data: bytes, id: str) -> bytes:  # noqa: A002
    # JSON has no need of line ends, and here they would end the field.
    return (
        f"id: {id}\nevent: {event}\ndata: ".encode()
        + data.replace(b"\r", b" ").replace(b"\n", b" ")
        + b"\n\n"
    )


class EventStream(Response):
    """An answer that goes on until its pieces end, or its client does."""

    media_type = MEDIA_TYPE

    def __init__(self, opened: AbstractAsyncContextManager[AsyncIterator[bytes]]) -> None:
        """Send pieces as they come. What goes wrong before the first of them still has a status of its own.

        Args:
            opened: is entered when the answer begins and left when it ends, however that comes.
        """
        super().__init__(headers=HEADERS)
        del self.headers["content-length"]
        self._opened = opened

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI's face
        """Answer."""
        with suppress(ClientDisconnect):
            async with connected(receive), self._opened as pieces:
                await send(
                    {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}
                )
                async for piece in pieces:
                    async with asyncio.timeout(_STALLED_S):
                        await send({"type": "http.response.body", "body": piece, "more_body": True})
                await send({"type": "http.response.body", "body": b"", "more_body": False})
