"""One event stream as a process follows it: its newest entries, and who waits for what they tell.

In: entries as the hub's reader brings them. Out: entries for any number of subscriptions, each from a place of its own,
and a word to those who wait for an end. Nobody has a queue here: who is too slow for the ring reads from Redis again.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from typing import TYPE_CHECKING, Any, Final

from actions.messages import TERMINAL, TERMINAL_TURN
from orchestrator.store.events import START, place

if TYPE_CHECKING:
    from collections.abc import Iterable

    from orchestrator.store.events import Entry

RING: Final = 256
"""Entries of a stream that are kept here for those who follow it."""
RING_CHARACTERS: Final = 262_144
"""Characters of all of them together; the newest is kept however long it is."""


class Channel:
    """What a process knows of one stream."""

    def __init__(self, stream: str) -> None:
        """A channel on which nothing is followed yet."""
        self.stream = stream
        self.users = 0
        """Subscriptions and waits on it; with the last of them it goes."""
        self.position: str | None = None
        """Id up to which the stream was read; None: nobody has said yet where to begin."""
        self.anchor = START
        """An id that the stream had when it was last looked at as a whole."""
        self.floor = place(START)
        """Who has all up to here finds what follows in the ring."""
        self.epoch = 0
        """Grows when the stream was not what we took it for: what everybody has read is then to be checked."""
        self.lost = 0
        """The epoch in which the stream was another one for the last time; what was read before it is of no use."""
        self.news = asyncio.Event()
        """Set, and replaced, when there is something new."""
        self._ring: deque[Entry] = deque()
        self._size = 0
        self._waits: dict[str, set[asyncio.Future[None]]] = defaultdict(set)

    def begin(self, position: str) -> bool:
        """Follow the stream from behind this id, unless somebody has begun; whether it was us."""
        if self.position is not None:
            return False
        self.position, self.anchor, self.floor = position, position, place(position)
        return True

    def add(self, entries: Iterable[Entry]) -> None:
        """Take in what the stream has behind `position`."""
        for entry in entries:
            self._ring.append(entry)
            self._size += len(entry.text)
            self.position = entry.id
            if self._waits:
                self._tell(entry)
        while len(self._ring) > RING or (self._size > RING_CHARACTERS and len(self._ring) > 1):
            oldest = self._ring.popleft()
            self._size -= len(oldest.text)
            self.floor = oldest.place
        self.wake()

    def break_off(self, last: str, *, is_lost: bool) -> None:
        """Forget all that was taken in: the stream has trimmed entries, or is another one. It now ends with `last`.

        `is_lost`: what was read before is of a stream that is no more.
        """
        self._ring.clear()
        self._size = 0
        self.position, self.anchor, self.floor = last, last, place(last)
        self.epoch += 1
        if is_lost:
            self.lost = self.epoch
        self.wake()
        self.look_again()

    def wake(self) -> None:
        """Let all subscriptions look."""
        self.news.set()
        self.news = asyncio.Event()

    def serves(self, reached: tuple[int, int], epoch: int) -> bool:
        """Whether the ring has all that follows this place, as read in this epoch."""
        return self.position is not None and epoch == self.epoch and reached >= self.floor

    def behind(self, reached: tuple[int, int]) -> list[Entry]:
        """The entries of the ring behind this place."""
        found: list[Entry] = []
        for entry in reversed(self._ring):
            if entry.place <= reached:
                break
            found.append(entry)
        return found[::-1]

    # Waits

    def expect(self, id: str) -> asyncio.Future[None]:  # noqa: A002 - a run's or a turn's
        """Something that is done when this run or turn has ended, or when that has to be looked up again."""
        wait: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waits[id].add(wait)
        return wait

    def forget(self, id: str, wait: asyncio.Future[None]) -> None:  # noqa: A002
        """End a wait."""
        waits = self._waits.get(id)
        if waits is not None:
            waits.discard(wait)
            if not waits:
                del self._waits[id]

    def look_again(self) -> None:
        """Let all who wait look for themselves."""
        for id_ in list(self._waits):
            self._end(id_)

    def _tell(self, entry: Entry) -> None:
        for change in entry.changes:
            if (ended := _ended(change)) in self._waits:
                self._end(ended)

    def _end(self, id: str) -> None:  # noqa: A002
        for wait in self._waits.pop(id, ()):
            if not wait.done():
                wait.set_result(None)


def _ended(change: dict[str, Any]) -> str:
    """The run or turn whose end this change tells; empty: none has ended."""
    status = change.get("status")
    if "run" in change:
        return str(change["run"]) if status in TERMINAL else ""
    return str(change.get("turn", "")) if status in TERMINAL_TURN else ""
