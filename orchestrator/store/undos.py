"""Undos that failed: they rest until somebody asks for another try."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pydantic_core import to_json

from orchestrator.store.places import PAGE, Place, sifted

if TYPE_CHECKING:
    from orchestrator.store.connection import Connection

_FIELDS: Final = ("undo", "ue", "a", "t", "c", "u")


@dataclass(frozen=True, slots=True)
class StuckUndo:
    """A step that took effect and could not be undone."""

    run: str
    """The step."""
    at_us: int
    """When its undo failed, µs since the epoch by Redis's clock."""
    error: str
    """What that ended with, JSON."""
    payload: str
    """The step's payload, encoded."""
    turn: str | None
    """Its turn."""
    conversation: str | None
    """Its conversation."""
    tenant: str
    """Its tenant; empty: the default one."""


class Undos:
    """Undos that failed."""

    def __init__(self, connection: Connection) -> None:
        """Work through this connection."""
        self._connection = connection

    async def stuck(self, limit: int = 100) -> list[StuckUndo]:
        """Those that rest, of all tenants, the oldest first."""
        found: list[StuckUndo] = []
        after: Place | None = None
        while len(found) < limit:
            more, after = await self.page(min(PAGE, limit - len(found)), after=after)
            found += more
            if after is None:
                break
        return found

    async def page(
        self, limit: int, *, tenant: str | None = None, after: Place | None = None
    ) -> tuple[list[StuckUndo], Place | None]:
        """Some of those that rest behind a place, the oldest first, and where to ask for more; None: nowhere.

        Those of one tenant, or of all (None). It may hold fewer than `limit` and still have a next one.
        """
        places, rest = await sifted(
            self._connection,
            "stuck",
            ("undo", "u"),
            lambda row: row[0] == "failed" and tenant in {None, row[1] or ""},
            limit=limit,
            after=after,
        )
        prefix = self._connection.prefix
        rows = await self._connection.ask(*(["HMGET", f"{prefix}r:{run}", *_FIELDS] for _, run in places))
        return [
            StuckUndo(run, at, error or "null", payload, turn, conversation, owner or "")
            for (at, run), (undo, error, payload, turn, conversation, owner) in zip(places, rows, strict=True)
            if undo == "failed"
        ], rest

    async def retry(self, run: str, line: dict[str, Any] | None = None) -> str:
        """Try it again: "retried", "not_stuck" or "missing". `line`: for the audit, written in the same step."""
        told = to_json(line).decode() if line else ""
        return str(await self._connection.run("undo_again", run, told))
