"""Reading conversations: their records, messages and turns, as the store has them.

In: ids. Out: plain values. Nothing here changes anything; `conversations` does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

from pydantic_core import from_json

from actions.errors import UnknownConversation
from orchestrator.store.places import PAGE_BYTES
from orchestrator.store.records import ConversationRecord

if TYPE_CHECKING:
    from orchestrator.store.connection import Connection

_TRIP: Final = 4
"""Messages of one round trip: nobody knows how long they are before they are here, and others wait behind them."""


class ConversationReading:
    """What can be known of conversations."""

    def __init__(self, connection: Connection) -> None:
        """Work through this connection."""
        self._connection = connection

    async def read(self, conversation: str) -> ConversationRecord:
        """The conversation without its messages.

        Raises:
            UnknownConversation: there is none with this id.
        """
        key = f"{self._connection.prefix}c:{conversation}"
        fields = await self._hash(key)
        if not fields or "del" in fields:
            raise unknown(conversation)
        return _record(conversation, fields)

    async def messages(self, conversation: str, last: int | None = None) -> list[dict[str, Any]]:
        """The newest `last` messages (all if None), oldest first, in OpenAI's chat shape."""
        key = f"{self._connection.prefix}m:{conversation}"
        if last == 0:
            return []
        start = 0 if last is None else -last
        (raw,) = await self._connection.ask(["LRANGE", key, start, -1])
        return [from_json(message) for message in raw]

    async def messages_from(
        self, conversation: str, first: int, count: int
    ) -> tuple[list[dict[str, Any]], int | None]:
        """At most `count` messages from the place `first` (from 0) on, oldest first, and the place of the next one.

        They are of `PAGE_BYTES` together at most, but at least one; None: nothing comes after them.
        """
        key = f"{self._connection.prefix}m:{conversation}"
        found: list[dict[str, Any]] = []
        place, size = first, 0
        while True:
            (raw,) = await self._connection.ask(["LRANGE", key, place, place + _TRIP - 1])
            for message in raw:
                size += len(message.encode())
                if len(found) == count or (found and size > PAGE_BYTES):
                    return found, first + len(found)
                found.append(from_json(message))
            if len(raw) < _TRIP:
                return found, None
            place += _TRIP

    async def turns_from(
        self, conversation: str, turn: str | None, count: int
    ) -> tuple[list[str], str | None]:
        """At most `count` turns of a conversation, newest first, from this one backwards; and the one before them.

        A turn of another conversation ends the walk, as one does that is not there any more.
        """
        found: list[str] = []
        while turn and len(found) < count:
            ((whose, before),) = await self._connection.ask(
                ["HMGET", f"{self._connection.prefix}t:{turn}", "c", "prev"]
            )
            if whose != conversation:
                return found, None
            found.append(turn)
            turn = before
        return found, turn or None

    async def queued(self, conversation: str) -> list[str]:
        """The turns that wait until the live one has ended, next one first."""
        (turns,) = await self._connection.ask(
            ["LRANGE", f"{self._connection.prefix}in:{conversation}", 0, -1]
        )
        return list(turns)

    async def turn(self, turn: str) -> dict[str, str]:
        """The record of a turn (see `keys`), empty if there is none."""
        key = f"{self._connection.prefix}t:{turn}"
        return await self._hash(key)

    async def _hash(self, key: str) -> dict[str, str]:
        (flat,) = await self._connection.ask(["HGETALL", key])
        return dict(zip(flat[::2], flat[1::2], strict=True))


def unknown(conversation: str) -> UnknownConversation:
    """The error of who asks for a conversation that is not there."""
    return UnknownConversation(
        f"there is no conversation {conversation}", fix="Open it first, or check the id"
    )


def _named(fields: dict[str, str], mark: str) -> dict[str, str]:
    """The fields that begin with a mark, under the names that follow it."""
    return {name[2:]: value for name, value in fields.items() if name.startswith(mark)}


def _record(conversation: str, fields: dict[str, str]) -> ConversationRecord:
    return ConversationRecord(
        id=conversation,
        status=cast("Any", fields.get("s", "idle")),
        live_turn=fields.get("live"),
        revision=int(fields.get("rev", 0)),
        state=fields.get("st"),
        state_revision=int(fields.get("sr", 0)),
        machine=fields.get("mach"),
        tenant=fields.get("u", ""),
        principal=fields.get("who"),
        permissions=tuple(fields.get("perm", "").split()),
        context=_named(fields, "x:"),
        mode=fields.get("mode", ""),
        agent=fields.get("agent"),
        dialects=fields.get("dial", ""),
        did=frozenset(_named(fields, "d:")),
        participants=_named(fields, "p:"),
        memory=_named(fields, "k:"),
        last_turn=fields.get("last"),
    )
