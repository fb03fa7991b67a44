"""Locks and caps as operators see them: who holds one, since when, and how many wait for it.

Runs take and free them by themselves, in the scripts; nothing here changes one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestrator.guard_standings import Holder, LockStanding
from orchestrator.store.incoming import LockGuard
from orchestrator.store.room import read_guards
from orchestrator.store.scanning import read_each, scanned

if TYPE_CHECKING:
    from orchestrator.store.connection import Connection


class Locks:
    """Locks in the store."""

    def __init__(self, connection: Connection) -> None:
        """Work through this connection."""
        self._connection = connection

    async def standing(self) -> list[LockStanding]:
        """All locks that somebody holds, by key. Looks through all keys."""
        keys = sorted(await scanned(self._connection, ("lk:",)))
        found = await read_each(self.stands, keys)
        return [each for each in found if each.holders]

    async def stands(self, key: str, places: int | None = None) -> LockStanding:
        """How one lock stands; how many places it has is read from who holds it, if it is not told."""
        prefix = self._connection.prefix
        time, count, names = await self._connection.ask(
            ["TIME"], ["LLEN", f"{prefix}lk:{key}"], ["LRANGE", f"{prefix}lk:{key}", 0, (places or 1) - 1]
        )
        if places is None:
            places = await self._places(names[0], key) if names else 1
            (names,) = await self._connection.ask(["LRANGE", f"{prefix}lk:{key}", 0, places - 1])
        runs = [name.partition("~")[0] for name in names]
        rows = await self._connection.ask(*(["HMGET", f"{prefix}r:{run}", "s", "since"] for run in runs))
        holders = tuple(
            Holder(run, "~" in name, status or "missing", int(since or 0))
            for name, run, (status, since) in zip(names, runs, rows, strict=True)
        )
        now = int(time[0]) * 1_000_000 + int(time[1])
        return LockStanding(key, places, holders, max(0, count - len(holders)), now)

    async def _places(self, holder: str, key: str) -> int:
        """How many places a lock has, as one of its holders carries it."""
        prefix = self._connection.prefix
        (text,) = await self._connection.ask(
            ["GET", f"{prefix}gh:{holder}"] if "~" in holder else ["HGET", f"{prefix}r:{holder}", "g"]
        )
        guards = read_guards(text or "")
        return next((each.places for each in guards if isinstance(each, LockGuard) and each.key == key), 1)
