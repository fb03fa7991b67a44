"""Keys that are found by looking through all of them: for operators who ask, never on the way of a run."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Sequence

    from orchestrator.store.connection import Connection

T = TypeVar("T")

_TOGETHER: Final = 200


async def scanned(connection: Connection, kinds: Iterable[str]) -> set[str]:
    """What stands behind these beginnings of keys (`lk:` and the like)."""
    return set().union(*await asyncio.gather(*(_behind(connection, kind) for kind in kinds)))


async def read_each(read: Callable[[str], Awaitable[T]], keys: Sequence[str]) -> list[T]:
    """What `read` says of each key, in their order; some hundred at a time share their round trips."""
    found: list[T] = []
    for at in range(0, len(keys), _TOGETHER):
        found += await asyncio.gather(*(read(key) for key in keys[at : at + _TOGETHER]))
    return found


async def _behind(connection: Connection, kind: str) -> set[str]:
    found: set[str] = set()
    start, cursor = f"{connection.prefix}{kind}", "0"
    while True:
        ((cursor, keys),) = await connection.ask(
            ["SCAN", cursor, "MATCH", f"{_escaped(start)}*", "COUNT", 1000]
        )
        found |= {key.removeprefix(start) for key in keys}
        if cursor == "0":
            return found


def _escaped(text: str) -> str:
    return "".join(f"\\{letter}" if letter in "*?[]\\" else letter for letter in text)
