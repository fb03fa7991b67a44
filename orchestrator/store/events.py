"""What happened in a conversation, as a stream that can be read from any place again.

The scripts write it, one entry for each step with all its changes; this is the one reader.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from pydantic_core import from_json

if TYPE_CHECKING:
    from orchestrator.store.connection import Connection


@dataclass(frozen=True, slots=True)
class Event:
    """One change of a run, a turn or a state."""

    id: str
    """Id of the stream entry; several changes of one step share it."""
    at_ms: int
    """When, ms since the epoch by Redis's clock."""
    change: dict[str, Any]
    """`{"run", "status", "attempt", "why"?, "worker"?}`, `{"turn", "status", "round"?}` or `{"state"}`."""


class Events:
    """The one reader of the conversations' streams."""

    def __init__(self, connection: Connection) -> None:
        """Work through this connection."""
        self._connection = connection

    async def read(self, conversation: str, after: str = "0", *, count: int = 1000) -> list[Event]:
        """What came after the entry `after` ("0": all that is kept), at once and in order."""
        key = f"{self._connection.prefix}ev:{conversation}"
        first = f"({after}" if after != "0" else "-"
        (entries,) = await self._connection.ask(["XRANGE", key, first, "+", "COUNT", count])
        return [
            Event(entry, int(at), change)
            for entry, (
                _,
                at,
                _,
                changes,
            ) in entries  # the fields that the scripts write, in their order: at, e
            for change in cast("list[dict[str, Any]]", from_json(changes))
        ]
