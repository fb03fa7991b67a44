"""The ways to Redis: scripts and reads over one held line, blocking reads over a pool of their own.

In: a script's name and its arguments. Out: what it returned. Nothing is tried again here: who calls knows whether
its script may run twice. Errors come out as `StoreUnavailable` (later may help) or `StoreRefused` (it does not).
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final, TypeVar

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import (
    AuthenticationError,
    BusyLoadingError,
    NoScriptError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisError,
)
from redis.exceptions import (
    ConnectionError as RedisConnectionError,
)
from redis.exceptions import (
    TimeoutError as RedisTimeoutError,
)

from actions.errors import StoreRefused, StoreUnavailable
from orchestrator.store.giving_up import in_time
from orchestrator.store.keys import prefix
from orchestrator.store.line import Command, Line
from orchestrator.store.scripts import load
from orchestrator.store.values import Value

if TYPE_CHECKING:
    from collections.abc import Awaitable, Sequence

    from actions.errors import OperatorError
    from orchestrator.settings import Settings

T = TypeVar("T")

SOCKET_TIMEOUT: Final = 5.0
"""Seconds that any call waits for Redis; a blocking read has its own, longer by its block time."""


LONGEST_BLOCK: Final = 30.0
"""Seconds of one blocking read; a longer wait is several."""
_GRACE: Final = 2.0
"""Seconds after the end of a blocking read by which its answer must be here; a silent network gives none."""
_PASSING: Final = {"BUSY", "CLUSTERDOWN", "MASTERDOWN", "MISCONF", "NOREPLICAS", "TRYAGAIN"}
"""First words of errors that end by themselves, or when somebody mends the server: what was asked may come again."""


def _client(url: str, connections: int, timeout: float) -> Redis:
    """A pooled client; its callers wait when all its connections are taken."""
    pool = BlockingConnectionPool.from_url(
        url,
        max_connections=connections,
        timeout=SOCKET_TIMEOUT,
        socket_timeout=timeout,
        socket_connect_timeout=2.0,
        socket_keepalive=True,
        retry=Retry(NoBackoff(), 0),
        decode_responses=True,
    )
    return Redis.from_pool(pool)


class Connection:
    """Scripts and plain commands on one Redis, for one event loop."""

    def __init__(self, settings: Settings, *, connections: int = 50) -> None:
        """Prepare a pool; nothing is opened before the first call."""
        self.prefix = prefix(settings.namespace, settings.cell)
        self._where = settings.redacted_url
        self._frame = (
            "",
            max(1, int(settings.run_ttl.total_seconds())),
            f"{max(1, int(settings.conversation_ttl.total_seconds()))} {settings.audit_cap}",
        )
        self._scripts = load()
        self._url = settings.store_url
        self._line = self.new_line(SOCKET_TIMEOUT)
        self.redis = _client(settings.store_url, connections, SOCKET_TIMEOUT)
        """Plain commands for tools and tests, behind `guard`; what the house itself does goes over the line."""
        self._blocking = _client(settings.store_url, connections, SOCKET_TIMEOUT + LONGEST_BLOCK)

    def new_line(self, timeout: float) -> Line:
        """A line of one's own, for reads that block; `timeout` in seconds bounds each trip. Its owner closes it."""
        return Line(self._url, timeout=timeout)

    async def run(self, name: str, *arguments: Value, clock: int | None = None) -> Any:
        """Run one script; `clock` (µs) stands in for the server's time and is for tests only."""
        return (await self.run_together([(name, arguments)], clock=clock))[0]

    async def run_together(
        self, calls: Sequence[tuple[str, Sequence[Value]]], *, clock: int | None = None
    ) -> list[Any]:
        """Run several scripts in order and in one round trip (each is atomic, the row of them is not).

        Raises:
            StoreUnavailable: Redis did not answer; the scripts may or may not have run.
            StoreRefused: Redis said no.
        """
        frame = self._frame if clock is None else (clock, *self._frame[1:])
        try:
            replies = await self._send(calls, frame)
            if any(isinstance(reply, NoScriptError) for reply in replies):
                # All of them: were only the first of a row unknown, it would run after the others.
                await self._line.trip(
                    [("SCRIPT", "LOAD", script.source) for script in self._scripts.values()]
                )
                replies = await self._resend(calls, frame, replies)
        except RedisError as error:
            raise self.explain(error) from error
        return self._answered(replies)

    def _answered(self, replies: list[Any]) -> list[Any]:
        """The replies, if none of them is an error."""
        for reply in replies:
            if isinstance(reply, RedisError):
                raise self.explain(reply) from reply
        return replies

    async def _send(
        self, calls: Sequence[tuple[str, Sequence[Value]]], frame: tuple[Value, ...]
    ) -> list[Any]:
        return await self._line.trip(
            [
                ("EVALSHA", self._scripts[name].sha, 1, self.prefix, *frame, *arguments)
                for name, arguments in calls
            ]
        )

    async def _resend(
        self, calls: Sequence[tuple[str, Sequence[Value]]], frame: tuple[Value, ...], replies: list[Any]
    ) -> list[Any]:
        """After a restart of Redis the scripts are unknown: those that did not run are sent once more, in order."""
        unknown = [at for at, reply in enumerate(replies) if isinstance(reply, NoScriptError)]
        again = await self._send([calls[at] for at in unknown], frame)
        for at, reply in zip(unknown, again, strict=True):
            replies[at] = reply
        return replies

    async def ask(self, *commands: Command) -> list[Any]:
        """Read: plain commands in one trip, their replies as Redis gives them. Asked once more on a new line.

        Raises:
            StoreUnavailable: Redis did not answer.
            StoreRefused: Redis said no.
        """
        try:
            try:
                replies = await self._line.trip(commands)
            except RedisConnectionError:
                replies = await self._line.trip(commands)
        except RedisError as error:
            raise self.explain(error) from error
        return self._answered(replies)

    def explain(self, error: RedisError) -> OperatorError:  # noqa: PLR0911 - one return for each kind
        """The error of the client library as one of ours, for the operator."""
        text = str(error).splitlines()[0] if str(error) else type(error).__name__
        match error:
            case AuthenticationError():
                return StoreRefused(
                    "Redis refused the user or password",
                    where=self._where,
                    fix="Correct the login in UMBEL_REDIS_URL",
                )
            case BusyLoadingError():
                return StoreUnavailable(
                    "Redis is still loading its data", where=self._where, fix="Wait a moment"
                )
            case RedisConnectionError() | RedisTimeoutError():
                return StoreUnavailable(
                    f"Redis does not answer: {text}",
                    where=self._where,
                    fix="Start it, or set UMBEL_REDIS_URL to where it is",
                )
            case OutOfMemoryError():
                return StoreUnavailable(
                    "Redis has no memory left",
                    where=self._where,
                    fix="Raise its maxmemory; nothing was accepted",
                )
            case ReadOnlyError():
                return StoreUnavailable(
                    "this Redis is a read-only replica", where=self._where, fix="Use the primary"
                )
            case _ if text.partition(" ")[0] in _PASSING:
                return StoreUnavailable(
                    f"Redis cannot serve now: {text}", where=self._where, fix="Wait a moment"
                )
            case _:
                return StoreRefused(f"Redis refused: {text}", where=self._where)

    async def guard(self, command: Awaitable[T]) -> T:
        """Await a plain command with its errors as ours."""
        try:
            return await command
        except RedisError as error:
            raise self.explain(error) from error

    async def pop(self, keys: str | list[str], timeout_s: float) -> str | None:
        """Block until one of these lists has something, at most `timeout_s`; uses a connection of its own."""
        names = [self.prefix + key for key in ([keys] if isinstance(keys, str) else keys)]
        limit = time.monotonic() + timeout_s
        while (left := limit - time.monotonic()) > 0:
            block = max(min(left, LONGEST_BLOCK), 0.01)
            try:
                async with in_time(block + _GRACE):
                    popped = await self._blocking.blpop(names, timeout=block)
            except TimeoutError:
                raise self.explain(RedisTimeoutError("no answer in time")) from None
            except RedisError as error:
                raise self.explain(error) from error
            if popped is not None:
                return str(popped[1])
        return None

    async def close(self) -> None:
        """Close all connections; the object may be used again afterwards."""
        await self._line.close()
        for client in (self.redis, self._blocking):
            await client.aclose()
            await client.connection_pool.disconnect()
