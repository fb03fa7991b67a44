"""The newest runs, tenant by tenant: where one was in the list in, the runs before that out.

The scripts add to a stream for each tenant when they record runs: one entry for all that a script recorded, some 20,000
entries at most. What is told here may have ended and gone since.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from orchestrator.store.scanning import scanned

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orchestrator.store.connection import Connection
    from orchestrator.store.values import Value

_ENTRY: Final = re.compile(r"[0-9]{1,18}-[0-9]{1,18}")
"""Redis takes two numbers of 64 bits."""
_ENTRIES: Final = 16
"""Entries of a tenant's list that are fetched together."""


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where a run stands in the list; what is newer is smaller."""

    age: tuple[int, int]
    """Milliseconds and number of its entry, both negated."""
    tenant: str
    """Whose list it is in."""
    at: int
    """Which of its entry it is, the last one recorded first."""

    @property
    def entry(self) -> str:
        """The id of its entry."""
        return f"{-self.age[0]}-{-self.age[1]}"


def place(entry: str, tenant: str, at: int) -> Place:
    """The place of a run in an entry; raises ValueError for what is no id of an entry."""
    if _ENTRY.fullmatch(entry) is None:
        raise ValueError("no id of an entry")
    ms, _, number = entry.partition("-")
    return Place((-int(ms), -int(number)), tenant, at)


class Listing:
    """The lists of runs."""

    def __init__(self, connection: Connection) -> None:
        """Work through this connection."""
        self._connection = connection

    async def tenants(self) -> list[str]:
        """The tenants that have runs, found by looking through all keys: for operators."""
        return sorted(await scanned(self._connection, ["runs:"]))

    async def newest(
        self, tenants: Sequence[str], after: Place | None, count: int
    ) -> list[tuple[Place, str]]:
        """The `count` newest runs of these tenants that stand after a place (None: from the beginning).

        Entries are fetched some at a time: one may hold a thousand runs.
        """
        found: list[tuple[Place, str]] = []
        while len(found) < count:
            some, more = await self._next(tenants, found[-1][0] if found else after, count - len(found))
            found += some
            if not more:
                break
        return found

    async def _next(
        self, tenants: Sequence[str], after: Place | None, count: int
    ) -> tuple[list[tuple[Place, str]], bool]:
        """Some runs after a place, and whether there are more behind them."""
        first, prefix = after.entry if after else "+", self._connection.prefix
        asked: list[list[Value]] = [
            ["XREVRANGE", f"{prefix}runs:{each}", first, "-", "COUNT", _ENTRIES] for each in tenants
        ]
        lists = await self._connection.ask(*asked)
        # where a list goes on behind what was fetched of it, nothing older than that is known to be next
        full = [place(entries[-1][0], who, 0).age for who, entries in zip(tenants, lists, strict=True)
                if len(entries) == _ENTRIES]  # fmt: skip
        horizon = min(full, default=None)
        entries = sorted(
            (place(entry, who, 0).age, who, told[1])
            for who, each in zip(tenants, lists, strict=True)
            for entry, told in each
        )
        found: list[tuple[Place, str]] = []
        for age, who, told in entries:
            if horizon is not None and age > horizon:
                return found, True
            for at, run in enumerate(reversed(told.split(" "))):
                here = Place(age, who, at)
                if after is None or here > after:
                    found.append((here, run))
                    if len(found) == count:
                        return found, True
        return found, horizon is not None
