"""Undos that failed: they rest until somebody asks for another try."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pydantic_core import to_json

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
        """Those that rest, the oldest first."""
        prefix = self._connection.prefix
        (found,) = await self._connection.ask(["ZRANGE", f"{prefix}stuck", 0, limit - 1, "WITHSCORES"])
        # RESP2 gives a flat list, RESP3 pairs.
        flat = [part for each in found for part in (each if isinstance(each, list) else [each])]
        pairs = list(zip(flat[::2], flat[1::2], strict=True))
        rows = await self._connection.ask(*(["HMGET", f"{prefix}r:{run}", *_FIELDS] for run, _ in pairs))
        return [
            StuckUndo(run, int(float(at)), error or "null", payload, turn, conversation, tenant or "")
            for (run, at), (undo, error, payload, turn, conversation, tenant) in zip(pairs, rows, strict=True)
            if undo == "failed"
        ]

    async def retry(self, run: str, line: dict[str, Any] | None = None) -> str:
        """Try it again: "retried", "not_stuck" or "missing". `line`: for the audit, written in the same step."""
        told = to_json(line).decode() if line else ""
        return str(await self._connection.run("undo_again", run, told))
