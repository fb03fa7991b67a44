"""One bare connection for the floor: the store's client without the store, and the floor's scripts.

The client is redis-py on asyncio with hiredis, bound to one connection: what anybody would take. The store's own line
(`orchestrator.store.line`) spends less on a trip; benchmarks/README.md says where that shows.
"""

from __future__ import annotations

import hashlib
import time
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final, Self

from orchestrator.store.connection import Connection

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orchestrator.settings import Settings

MICROSECONDS: Final = 1_000_000
PREFIX: Final = "floor:"
"""Before the floor's keys, inside the namespace of the measurement."""
_CHUNK: Final = 1000


def _scripts() -> dict[str, tuple[str, str]]:
    """Name to (text, hash) of the floor's scripts."""
    texts = {
        entry.name.removesuffix(".lua"): entry.read_text() for entry in (files(__package__) / "lua").iterdir()
    }
    return {
        name: (text, hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest())
        for name, text in texts.items()
    }


class Raw:
    """A bare connection; an async context manager."""

    def __init__(self, settings: Settings) -> None:
        """Prepare; opened by `async with`."""
        self._connection = Connection(settings, connections=4)
        self._scripts = _scripts()
        self.prefix = self._connection.prefix + PREFIX
        self.redis = self._connection.redis.client()

    async def __aenter__(self) -> Self:
        """Connect and load the scripts."""
        await self.redis.initialize()
        for text, _ in self._scripts.values():
            await self.redis.script_load(text)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close every connection."""
        await self.redis.aclose()
        await self._connection.close()

    async def run(self, name: str, *values: str | bytes | int) -> Any:
        """Run one script: one round trip."""
        return await self._send(self.redis, name, values)

    async def run_many(self, name: str, rows: list[list[str | bytes | int]]) -> None:
        """Run one script several times in one round trip."""
        pipeline = self._connection.redis.pipeline(transaction=False)
        for row in rows:
            self._send(pipeline, name, row)
        await pipeline.execute()

    def _send(self, client: Any, name: str, values: Sequence[str | bytes | int]) -> Any:
        """`client` is Any: its general call has no types."""
        return client.execute_command("EVALSHA", self._scripts[name][1], 1, self.prefix, *values)

    async def pop(self, key: str, timeout_s: float) -> str | None:
        """Block until a list of the floor has something."""
        return await self._connection.pop(PREFIX + key, timeout_s)

    async def clock_us(self) -> int:
        """The server's clock, µs since the epoch."""
        seconds, micros = await self.redis.time()
        return int(seconds) * MICROSECONDS + int(micros)

    async def clock_ahead_us(self) -> int:
        """How far the server's clock is ahead of ours, µs; the best of some, which met the least delay."""
        found: list[tuple[int, int]] = []
        for _ in range(9):
            before = time.time_ns() // 1000
            told = await self.clock_us()
            after = time.time_ns() // 1000
            found.append((after - before, told - (before + after) // 2))
        return min(found)[1]

    async def clear(self, pattern: str) -> None:
        """Remove all keys that match, in steps that hold nobody up."""
        keys: list[str] = []
        async for key in self.redis.scan_iter(match=pattern, count=_CHUNK):
            keys.append(key)
            if len(keys) >= _CHUNK:
                await self.redis.unlink(*keys)
                keys.clear()
        if keys:
            await self.redis.unlink(*keys)
