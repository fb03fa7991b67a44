"""Lists that come in pages: the first request in, one request for each page out, until there is no next one.

A page may be empty and still have a next one, so only the cursor says when a list is over. No I/O, like the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from orchestrator.clients.requests import Request

T = TypeVar("T")


class Paging(Generic[T]):
    """Walks through the pages of a list, once."""

    def __init__(self, first: Request[Any], items: Callable[[Any], Iterable[T]], most: int | None) -> None:
        """Begin at the first page; `items` takes the entries out of one, `most` bounds how many are told."""
        self._first = first
        self._items = items
        self._left = most
        self.next: Request[Any] | None = None if most is not None and most <= 0 else first
        """What asks for the page that comes next; None: there is none."""

    def take(self, page: Any) -> list[T]:
        """The entries of a page that came."""
        found = list(self._items(page))[: self._left]
        if self._left is not None:
            self._left -= len(found)
        cursor: str | None = page.next
        if not cursor or self._left == 0:
            self.next = None
        else:
            kept = [each for each in self._first.params if each[0] != "cursor"]
            self.next = replace(self._first, params=(*kept, ("cursor", cursor)))
        return found
