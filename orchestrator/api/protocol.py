"""HTTP/1.1 on one connection: uvicorn's reading of it, held within bounds of our own.

It bounds what stands before a body: 32 KiB, and 10 s from the first byte to the last; and what is read away of a body
that nobody wants any more, so that its sender hears the answer. What is no HTTP is answered like all other problems.
A connection on which nothing is said at all ends after those 10 s, too.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from pydantic_core import to_json
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from orchestrator.api.problem_kinds import KINDS
from orchestrator.api.problems import MEDIA_TYPE

if TYPE_CHECKING:
    from asyncio import TimerHandle

HEAD_BYTES: Final = 32_768
"""Bytes of a request's line and headers."""
HEAD_S: Final = 10.0
"""Seconds for them to come."""
WASTE_BYTES: Final = 64 * 1_048_576
"""Bytes of a body that are read away after the answer. Closing at once would break off a sender before it has read."""
WASTE_S: Final = 5.0
"""Seconds for which that is done."""


class Protocol(HttpToolsProtocol):
    """One connection."""

    _head = 0
    _in_head = True
    _timer: TimerHandle | None = None
    _waste = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a request."""
        super().connection_made(transport)
        self._start_timer(HEAD_S)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the timer."""
        self._stop_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take bytes; those of an endless head are not kept."""
        if self._in_head:
            if self._timer is None:
                self._start_timer(HEAD_S)
            self._head += len(data)
        super().data_received(data)
        if self._in_head and self._head > HEAD_BYTES and not self.transport.is_closing():
            self._refuse("headers_too_large")

    def on_message_begin(self) -> None:
        """A head begins."""
        self._in_head = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """A head is complete; a body may follow."""
        self._in_head = False
        self._head = 0
        self._stop_timer()
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """More of a body; of one that was answered already only so much is waited for."""
        if self.cycle.response_complete:
            if not self._waste:
                self._start_timer(WASTE_S)
            self._waste += len(body)
            if self._waste > WASTE_BYTES:
                self._end()
            return
        super().on_body(body)

    def on_message_complete(self) -> None:
        """A request is complete; the next one may follow."""
        self._in_head = True
        self._waste = 0
        self._stop_timer()
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn's words
        """Answer what is no HTTP."""
        self._refuse("bad_request")

    def _start_timer(self, seconds: float) -> None:
        self._stop_timer()
        self._timer = self.loop.call_later(seconds, self._end)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _end(self) -> None:
        if not self.transport.is_closing():
            self.transport.close()

    def _refuse(self, code: str) -> None:
        """Answer and close: what follows on this connection has no meaning any more."""
        kind = KINDS[code]
        told: dict[str, Any] = {
            "type": f"/problems/{code}",
            "title": kind.title,
            "status": kind.status,
            "detail": kind.meaning,
            "code": code,
            "instance": "",
            "request_id": "",
        }
        body = to_json(told)
        head = (
            f"HTTP/1.1 {kind.status} {kind.title}\r\ncontent-type: {MEDIA_TYPE}\r\n"
            f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
        )
        self.transport.write(head.encode() + body)
        self.transport.close()
