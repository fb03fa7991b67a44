"""Rate limits as operators see them: what was changed, how they stand, and a pause for all.

Runs are admitted by `claim` alone; nothing here lets one through. Whoever waits at a limit that is changed looks again
at once.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from actions.errors import StoreRefused

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from orchestrator.store.connection import Connection
    from orchestrator.store.values import Value

MOST_CHANGED: Final = 1_000
"""How many names and keys of limits may be changed at the same time."""


@dataclass(frozen=True, slots=True)
class Changed:
    """Numbers that an operator gave a limit, or one of its keys, in place of the declared ones."""

    field: str
    """The limit's name, or one of its keys (which counts more)."""
    n: int
    """Starts (or units) in each window; 0: nobody starts."""
    per_us: int
    """Length of the window in microseconds."""
    burst: int
    """GCRA's burst; 0: half of n. Has no meaning for an exact limit."""
    cost: int | None
    """Units of each run, in place of its own; None: its own."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How a limit stands for one key."""

    key: str
    """The key, the limit's name first."""
    starts: int | None
    """Starts that an exact limit remembers; None: it is GCRA, or nothing started."""
    busy_us: int | None
    """When a GCRA limit is wholly free again, µs since the epoch; None: it is exact, or nothing started."""
    cooled_us: int | None
    """Until when it lets nobody through, µs since the epoch; None: it is not cooled."""
    waiting: int
    """Runs that wait for it in their place."""
    parked: int
    """Runs that wait for it for long, without a place."""


class Limits:
    """Rate limits in the store."""

    def __init__(self, connection: Connection) -> None:
        """Work through this connection."""
        self._connection = connection

    async def set(
        self,
        name: str,
        *,
        n: int,
        per_us: int,
        burst: int = 0,
        cost: int | None = None,
        key: str | None = None,
    ) -> None:
        """Give a limit, or one of its keys, other numbers; `key` is the full one, the limit's name first.

        Raises:
            StoreRefused: too many are changed.
        """
        await self._change("set", key or name, f"{n} {per_us} {burst} {cost or 0}", name, key)

    async def unset(self, name: str, key: str | None = None) -> None:
        """Let the declared numbers hold again."""
        await self._change("unset", key or name, "", name, key)

    async def cool(self, keys: Iterable[str], ms: int) -> None:
        """Let nobody through these limits for so long; a longer pause that holds already is kept."""
        calls: list[tuple[str, Sequence[Value]]] = [
            ("change_limit", ["cool", key, ms, MOST_CHANGED]) for key in keys
        ]
        if calls:
            await self._connection.run_together(calls)

    async def changed(self) -> list[Changed]:
        """What operators have changed, by name."""
        (flat,) = await self._connection.ask(["HGETALL", f"{self._connection.prefix}limits"])
        found = []
        for field, told in sorted(zip(flat[::2], flat[1::2], strict=True)):
            n, per_us, burst, cost = (int(part) for part in told.split())
            found.append(Changed(field, n, per_us, burst, cost or None))
        return found

    async def standing(self, name: str | None = None) -> list[Standing]:
        """How limits stand, for each key that is in use: all of them, or those of one name. Looks through all keys."""
        keys = await self._keys(name, ("lim:", "tat:", "cool:", "lw:", "lp:"))
        prefix = self._connection.prefix
        found = []
        for key in keys:
            starts, busy, cooled, waiting, parked = await self._connection.ask(
                ["LLEN", f"{prefix}lim:{key}"], ["GET", f"{prefix}tat:{key}"], ["GET", f"{prefix}cool:{key}"],
                ["LLEN", f"{prefix}lw:{key}"], ["ZCARD", f"{prefix}lp:{key}"],
            )  # fmt: skip
            still = cooled is not None and int(cooled) > time.time() * 1e6
            found.append(
                Standing(
                    key, starts or None, None if busy is None else int(busy), int(cooled) if still else None, waiting,
                    parked,
                )
            )  # fmt: skip
        return found

    async def _change(self, what: str, field: str, value: str, name: str, key: str | None) -> None:
        waiting = [key] if key else await self._keys(name, ("lw:", "lp:"))
        told = await self._connection.run("change_limit", what, field, value, MOST_CHANGED, *waiting)
        if told == "full":
            raise StoreRefused(
                f"{MOST_CHANGED} limits are changed already", fix="Unset those that are not needed any more"
            )

    async def _keys(self, name: str | None, kinds: Sequence[str]) -> list[str]:
        """The limits' keys in use, found by scanning: for operators, never on the way of a run."""
        found: set[str] = set()
        for kind in kinds:
            start = f"{self._connection.prefix}{kind}"
            cursor = "0"
            while True:
                cursor, keys = (
                    await self._connection.ask(
                        ["SCAN", cursor, "MATCH", f"{_escaped(start)}*", "COUNT", 1000]
                    )
                )[0]
                found |= {key.removeprefix(start) for key in keys}
                if cursor == "0":
                    break
        return sorted(key for key in found if name is None or key == name or key.startswith(f"{name}:"))


def _escaped(text: str) -> str:
    return "".join(f"\\{letter}" if letter in "*?[]\\" else letter for letter in text)
