"""Strict JSON inside a text: a text and a place in, the value there and where it ends out, or `Unreadable`.

What strict JSON is stands in `actions.strict_json`. Brackets are counted outside of texts in quotes. Linear time.
"""

from __future__ import annotations

import re
import sys
from typing import Any, Final

from actions.strict_json import MAX_DEPTH, SPACE, TooDeep, Unreadable, decode_first

OPEN: Final = -1
"""`closing` found the end of the text first."""
DEEP: Final = -2
"""`closing` met more than `MAX_DEPTH` brackets inside each other."""

# The closing quote is optional so that this always matches: a failing match would read the rest again.
_STRING = r'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)'
_PIECE: Final = re.compile(_STRING + r"|[\[\]{}]", re.DOTALL)
_WINDOW: Final = 4096
"""Characters of the first try: most calls are shorter, and a megabyte takes only four tries."""
_LONGEST_TOKEN: Final = 16
"""Characters that a word or an escape may need to be known: an error nearer to a window's end is none yet."""


def decode_at(text: str, start: int) -> tuple[Any, int]:
    """Read the JSON object, list or text that begins at `start`; return it and where it ends.

    Raises `Unreadable`. The text is read in growing windows: the standard library counts the lines before an
    error, and a reply may hold thousands of errors.
    """
    size = _WINDOW
    while True:
        window = text[start : start + size]
        try:
            value, length = decode_first(window)
        except Unreadable as error:
            if error.at + _LONGEST_TOKEN < size or start + size >= len(text):
                raise
            if size == _WINDOW and closing(window, 0) == DEEP:
                raise TooDeep from None  # before it is read again
        else:
            return value, start + length
        size *= 8


def closing(text: str, start: int, depth: int = MAX_DEPTH, stop: int = sys.maxsize) -> int:
    """The place after the bracket that closes the one at `start`, or `OPEN`, or `DEEP`; `stop` is taken for the end.

    Brackets inside double-quoted strings do not count. Which bracket closes which is not judged here.
    """
    inside = 0
    for piece in _PIECE.finditer(text, start, stop):
        mark = piece[0]
        if mark in "{[":
            inside += 1
            if inside > depth:
                return DEEP
        elif mark in "}]":
            inside -= 1
            if inside <= 0:
                return piece.end()
    return OPEN


def too_deep(text: str, limit: int) -> bool:
    """Whether more than `limit` brackets of a JSON text stand inside each other."""
    if text.count("{") + text.count("[") <= limit:
        return False
    return closing(text, 0, limit) == DEEP


def cut_off(text: str) -> bool:
    """Whether an object or list that begins the text is still open at its end."""
    text = text.strip(SPACE)
    return text[:1] in {"{", "["} and closing(text, 0) == OPEN
