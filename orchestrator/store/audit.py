"""Who asked for what, what was decided, and how it ended: lines that are only ever added, the newest some 100,000.

The scripts write most of them in the very step that they tell of. Arguments are masked before they come here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from pydantic_core import from_json, to_json

if TYPE_CHECKING:
    from orchestrator.store.connection import Connection


@dataclass(frozen=True, slots=True)
class AuditLine:
    """One thing that was asked for, decided, or ended."""

    id: str
    """Id of the stream entry; several lines of one step share it."""
    at_ms: int
    """When, ms since the epoch by Redis's clock."""
    fields: dict[str, Any]
    """`what` and, as it applies, `run`, `by`, `action`, `arguments` (masked), `status`, `code`, and the like."""


class Audit:
    """The audit."""

    def __init__(self, connection: Connection) -> None:
        """Work through this connection."""
        self._connection = connection

    async def note(self, fields: dict[str, Any]) -> None:
        """Add a line."""
        await self._connection.run("note", to_json(fields).decode())

    async def read(self, after: str = "0", *, count: int = 1000) -> list[AuditLine]:
        """The lines of the next `count` entries after an entry ("0": from the oldest that is kept)."""
        first = f"({after}" if after != "0" else "-"
        (entries,) = await self._connection.ask(
            ["XRANGE", f"{self._connection.prefix}audit", first, "+", "COUNT", count]
        )
        return [
            AuditLine(entry, int(at), line)
            for entry, (_, at, _, lines) in entries
            for line in cast("list[dict[str, Any]]", from_json(lines))
        ]
