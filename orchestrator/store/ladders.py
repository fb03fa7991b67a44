"""Where a run stands on its ladder, for people who ask why it waits: what it holds, what stops it, what is still ahead.

The scripts (`lua/shared/ladder.lua`) decide; this reads what they wrote. It is read in several trips, so a run that
climbs meanwhile may be seen between two rungs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestrator.guard_standings import Ladder, Rung, Where
from orchestrator.store.incoming import LimitGuard, LockGuard
from orchestrator.store.room import Numbers, read_guards

if TYPE_CHECKING:
    from orchestrator.store.connection import Connection
    from orchestrator.store.limits import Limits
    from orchestrator.store.locks import Locks


class Ladders:
    """Ladders in the store."""

    def __init__(self, connection: Connection, limits: Limits, locks: Locks) -> None:
        """Work through these."""
        self._connection = connection
        self._limits = limits
        self._locks = locks

    async def read(self, run: str) -> Ladder:
        """Where a run stands; an empty ladder for one that has no guards, or is not there."""
        prefix = self._connection.prefix
        (row,) = await self._connection.ask(
            ["HMGET", f"{prefix}r:{run}", "g", "w", "pk", "s", "y", "x", "dd"]
        )
        guards, rung, parked, status, why, open_, same = row
        joined = None
        if why == "joined" and same:
            (joined,) = await self._connection.ask(["GET", f"{prefix}dd:{same}"])
        reason = (why or "").split(" ", 1)
        stop = (
            reason[1] if status == "waiting" and reason[0] in {"lock", "limit"} and len(reason) > 1 else None
        )
        places = 1_000_000 if status in {"running", "cancelling"} else int(rung or 0)
        rungs: list[Rung] = []
        for at, guard in enumerate(read_guards(guards or ""), 1):
            here = guard.key == stop
            where: Where = (
                "parked"
                if here and parked == stop
                else "here"
                if here
                else "held"
                if at <= places
                else "ahead"
            )
            rungs.append(await self._rung(run, guard, where))
        return Ladder(tuple(rungs), int(open_ or 0), joined)

    async def _rung(self, run: str, guard: LockGuard | LimitGuard, where: Where) -> Rung:
        prefix, before = self._connection.prefix, None
        if isinstance(guard, LockGuard):
            if where == "here":
                (at,) = await self._connection.ask(["LPOS", f"{prefix}lk:{guard.key}", run])
                before = None if at is None else max(0, at - guard.places)
            return Rung(guard.key, where, before, await self._locks.stands(guard.key, guard.places), None)
        if where in {"here", "parked"}:
            line, rank = f"{prefix}lw:{guard.key}", f"{prefix}lp:{guard.key}"
            (before,) = await self._connection.ask(
                ["ZRANK", rank, run] if where == "parked" else ["LPOS", line, run]
            )
        numbers = Numbers(guard.n, guard.per_us, guard.burst)
        return Rung(guard.key, where, before, None, await self._limits.stands(guard.key, numbers))
