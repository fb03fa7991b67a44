"""The brackets and quotes of JSON that comes in pieces: text in, how deep it is out.

Cut anywhere, also between a backslash and what it escapes. It is a count, no reading: a quote outside of JSON, as an
apostrophe's cousin in prose, sets it off.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

_MARK: Final = re.compile(r'\\(?:.|\Z)|["{}\[\]]', re.DOTALL)


class Brackets:
    """Counts what is open."""

    __slots__ = ("_escaping", "depth", "quoted")

    def __init__(self) -> None:
        """Begin before the text."""
        self.depth = 0
        """Brackets that are open."""
        self.quoted = False
        """Whether a quote is open."""
        self._escaping = False

    @property
    def open(self) -> bool:
        """Whether a bracket or quote is open."""
        return self.depth > 0 or self.quoted

    def marks(self, piece: str) -> Iterator[re.Match[str]]:
        """Take the next piece; each quote and each bracket outside of quotes comes out as soon as it is counted."""
        start = 1 if self._escaping and piece else 0
        self._escaping = self._escaping and not piece
        for found in _MARK.finditer(piece, start):
            sign = found[0]
            if sign == '"':
                self.quoted = not self.quoted
            elif sign[0] == "\\":
                self._escaping = len(sign) == 1
                continue
            elif self.quoted:
                continue
            else:
                self.depth += 1 if sign in "{[" else -1
            yield found

    def count(self, piece: str) -> None:
        """Take the next piece."""
        for _ in self.marks(piece):
            pass
