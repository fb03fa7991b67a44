"""Rate limits as operators see them: what was changed, how they stand, and a pause for all.

Runs are admitted by `claim` alone; nothing here lets one through. Whoever waits at a limit that is changed looks again
at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pydantic_core import to_json

from actions.errors import StoreRefused
from orchestrator.guard_standings import LimitStanding
from orchestrator.store.incoming import LimitGuard
from orchestrator.store.room import Numbers, read_guards, room
from orchestrator.store.scanning import read_each, scanned

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from orchestrator.store.connection import Connection
    from orchestrator.store.values import Value

_LOOKS: Final = 200
"""Keys at which those who wait look again in one script."""
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
        line: dict[str, Any] | None = None,
    ) -> None:
        """Give a limit, or one of its keys, other numbers; `key` is the full one, the limit's name first.

        `line`: for the audit, written in the same step.

        Raises:
            StoreRefused: too many are changed.
        """
        await self._change("set", key or name, f"{n} {per_us} {burst} {cost or 0}", name, key, line)

    async def unset(self, name: str, key: str | None = None, *, line: dict[str, Any] | None = None) -> None:
        """Let the declared numbers hold again. `line`: as for `set`."""
        await self._change("unset", key or name, "", name, key, line)

    async def cool(self, keys: Iterable[str], ms: int) -> None:
        """Let nobody through these limits for so long; a longer pause that holds already is kept."""
        calls: list[tuple[str, Sequence[Value]]] = [
            ("change_limit", ["cool", key, ms, MOST_CHANGED, ""]) for key in keys
        ]
        if calls:
            await self._connection.run_together(calls)

    async def knock(self, key: str, n: int, per_us: int, burst: int = 0) -> int:
        """Take one of n in `per_us` that is no run's (a request's, say); 0, or milliseconds until there is one again.

        GCRA: `burst` at once (n, if none is given), then one each per / n. Keys begin with `~`, as no
        limit's name does, so that they stand in no list of limits.
        """
        return int(await self._connection.run("knock", key, n, per_us, burst or n))

    async def changed(self) -> list[Changed]:
        """What operators have changed, by name."""
        (flat,) = await self._connection.ask(["HGETALL", f"{self._connection.prefix}limits"])
        found = []
        for field, told in sorted(zip(flat[::2], flat[1::2], strict=True)):
            n, per_us, burst, cost = (int(part) for part in told.split())
            found.append(Changed(field, n, per_us, burst, cost or None))
        return found

    async def standing(
        self,
        name: str | None = None,
        *,
        declared: Mapping[str, Numbers] | None = None,
        clock: int | None = None,
    ) -> list[LimitStanding]:
        """How limits stand, for each key that is in use: all of them, or those of one name. Looks through all keys.

        Args:
            name: of one limit, or a whole key.
            declared: numbers by the limit's name; where none are given, those of a run that waits count.
            clock: µs, stands in for the server's time; for tests only.
        """
        keys = await self._keys(name, ("lim:", "tat:", "cool:", "lw:", "lp:"))
        known = declared or {}

        async def read(key: str) -> LimitStanding:
            return await self.stands(key, known.get(key.partition(":")[0]), clock=clock)

        found = await read_each(read, keys)
        return [each for each in found if each.used != 0 or each.waiting or each.parked or each.cooled_us]

    async def stands(self, key: str, numbers: Numbers | None, *, clock: int | None = None) -> LimitStanding:
        """How a limit stands for one key; `numbers` are the declared ones."""
        prefix, name = self._connection.prefix, key.partition(":")[0]
        time, starts, tat, cooled, waiting, parked, first, patient, changed = await self._connection.ask(
            ["TIME"], ["LRANGE", f"{prefix}lim:{key}", 0, -1], ["GET", f"{prefix}tat:{key}"],
            ["GET", f"{prefix}cool:{key}"], ["LLEN", f"{prefix}lw:{key}"], ["ZCARD", f"{prefix}lp:{key}"],
            ["LINDEX", f"{prefix}lw:{key}", 0], ["ZRANGE", f"{prefix}lp:{key}", 0, 0],
            ["HMGET", f"{prefix}limits", key, name],
        )  # fmt: skip
        now = int(time[0]) * 1_000_000 + int(time[1]) if clock is None else clock
        next_one = first or (patient[0] if patient else None)
        told = numbers or await self._told_by(next_one, key)
        if (own := changed[0] or changed[1]) is not None:
            n, per_us, burst, _ = (int(part) for part in own.split())
            told = (told or Numbers(n, per_us, 1 if tat else 0)).changed(n, per_us, burst)
        until = int(cooled or 0)
        left = None if told is None else room(told, [int(each) for each in starts], int(tat or 0), until, now)
        return LimitStanding(
            key=key,
            used=None if left is None else left.used,
            most=None if left is None else left.most,
            next_us=None if left is None else left.next_us,
            cooled_us=until if until > now else None,
            waiting=waiting,
            parked=parked,
            first=next_one,
            now_us=now,
        )

    async def _told_by(self, run: str | None, key: str) -> Numbers | None:
        """The numbers of a limit as a run that waits for it carries them."""
        if run is None:
            return None
        (text,) = await self._connection.ask(["HGET", f"{self._connection.prefix}r:{run}", "g"])
        for guard in read_guards(text or ""):
            if isinstance(guard, LimitGuard) and guard.key == key:
                return Numbers(guard.n, guard.per_us, guard.burst)
        return None

    async def _change(
        self,
        what: str,
        field: str,
        value: str,
        name: str,
        key: str | None,
        line: dict[str, Any] | None,
    ) -> None:
        waiting = [key] if key else await self._keys(name, ("lw:", "lp:"))
        noted = to_json(line).decode() if line else ""
        told = await self._connection.run("change_limit", what, field, value, MOST_CHANGED, noted)
        if told == "full":
            raise StoreRefused(
                f"{MOST_CHANGED} limits are changed already", fix="Unset those that are not needed any more"
            )
        for at in range(0, len(waiting), _LOOKS):
            await self._connection.run(
                "change_limit", "look", "", "", MOST_CHANGED, "", *waiting[at : at + _LOOKS]
            )

    async def _keys(self, name: str | None, kinds: Sequence[str]) -> list[str]:
        """The limits' keys in use, found by scanning: for operators, never on the way of a run."""
        found = (key for key in await scanned(self._connection, kinds) if not key.startswith("~"))
        return sorted(key for key in found if name is None or key == name or key.startswith(f"{name}:"))
