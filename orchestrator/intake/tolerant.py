"""A tolerant reader of objects that a model wrote by hand: text in, a value and its end out, or `Unreadable`.

It takes single-quoted strings, bare keys, one trailing comma, Python's True, False and None, and line breaks
inside strings: each can be read in one way only. It reads token by token and never rewrites the text, so that
a URL, a `word:` or a closing tag inside a string stay what they are. Anything else is refused, not repaired.
"""

from __future__ import annotations

import re
from json import JSONDecodeError, JSONDecoder
from typing import Any, Final

from orchestrator.intake.strict import MAX_DEPTH, Unreadable, marked

_SPACE: Final = re.compile(r"[ \t\n\r]*+")
_KEY: Final = re.compile(r"[A-Za-z_$][A-Za-z0-9_$-]*+")
_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]{0,999}+)(\.[0-9]++)?([eE][+-]?[0-9]++)?")
_DOUBLE: Final = re.compile(r'"([^"\\]*+(?:\\.[^"\\]*+)*+)"', re.DOTALL)
_SINGLE: Final = re.compile(r"'([^'\\]*+(?:\\.[^'\\]*+)*+)'", re.DOTALL)
_INNER: Final = re.compile(r'\\.|"', re.DOTALL)
_LINES_ALLOWED: Final = JSONDecoder(strict=False)
_WORDS: Final = {"true": True, "True": True, "false": False, "False": False, "null": None, "None": None}


def read_object(text: str, start: int) -> tuple[dict[str, Any], int]:
    """Read the object whose `{` stands at `start`; return it and where it ends, or raise `Unreadable`."""
    reader = _Reader(text, start)
    value = reader.object(MAX_DEPTH)
    return value, reader.at


class _Reader:
    """One pass over one text; `at` is always the next character that nobody has read."""

    __slots__ = ("at", "start", "text")

    def __init__(self, text: str, start: int) -> None:
        self.text = text
        self.start = start
        self.at = start

    def object(self, room: int) -> dict[str, Any]:
        self._enter(room)
        found: dict[str, Any] = {}
        twice: set[str] = set()
        while self._next() != "}":
            key = self._key()
            self._expect(":")
            value = self._value(room - 1)
            if key in found:
                twice.add(key)
            found[key] = value
            if self._after_item("}"):
                break
        self.at += 1
        return marked(found, twice) if twice else found

    def _array(self, room: int) -> list[Any]:
        self._enter(room)
        found: list[Any] = []
        while self._next() != "]":
            found.append(self._value(room - 1))
            if self._after_item("]"):
                break
        self.at += 1
        return found

    def _enter(self, room: int) -> None:
        if room <= 0:
            raise Unreadable(f"it is nested more than {MAX_DEPTH} levels deep")
        self.at += 1

    def _next(self) -> str:
        """Step over whitespace and show the character there, "" at the end of the text."""
        match = _SPACE.match(self.text, self.at)
        self.at = match.end() if match else self.at
        return self.text[self.at : self.at + 1]

    def _expect(self, mark: str) -> None:
        if self._next() != mark:
            raise self._wrong(f"a {mark!r} is wanted")
        self.at += 1

    def _after_item(self, close: str) -> bool:
        """Whether the closing bracket stands here; a comma, also one right before it, is stepped over."""
        mark = self._next()
        if mark == close:
            return True
        if mark != ",":
            raise self._wrong(f"a ',' or {close!r} is wanted")
        self.at += 1
        return False

    def _key(self) -> str:
        if self._next() in {'"', "'"}:
            return self._string()
        match = _KEY.match(self.text, self.at)
        if not match:
            raise self._wrong("a key is wanted")
        self.at = match.end()
        return match[0]

    def _value(self, room: int) -> Any:
        mark = self._next()
        if mark == "{":
            return self.object(room)
        if mark == "[":
            return self._array(room)
        return self._string() if mark in {'"', "'"} else self._scalar()

    def _scalar(self) -> Any:
        word = _KEY.match(self.text, self.at)
        if word and word[0] in _WORDS:
            self.at = word.end()
            return _WORDS[word[0]]
        number = _NUMBER.match(self.text, self.at)
        if not number:
            raise self._wrong("a value is wanted")
        self.at = number.end()
        return float(number[0]) if number[1] or number[2] else int(number[0])

    def _string(self) -> str:
        double = self.text[self.at] == '"'
        match = (_DOUBLE if double else _SINGLE).match(self.text, self.at)
        if not match:
            raise Unreadable("a text in quotes is not closed", truncated=True)
        self.at = match.end()
        inner = match[1] if double else _INNER.sub(_as_in_double_quotes, match[1])
        try:
            value: str = _LINES_ALLOWED.decode(f'"{inner}"')
        except JSONDecodeError:
            raise Unreadable("a text in quotes is escaped wrongly") from None
        return value

    def _wrong(self, wanted: str) -> Unreadable:
        cut = self.at >= len(self.text)
        return Unreadable(f"{wanted} at character {self.at - self.start}", truncated=cut)


def _as_in_double_quotes(piece: re.Match[str]) -> str:
    r"""`\'` loses its backslash and `"` gets one: the same characters, quoted the other way."""
    return {"\\'": "'", '"': '\\"'}.get(piece[0], piece[0])
