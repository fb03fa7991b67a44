"""Keys that are found by looking through all of them: for operators who ask, never on the way of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from orchestrator.store.connection import Connection


async def scanned(connection: Connection, kinds: Iterable[str]) -> set[str]:
    """What stands behind these beginnings of keys (`lk:` and the like)."""
    found: set[str] = set()
    for kind in kinds:
        start = f"{connection.prefix}{kind}"
        cursor = "0"
        while True:
            ((cursor, keys),) = await connection.ask(
                ["SCAN", cursor, "MATCH", f"{_escaped(start)}*", "COUNT", 1000]
            )
            found |= {key.removeprefix(start) for key in keys}
            if cursor == "0":
                break
    return found


def _escaped(text: str) -> str:
    return "".join(f"\\{letter}" if letter in "*?[]\\" else letter for letter in text)
