"""Indexes by time, read place by place: a sorted set in, its members in their order out, from any place on.

A place is a score and the member at it, so that nothing is passed over or told twice when others come and go between
two pages, as it would be by counting.
"""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from orchestrator.store.connection import Connection

Place = tuple[int, str]
"""A score (µs since the epoch) and a member."""

PAGE: Final = 500
"""Members of one round trip."""
LOOKED: Final = 4 * PAGE
"""Members that one page of a list looks at, whatever it finds."""
PAGE_BYTES: Final = 4_194_304
"""Bytes of what one page of a list tells, unless its first one is longer: all of a process share one connection."""


async def pages(
    connection: Connection,
    key: str,
    *,
    after: Place | None = None,
    low: int | None = None,
    high: int | None = None,
) -> AsyncIterator[list[Place]]:
    """The members behind a place, in pages, the lowest score first.

    Args:
        connection: to Redis.
        key: of the sorted set, without prefix.
        after: the last one that was seen; None: from the beginning.
        low: the lowest score; None: any.
        high: the highest score; None: any.
    """
    score, most, skip = "-inf" if low is None else low, "+inf" if high is None else high, 0
    while True:
        if after is not None and (low is None or after[0] >= low):
            score = after[0]
        (told,) = await connection.ask(
            ["ZRANGE", f"{connection.prefix}{key}", score, most, "BYSCORE", "LIMIT", skip, PAGE, "WITHSCORES"]
        )
        # RESP2 gives a flat list, RESP3 pairs.
        flat = [part for each in told for part in (each if isinstance(each, list) else [each])]
        found = [(int(float(at)), member) for member, at in zip(flat[::2], flat[1::2], strict=True)]
        fresh = [place for place in found if after is None or place > after]
        if fresh:
            after = fresh[-1]
            yield fresh
        if len(found) < PAGE:
            return
        # a whole page at the very score of the last place: its members are passed by counting, there is no other way
        skip = 0 if fresh and found[0][0] < found[-1][0] else skip + PAGE


async def sifted(
    connection: Connection,
    key: str,
    fields: Sequence[str],
    fits: Callable[[list[Any]], bool],
    *,
    limit: int = LOOKED,
    after: Place | None = None,
    low: int | None = None,
    high: int | None = None,
) -> tuple[list[Place], Place | None]:
    """Runs of an index that fit, the lowest score first, and behind which place to ask for more; None: nowhere.

    It looks at `LOOKED` of them at most, so that no question costs more than that: it may find fewer than `limit`, or
    none, and say where to go on.

    Args:
        connection: to Redis.
        key: of the index, without prefix.
        fields: of the runs' records; short ones, for they are read of runs that do not fit, too.
        fits: whether a run is meant, by these fields.
        limit: how many at most.
        after: the place behind which to begin; None: at the beginning.
        low: the lowest score; None: any.
        high: the highest score; None: any.
    """
    found: list[Place] = []
    looked = 0
    async for places in pages(connection, key, after=after, low=low, high=high):
        rows = await connection.ask(*(["HMGET", f"{connection.prefix}r:{run}", *fields] for _, run in places))
        for place, row in zip(places, rows, strict=True):
            if fits(row):
                found.append(place)
                if len(found) == limit:
                    return found, place
        looked += len(places)
        if looked >= LOOKED:
            return found, places[-1]
    return found, None


async def fitting(connection: Connection, runs: Sequence[str], *fields: str) -> int:
    """How many of these runs fit into `PAGE_BYTES` with these fields, from the first one on; that one always does."""
    keys = [f"{connection.prefix}r:{run}" for run in runs]
    told: list[int] = await connection.ask(*(["HSTRLEN", key, field] for key in keys for field in fields))
    each = (sum(told[at : at + len(fields)]) for at in range(0, len(told), len(fields)))
    return min(len(runs), max(1, sum(size <= PAGE_BYTES for size in accumulate(each))))
