"""What happened in a conversation or to a run, as a stream that can be read from any place again.

The scripts write it, one entry for each step with all its changes. Here entries come out in pages, each with a word on
whether anything is missing before it; `following` tells of new ones. Which id an entry has is Redis's matter: ids of a
stream only grow, and an id that is not in it (any more) tells nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, cast

from pydantic_core import from_json

from actions.errors import StoreRefused

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from orchestrator.store.connection import Connection
    from orchestrator.store.values import Value

START: Final = "0-0"
"""The place before the first entry of any stream."""

_ID: Final = re.compile(r"(0|[1-9][0-9]{0,18})-(0|[1-9][0-9]{0,18})")
_CHUNK: Final = 200
"""Streams that are asked about in one trip."""


@dataclass(frozen=True, slots=True)
class Event:
    """One change of a run, a turn or a state."""

    id: str
    """Id of the stream entry; several changes of one step share it."""
    at_ms: int
    """When, ms since the epoch by Redis's clock."""
    change: dict[str, Any]
    """`{"run", "status", "attempt", "why"?, "worker"?}`, `{"turn", "status", "round"?}` or `{"state"}`."""


class Entry:
    """One step: an entry of a stream with all its changes, which are read when they are first asked for."""

    __slots__ = ("_changes", "at_ms", "id", "memo", "place", "text")

    def __init__(self, id: str, at_ms: int, text: str) -> None:  # noqa: A002 - the stream's word
        """An entry as it is stored; `text` is the JSON list of its changes."""
        self.id = id
        self.at_ms = at_ms
        self.text = text
        self.place = place(id)
        """Where it stands: entries are compared by it."""
        self.memo: bytes | None = None
        """What somebody made of it for the wire, kept for the next one who needs the same."""
        self._changes: list[dict[str, Any]] | None = None

    @property
    def changes(self) -> list[dict[str, Any]]:
        """The changes, each as in `Event.change`."""
        if self._changes is None:
            self._changes = from_json(self.text)
        return self._changes


@dataclass(frozen=True, slots=True)
class Page:
    """What follows an id in a stream."""

    entries: list[Entry]
    """The entries behind it, at most as many as were asked for; none if any may be missing."""
    missing: Literal["", "trimmed", "unknown"]
    """Why some may be missing: there were older ones than are kept, or the id is of no entry of this stream."""
    last: str
    """Where to go on from: the last of the entries; if any may be missing, the stream's last one ("0-0": none)."""


def place(id: str) -> tuple[int, int]:  # noqa: A002 - the stream's word
    """An entry's id as numbers, which compare as entries follow each other."""
    at, _, number = id.partition("-")
    return int(at), int(number)


def is_id(given: str) -> bool:
    """Whether this could be the id of an entry."""
    return _ID.fullmatch(given) is not None


class Events:
    """The one reader of the streams."""

    def __init__(self, connection: Connection) -> None:
        """Work through this connection."""
        self._connection = connection

    async def read(self, conversation: str, after: str = "0", *, count: int = 1000) -> list[Event]:
        """What came after the entry `after` ("0": all that is kept), at once and in order."""
        first = f"({after}" if after != "0" else "-"
        (rows,) = await self._connection.ask(["XRANGE", self._key(conversation), first, "+", "COUNT", count])
        entries = entries_of(rows)
        return [Event(entry.id, entry.at_ms, change) for entry in entries for change in entry.changes]

    async def watch(self, run: str) -> str:
        """Name the stream in which this run is told of, from now on at the latest; empty: there is no such run.

        It is the stream of its conversation, or one of its own that begins with how it stands. Whoever begins to
        follow it before he reads the run's record misses nothing.
        """
        return str(await self._connection.run("watch", run))

    async def last(self, stream: str) -> str:
        """The id of a stream's last entry, "0-0" if there is none."""
        key = self._key(stream)
        (found,) = await self._connection.ask(["XREVRANGE", key, "+", "-", "COUNT", 1])
        return str(found[0][0]) if found else START

    async def page(self, stream: str, after: str, *, count: int = 200) -> Page:
        """What follows the entry `after`, or the word that something may be missing.

        `after` is the id of an entry, or "0-0" for all that there ever was. What is no id is of no entry.
        """
        if not is_id(after):
            return Page([], "unknown", await self.last(stream))
        key, is_start = self._key(stream), after == START
        # In this order: what is still there after the page was read was there when it was, and all behind it too.
        rows, itself = await self._connection.ask(
            ["XRANGE", key, f"({after}", "+", "COUNT", count], ["XRANGE", key, after, after]
        )
        if itself or (is_start and not rows):
            entries = entries_of(rows)
            return Page(entries, "", entries[-1].id if entries else after)
        first, last, trimmed = await self._span(stream)
        if is_start and not trimmed:
            entries = entries_of(rows)
            return Page(entries, "", entries[-1].id)
        return Page([], "trimmed" if trimmed and place(after) < place(first) else "unknown", last)

    async def _span(self, stream: str) -> tuple[str, str, bool]:
        """The first and the last id of a stream, and whether any entry of it was trimmed."""
        try:
            (flat,) = await self._connection.ask(["XINFO", "STREAM", self._key(stream)])
        except StoreRefused as error:
            if "no such key" not in str(error):
                raise
            return START, START, False
        told = dict(zip(flat[::2], flat[1::2], strict=True))
        first, last = (told[name][0] if told.get(name) else START for name in ("first-entry", "last-entry"))
        return first, last, int(told.get("entries-added", 0)) > int(told["length"])

    async def gone(self, places: Mapping[str, str]) -> list[str]:
        """Those streams that do not have the entry which is named for them (any more)."""
        names = list(places)
        asked = [["XRANGE", self._key(name), places[name], places[name]] for name in names]
        found: list[Any] = []
        for at in range(0, len(asked), _CHUNK):
            found += await self._connection.ask(*asked[at : at + _CHUNK])
        return [name for name, rows in zip(names, found, strict=True) if not rows]

    def _key(self, stream: str) -> str:
        return key_of(self._connection, stream)


def key_of(connection: Connection, stream: str) -> str:
    """The key of a conversation's stream, or of a run's own."""
    return f"{connection.prefix}ev:{stream}"


def entries_of(rows: Sequence[tuple[str, list[Value]]]) -> list[Entry]:
    """Rows as Redis gives them; the fields are those that the scripts write, in their order: at, e."""
    return [Entry(id_, int(fields[1]), cast("str", fields[3])) for id_, fields in rows]
