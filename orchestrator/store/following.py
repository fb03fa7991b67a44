"""New entries of many streams as they come: one blocking read over all of them, on a line of its own.

In: where each stream was read up to. Out: what came behind that. A token in a stream of the follower's own interrupts a
read, so that it can go on with another list of streams. Nothing is kept here but the line.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any, Final

from redis.exceptions import RedisError

from orchestrator.store.events import START, Entry, entries_of, key_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orchestrator.store.connection import Connection
    from orchestrator.store.values import Value

MOST: Final = 64
"""Entries of one stream that a read brings; fewer mean that there were no more."""

_BLOCK_MS: Final = 2_500
"""One read lasts no longer; with the grace it tells how late a silent network is noticed."""
_GRACE_S: Final = 2.0
"""Seconds after the end of a read by which its answer must be here."""
_TOKEN_S: Final = 60
"""Seconds that a token is kept."""


class Follower:
    """The blocking reader of one process."""

    def __init__(self, connection: Connection) -> None:
        """Read on a line beside this connection's; nothing is opened before the first read."""
        self._connection = connection
        self._line = connection.new_line(_BLOCK_MS / 1000 + _GRACE_S)
        self._tokens = f"{connection.prefix}hub:{secrets.token_hex(6)}"
        self._heard = START

    async def read(self, places: Mapping[str, str]) -> dict[str, list[Entry]]:
        """Wait until one of these streams has entries behind the id that is named for it, or until a token comes.

        Returns what there is, by streams, at most `MOST` of each; nothing after some seconds.

        Raises:
            StoreUnavailable, StoreRefused: as `Connection.ask`; nothing is lost by reading again.
        """
        streams = {key_of(self._connection, stream): stream for stream in places}
        command: list[Value] = [
            "XREAD", "COUNT", MOST, "BLOCK", _BLOCK_MS, "STREAMS",
            self._tokens, *streams, self._heard, *places.values(),
        ]  # fmt: skip
        try:
            (reply,) = await self._line.trip([command])
        except RedisError as error:
            raise self._connection.explain(error) from error
        if isinstance(reply, RedisError):
            raise self._connection.explain(reply) from reply
        found: list[tuple[str, Any]] = reply or []
        for key, rows in found:
            if key == self._tokens:
                self._heard = rows[-1][0]
        return {streams[key]: entries_of(rows) for key, rows in found if key in streams}

    async def interrupt(self) -> None:
        """End the read that is under way, or the next one if there is none."""
        await self._connection.ask(
            ["XADD", self._tokens, "MAXLEN", 1, "*", "w", ""], ["EXPIRE", self._tokens, _TOKEN_S]
        )

    async def close(self) -> None:
        """Close the line; it may be used again afterwards."""
        await self._line.close()
