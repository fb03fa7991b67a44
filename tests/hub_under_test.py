"""A hub on a test's own namespace, and streams written as the scripts write them."""

from __future__ import annotations

import asyncio

from orchestrator.hub import Hub
from orchestrator.store.store import Store


class Place:
    """A namespace, a hub on it, and a way to write streams as the scripts do."""

    def __init__(self, settings, **bounds: int) -> None:
        self.settings = settings
        self.store = Store(settings, connections=4)
        self.redis = self.store.connection.redis
        self.hub = Hub(self.store, **bounds)

    def key(self, stream="conv_a"):
        return f"{self.store.connection.prefix}ev:{stream}"

    async def write(self, *numbers: int, stream="conv_a", keep=1_000):
        """An entry for each number, trimmed to exactly so many."""
        ids = []
        for n in numbers:
            fields = {"at": 1, "e": f'[{{"turn":"turn_{n}","status":"live"}}]'}
            ids.append(await self.redis.xadd(self.key(stream), fields, maxlen=keep, approximate=False))
        return ids

    async def close(self):
        await self.hub.close()
        await self.store.close()


def numbers(entries):
    """What `write` wrote into these entries."""
    return [int(change["turn"][5:]) for entry in entries for change in entry.changes]


async def collect(subscription, until):
    """Take until this number came; a gap fails the test."""
    found = []
    async with asyncio.timeout(20):
        while until not in found:
            got = await subscription.take(5)
            assert isinstance(got, list), got
            found += numbers(got)
    return found


async def shortly(what, within_s=10):
    """Wait until this is true of the process itself: there is nothing to be woken by."""
    async with asyncio.timeout(within_s):
        while not what():  # noqa: ASYNC110
            await asyncio.sleep(0.002)
