"""How the queues stand, for people who watch: what is ready, what runs, what waits and for what, and who serves them.

Everything is counted out of what the scripts keep; nothing is written for it. It is read in several trips, so that a
run which moves meanwhile may be counted twice or not at all, and looks through all keys: for operators, now and then.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from orchestrator.store.keys import base_queue
from orchestrator.store.scanning import scanned

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from orchestrator.store.connection import Connection

ALIVE_S: Final = 10.0
"""Seconds since a worker's last sign of life (one a second) after which nobody serves its queues any more."""
_MOST: Final = 20_000
"""Runs that are looked at, one by one, for what they wait for."""
_TOGETHER: Final = 500
_KEPT_US: Final = 86_400_000_000
"""How long after its last tick a queue is remembered, as `tick` does it."""
_LISTS: Final = ("lk:", "lw:", "jn:", "bw:")
"""Keys of lists in which runs wait."""


@dataclass(slots=True)
class QueueStanding:
    """How one queue stands."""

    queue: str
    """Its name."""
    ready: int = 0
    """Runs that may start now."""
    running: int = 0
    """Runs that pumps hold: an attempt of them is carried out, or being stopped."""
    waiting: dict[str, int] = field(default_factory=dict[str, int])
    """Runs that wait, by what for: lock, limit, backoff, delay, approval, dependency and the like."""
    oldest_ready_s: float | None = None
    """Seconds for which the one has been ready that was so first; None: none is ready."""
    seen_s: float | None = None
    """Seconds since a worker that serves the queue gave a sign of life; None: none did within a day."""
    partial: bool = False
    """Whether there were too many to look at each of them: more may wait than is told."""


class Queues:
    """The queues in the store."""

    def __init__(self, connection: Connection) -> None:
        """Work through this connection."""
        self._connection = connection
        self._prefix = connection.prefix

    async def seen(self) -> dict[str, float]:
        """Seconds since a worker last gave a sign of life, for each queue that was served within the last day."""
        time, pairs = await self._connection.ask(
            ["TIME"], ["ZRANGE", f"{self._prefix}queues", 0, -1, "WITHSCORES"]
        )
        now = _us(time)
        return {
            queue: max(0.0, (now - (float(until) - _KEPT_US)) / 1e6)
            for queue, until in zip(pairs[::2], pairs[1::2], strict=True)
        }

    async def standing(self) -> list[QueueStanding]:
        """All queues that are served, or on which something is ready, runs or waits; by name."""
        found: dict[str, QueueStanding] = {}

        def of(queue: str) -> QueueStanding:
            return found.setdefault(queue, QueueStanding(queue))

        for queue, age in (await self.seen()).items():
            of(queue).seen_s = age
        ready = await self._ready(of)
        held = await self._held()
        waiting = await self._waiting()
        partial = await self._count(of, held, ready, waiting)
        for each in found.values():
            each.partial = partial
        return sorted(found.values(), key=lambda each: each.queue)

    async def _ready(self, of: Any) -> list[str]:
        """Count what is ready, and name the first of it: others may depend on these."""
        lanes = sorted(await scanned(self._connection, ["rot:"]))  # lane:priority
        tenants = await self._ask("LRANGE", [(f"rot:{each}", 0, -1) for each in lanes])
        lists = [f"rdy:{each}:{who}" for each, whose in zip(lanes, tenants, strict=True) for who in whose]
        lists += [
            f"{kind}{lane}" for kind in ("sus:", "alone:") for lane in await scanned(self._connection, [kind])
        ]
        lengths = await self._ask("LLEN", [(each,) for each in lists])
        heads = await self._ask("LINDEX", [(each, 0) for each in lists])
        firsts = await self._ask("LRANGE", [(each, 0, _TOGETHER) for each in lists])
        since = await self._ask("HGET", [(f"r:{run}", "since") for run in heads])
        (time,) = await self._connection.ask(["TIME"])
        for name, length, began in zip(lists, lengths, since, strict=True):
            told = of(base_queue(name.split(":")[1]))
            told.ready += int(length)
            if began is not None:
                age = max(0.0, (_us(time) - int(began)) / 1e6)
                told.oldest_ready_s = max(age, told.oldest_ready_s or 0.0)
        return [run for some in firsts for run in some]

    async def _held(self) -> list[str]:
        """The runs that pumps hold."""
        (pumps,) = await self._connection.ask(["ZRANGE", f"{self._prefix}live", 0, -1])
        held = await self._ask("SMEMBERS", [(f"held:{pump}",) for pump in pumps])
        return [run for runs in held for run in runs if "~" not in run]

    async def _waiting(self) -> list[str]:
        """Runs that stand where runs wait; some of them may run as well, for locks are held there."""
        due, asks = await self._connection.ask(
            ["ZRANGE", f"{self._prefix}due", 0, _MOST], ["ZRANGE", f"{self._prefix}asks", 0, _MOST]
        )
        found = [*due, *asks]
        for kind in _LISTS:
            names = sorted(await scanned(self._connection, [kind]))
            for some in await self._ask("LRANGE", [(f"{kind}{name}", 0, _MOST) for name in names]):
                found += some
        parked = sorted(await scanned(self._connection, ["lp:"]))
        for some in await self._ask("ZRANGE", [(f"lp:{name}", 0, _MOST) for name in parked]):
            found += some
        return [run for run in found if run.startswith("run_") and "~" not in run]

    async def _count(
        self, of: Any, held: Sequence[str], ready: Sequence[str], waiting: Sequence[str]
    ) -> bool:
        """Look at each of these runs, and at those that depend on them; whether there were too many."""
        seen: set[str] = set()
        layer = list(dict.fromkeys([*held, *ready, *waiting]))
        while layer and len(seen) < _MOST:
            layer = layer[: _MOST - len(seen)]
            seen.update(layer)
            rows = await self._ask("HMGET", [(f"r:{run}", "s", "q", "y", "nx") for run in layer])
            following: list[str] = []
            for status, lane, why, dependents in rows:
                if status is None:
                    continue
                told = of(base_queue(lane))
                if status in {"running", "cancelling"}:
                    told.running += 1
                elif status in {"waiting", "blocked"}:
                    reason = (why or "dependency").split(" ")[0]
                    told.waiting[reason] = told.waiting.get(reason, 0) + 1
                following += [each.lstrip("!") for each in (dependents or "").split()]
            layer = [run for run in dict.fromkeys(following) if run not in seen]
        return bool(layer)

    async def _ask(self, command: str, calls: Iterable[tuple[Any, ...]]) -> list[Any]:
        """The same command on several keys (the first of each), some hundred in a trip."""
        asked = [[command, f"{self._prefix}{key}", *rest] for key, *rest in calls]
        found: list[Any] = []
        for at in range(0, len(asked), _TOGETHER):
            found += await self._connection.ask(*asked[at : at + _TOGETHER])
        return found


def _us(time: Sequence[Any]) -> int:
    return int(time[0]) * 1_000_000 + int(time[1])
