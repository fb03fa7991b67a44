"""One process of the API on a socket: an app in; requests answered until it is told to stop, then an orderly end.

Told to stop (SIGTERM, Ctrl-C, `stop`) it drains: `/readyz` says so, event streams end, waits answer, new work is
refused with 503 on a port that still listens, and what is in flight ends within the grace. Told twice, it ends now.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress
from types import FrameType
from typing import TYPE_CHECKING, Final

import uvicorn

from orchestrator.api.protocol import Protocol

if TYPE_CHECKING:
    from fastapi import FastAPI

    from orchestrator.api.service import Service

log: Final = logging.getLogger("umbel.api")

_KEEP_ALIVE_S: Final = 75
"""Seconds that a connection may be idle: longer than load balancers keep theirs, so that they close it, not we."""
_BACKLOG: Final = 2_048
_LAST_S: Final = 1
"""Seconds for what is still there after the grace, before it is cut off."""


class Served:
    """An app that is served on one address."""

    def __init__(self, app: FastAPI, *, host: str, port: int, grace_s: float) -> None:
        """Take the address; `port` 0: any free one.

        Args:
            app: made by `create_app`.
            host: a name or an address of this machine.
            port: 0 to 65535.
            grace_s: seconds that requests in flight have when it is told to stop.

        Raises:
            OSError: the address cannot be had.
        """
        self._service: Service = app.state.service
        self._grace_s = grace_s
        self._stopping = asyncio.Event()
        self._now = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._socket = _listening(host, port)
        self.port: int = self._socket.getsockname()[1]
        """The port that it listens on."""
        self._server = _Server(
            uvicorn.Config(
                app,
                http=Protocol,
                ws="none",
                lifespan="on",
                loop="asyncio",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                timeout_keep_alive=_KEEP_ALIVE_S,
                timeout_graceful_shutdown=_LAST_S,
                backlog=_BACKLOG,
            )
        )
        self._server.on_signal = lambda: self._loop.call_soon_threadsafe(self.stop)

    async def run(self, ready: Callable[[], object] = lambda: None) -> None:
        """Serve until told to stop, then drain; `ready` is called once requests are answered."""
        self._server.on_started = ready
        serving = asyncio.create_task(self._server.serve(sockets=[self._socket]), name="api")
        try:
            await _first(serving, self._stopping.wait())
            if not serving.done():
                await self._drain()
        finally:
            self._server.should_exit = True
            await serving
            self._socket.close()

    def stop(self) -> None:
        """Drain and end; the second time: end now. On the loop's thread."""
        if self._stopping.is_set():
            self._now.set()
        self._stopping.set()

    async def _drain(self) -> None:
        log.info("stopping: %d requests in flight", self._service.in_flight)
        self._service.drain()
        with suppress(TimeoutError):
            async with asyncio.timeout(self._grace_s):
                await _first(self._service.quiet(), self._now.wait())


class _Server(uvicorn.Server):
    """uvicorn's server, which asks us what a signal means, and does not raise it again when it has ended."""

    on_signal: Callable[[], object]
    on_started: Callable[[], object]

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen; then say so."""
        await super().startup(sockets)
        if self.started:
            self.on_started()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 - uvicorn's signature
        """A signal to end."""
        self.on_signal()


async def _first(*waits: Awaitable[object]) -> None:
    """Wait for the first of these; the others, but for tasks that are not ours, are given up."""
    tasks = [asyncio.ensure_future(wait) for wait in waits]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task, wait in zip(tasks, waits, strict=True):
            if task is not wait:
                task.cancel()


def _listening(host: str, port: int) -> socket.socket:
    """A socket that listens on the address as soon as it is served."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    family, kind, protocol, _, address = found[0]
    listening = socket.socket(family, kind, protocol)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
    except OSError:
        listening.close()
        raise
    return listening
