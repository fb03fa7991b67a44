"""What no request may exceed: its body's size and its time; and the place where every exception ends.

In: requests of any kind. Out: an answer within 5 s to all but those that asked for more (`allow`), 413 for a body over
the cap (by its declared length at once, by its true one as it comes in), 503 to new work while the process stops.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from starlette.datastructures import Headers

from orchestrator.api.problems import RETRY_AFTER_S, Problem, problem_of

if TYPE_CHECKING:
    from fastapi import Request
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from orchestrator.api.service import Service

DEADLINE_S: Final = 4.0
"""Seconds for a request; the answer is with the client within 5."""


def allow(request: Request, seconds: float | None) -> None:
    """Let this request take so many seconds more than others; None: as long as it likes, for a stream."""
    limit: asyncio.Timeout = request.state.limit
    limit.reschedule(None if seconds is None else asyncio.get_running_loop().time() + DEADLINE_S + seconds)


class Bounds:
    """Holds requests within their bounds."""

    def __init__(self, app: ASGIApp, service: Service) -> None:
        """Stand in front of the app."""
        self._app = app
        self._service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request pass."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        passage = _Passage(receive, send, self._service.house.settings.api_body_cap)
        try:
            self._check(scope)
            async with asyncio.timeout(DEADLINE_S) as scope["state"]["limit"]:
                await self._app(scope, passage.receive, passage.send)
        except asyncio.CancelledError:
            if not self._service.draining:
                raise
            await _end(_draining(), passage, scope, receive, send)  # the grace is over
        except Exception as error:  # noqa: BLE001 - the edge of the service: nobody above could answer
            await _end(_in_time(error, passage), passage, scope, receive, send)

    def _check(self, scope: Scope) -> None:
        if self._service.draining and scope["path"].startswith("/v1/"):
            raise _draining()
        declared = Headers(scope=scope).get("content-length", "")
        if declared.isdecimal() and int(declared[:19]) > self._service.house.settings.api_body_cap:
            raise _too_large()


class _Passage:
    """A request's way in and out: how much of its body came, whether its answer began."""

    def __init__(self, receive: Receive, send: Send, cap: int) -> None:
        self._receive = receive
        self._send = send
        self._left = cap
        self.started = False
        """Whether the answer has begun."""
        self.arriving = False
        """Whether somebody waits for more of the body."""
        self._more = True

    async def receive(self) -> Message:
        self.arriving = self._more
        message = await self._receive()
        self.arriving = False
        if message["type"] == "http.request":
            self._left -= len(message.get("body", b""))
            self._more = bool(message.get("more_body"))
            if self._left < 0:
                raise _too_large()
        return message

    async def send(self, message: Message) -> None:
        self.started = True
        await self._send(message)


async def _end(problem: Problem, passage: _Passage, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with the problem; half an answer is broken off by the server, so that nobody takes it for whole."""
    if not passage.started:
        await problem.answer(scope)(scope, receive, send)


def _draining() -> Problem:
    return Problem("draining", headers={"Retry-After": str(RETRY_AFTER_S), "Connection": "close"})


def _in_time(error: Exception, passage: _Passage) -> Problem:
    """The problem; a time that was over is the client's if its body was still on the way, else the store's."""
    if not isinstance(error, TimeoutError):
        return problem_of(error)
    if passage.arriving:
        return Problem("request_timeout", headers={"Connection": "close"})
    return Problem("store_unavailable", headers={"Retry-After": str(RETRY_AFTER_S)})


def _too_large() -> Problem:
    return Problem("too_large")
