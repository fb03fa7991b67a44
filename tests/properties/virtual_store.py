"""A store under a clock that the test moves: scripts read it, and keys end by it too.

`look` returns everything that stands in the namespace at one moment. It takes the end off each key that has one and
remembers it in virtual time, so nothing ends while the test is slow, and everything does when its clock says so.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from orchestrator.settings import Settings
from orchestrator.store.store import Store

BEGIN: Final = 4_000_000_000_000_000
"""µs; far behind the server's own clock, so that a script that reads that one is found out."""

_LOOK: Final = """
local read = { string = { 'GET' }, hash = { 'HGETALL' }, list = { 'LRANGE', 0, -1 }, set = { 'SMEMBERS' },
  zset = { 'ZRANGE', 0, -1, 'WITHSCORES' }, stream = { 'XLEN' } }
local out = {}
for _, key in ipairs(redis.call('KEYS', KEYS[1] .. '*')) do
  local kind = redis.call('TYPE', key).ok
  local left = redis.call('PTTL', key)
  if left >= 0 then redis.call('PERSIST', key) end
  out[#out + 1] = { key, kind, left, redis.call(read[kind][1], key, unpack(read[kind], 2)) }
end
return out
"""


@dataclass
class Moment:
    """What stands in the store, by key without the prefix."""

    strings: dict[str, str] = field(default_factory=dict)
    records: dict[str, dict[str, str]] = field(default_factory=dict)
    """Runs by their ids."""
    hashes: dict[str, dict[str, str]] = field(default_factory=dict)
    lists: dict[str, list[str]] = field(default_factory=dict)
    sets: dict[str, set[str]] = field(default_factory=dict)
    zsets: dict[str, dict[str, float]] = field(default_factory=dict)
    endless: set[str] = field(default_factory=set)
    """Keys without an end."""

    @property
    def due(self) -> dict[str, float]:
        """What waits for the clock."""
        return self.zsets.get("due", {})

    def of(self, kind: str) -> dict[str, Any]:
        """Lists and sorted sets whose names begin with `kind:`, by the rest of their names."""
        tables: tuple[dict[str, Any], ...] = (self.lists, self.zsets)
        begin = f"{kind}:"
        return {
            name.removeprefix(begin): value
            for table in tables
            for name, value in table.items()
            if name.startswith(begin)
        }


class VirtualStore:
    """One namespace and its clock."""

    def __init__(self, settings: Settings) -> None:
        self.store = Store(settings, connections=2)
        self.redis = self.store.connection.redis
        self.prefix = self.store.connection.prefix
        self._frame = self.store.connection._frame
        self.longest_ms = int(self._frame[1]) * 1_000 + 1_000
        """After this time nothing of a run that has ended is left."""
        self._look = self.redis.register_script(_LOOK)
        self.begin()

    def begin(self) -> None:
        """Set the clock to its start; the namespace must be empty."""
        self.ends: dict[str, int] = {}
        self._set(BEGIN)

    def _set(self, now: int) -> None:
        self.now = now
        self.store.connection._frame = (now, *self._frame[1:])

    async def pass_time(self, ms: float) -> None:
        """Move the clock; what has come to its end is gone."""
        self._set(self.now + int(ms * 1_000))
        for key in [key for key, end in self.ends.items() if end <= self.now]:
            if await self.redis.pttl(self.prefix + key) < 0:  # else its end was set anew since the last look
                await self.redis.unlink(self.prefix + key)
                del self.ends[key]

    async def look(self) -> Moment:
        """Everything that stands there now."""
        moment, seen = Moment(), set()
        for key, kind, left, value in await self._look(keys=[self.prefix]):
            name = key.removeprefix(self.prefix)
            seen.add(name)
            if left >= 0:
                self.ends[name] = self.now + left * 1_000
            elif name not in self.ends:
                moment.endless.add(name)
            _sort_in(moment, name, kind, value)
        self.ends = {name: end for name, end in self.ends.items() if name in seen}
        return moment

    async def sweep(self) -> None:
        """Empty the namespace."""
        keys = [key async for key in self.redis.scan_iter(f"{self.prefix}*", count=1_000)]
        if keys:
            await self.redis.unlink(*keys)
        self.begin()


def _sort_in(moment: Moment, name: str, kind: str, value: Any) -> None:
    match kind:
        case "hash":
            fields = dict(zip(value[::2], value[1::2], strict=True))
            table, key = (moment.records, name[2:]) if name.startswith("r:") else (moment.hashes, name)
            table[key] = fields
        case "list":
            moment.lists[name] = value
        case "set":
            moment.sets[name] = set(value)
        case "zset":
            moment.zsets[name] = dict(zip(value[::2], map(float, value[1::2]), strict=True))
        case "string":
            moment.strings[name] = value
