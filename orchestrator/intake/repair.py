r"""A tolerant reader of JSON that a model wrote by hand: text in, a value and what was mended out, or `Unreadable`.

It takes single-quoted strings, bare keys, one trailing comma, Python's True, False and None, comments, line breaks
inside strings, `\_` inside a word and `\'`: each can be read in one way only. It reads token by token and never
rewrites the text, so that a URL, a `word:` or a closing tag inside a string stay what they are. Anything else is
refused, not repaired: a value that is cut off, words that no JSON knows, NaN, expressions. Linear time.
"""

from __future__ import annotations

import re
from json import JSONDecodeError, JSONDecoder
from typing import Any, Final

from actions.strict_json import MAX_DEPTH, SPACE, TooDeep, Unreadable, marked

MAX_TEXT: Final = 64 * 1024
"""Characters of one value that is repaired; longer ones are read strictly or not at all."""

QUOTES: Final = "single quotes"
KEYS: Final = "keys without quotes"
COMMA: Final = "trailing comma"
LITERALS: Final = "Python literals"
COMMENTS: Final = "comments"
BREAKS: Final = "line breaks or tabs in a text"
ESCAPES: Final = "wrong escapes"
FENCE: Final = "code fence"
MISSING: Final = "missing last bracket"
SURPLUS: Final = "surplus closing bracket"

_SPACE: Final = re.compile(r"[ \t\n\r]*+")
# No comment of a call is long: bounded, for it is looked for again wherever a value may begin.
_BLOCK: Final = r"/\*[^*]{0,1000}+(?:\*(?!/)[^*]{0,100}+){0,20}+\*/"
_COMMENT: Final = re.compile(rf"(?:[ \t\n\r]*+(?:(?://|\#)[^\n]{{0,1000}}+(?=\n|\Z)|{_BLOCK}))++[ \t\n\r]*+")
_KEY: Final = re.compile(r"[A-Za-z_$][A-Za-z0-9_$-]*+")
_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]{0,999}+)(\.[0-9]++)?([eE][+-]?[0-9]++)?(?![\w.])")
_DOUBLE: Final = re.compile(r'"([^"\\]*+(?:\\.[^"\\]*+)*+)"', re.DOTALL)
_SINGLE: Final = re.compile(r"'([^'\\]*+(?:\\.[^'\\]*+)*+)'", re.DOTALL)
_INNER: Final = re.compile(r'\\.|"', re.DOTALL)
_WRONG_ESCAPE: Final = re.compile(r"\\(?:((?<=\w\\)_(?=\w)|')|.)", re.DOTALL)
_CONTROL: Final = re.compile(r"[\x00-\x1f]")
_FENCED: Final = re.compile(r"\s*+```\w{0,30}+\s*+(?=[\[{])")
_FENCE_END: Final = re.compile(r"\s*+```\s*+\Z")
_TOO_MANY: Final = re.compile(r"[\s}\]]*+\Z")
_LINES_ALLOWED: Final = JSONDecoder(strict=False)
_WORDS: Final = {"true": True, "false": False, "null": None}
_PYTHON: Final = {"True": True, "False": False, "None": None}


def repair(text: str, *, ended: bool = False) -> tuple[Any, tuple[str, ...]]:
    """Read a text that is one object or list, perhaps fenced; return it and what was mended.

    Args:
        text: the text, to its last character.
        ended: whether something after the text says that it is whole, such as an end tag. Only then may one last
            bracket be missing.

    Raises:
        Unreadable: it can be read in no way, or in more than one.
    """
    text = text.strip(SPACE)
    fence = _FENCED.match(text)
    start = fence.end() if fence else 0
    value, end, what = read_value(text, start, ended=ended)
    told = [*what]
    if fence:
        told.insert(0, FENCE)
        close = _FENCE_END.match(text, end)
        end = close.end() if close else end
    if end != len(text):
        if not _TOO_MANY.match(text, end):
            raise Unreadable(f"there is more text after the JSON value, from character {end}")
        told.append(SURPLUS)
    return value, tuple(told)


def read_value(text: str, start: int, *, ended: bool = False) -> tuple[Any, int, tuple[str, ...]]:
    """Read the object or list that begins at `start`; return it, where it ends, and what was mended.

    With `ended`, the text's end is the value's end, and one bracket may be missing there. Raises `Unreadable`.
    """
    window = text[start : start + MAX_TEXT]
    cut = start + MAX_TEXT < len(text)
    reader = _Reader(window, ended=ended and not cut)
    try:
        value = reader.value(MAX_DEPTH)
    except Unreadable as error:
        if cut and error.truncated:
            raise Unreadable(f"it is longer than {MAX_TEXT} characters and no strict JSON") from None
        raise
    if not isinstance(value, dict | list):
        raise Unreadable("an object is wanted")
    return value, start + reader.at, tuple(dict.fromkeys(reader.told))


def read_object(text: str, start: int) -> tuple[dict[str, Any], int, tuple[str, ...]]:
    """Read the object whose `{` stands at `start`, as `read_value` does."""
    if not text.startswith("{", start):
        raise Unreadable("an object is wanted")
    return read_value(text, start)


class _Reader:
    """One pass over one text; `at` is always the next character that nobody has read."""

    __slots__ = ("at", "ended", "text", "told")

    def __init__(self, text: str, *, ended: bool) -> None:
        self.text = text
        self.at = 0
        self.ended = ended
        self.told: list[str] = []

    def value(self, room: int) -> Any:
        mark = self._next()
        if mark == "{":
            return self._object(room)
        if mark == "[":
            return self._array(room)
        return self._string() if mark in {'"', "'"} else self._scalar()

    def _object(self, room: int) -> dict[str, Any]:
        self._enter(room)
        found: dict[str, Any] = {}
        twice: set[str] = set()
        while self._next() != "}":
            key = self._key()
            self._expect(":")
            value = self.value(room - 1)
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
            found.append(self.value(room - 1))
            if self._after_item("]"):
                break
        self.at += 1
        return found

    def _enter(self, room: int) -> None:
        if room <= 0:
            raise TooDeep
        self.at += 1

    def _next(self) -> str:
        """Step over whitespace and comments and show the character there, "" at the end of the text."""
        match = _SPACE.match(self.text, self.at)
        self.at = match.end() if match else self.at
        mark = self.text[self.at : self.at + 1]
        if mark in {"/", "#"} and mark and (comment := _COMMENT.match(self.text, self.at)):
            self.at = comment.end()
            self.told.append(COMMENTS)
            return self.text[self.at : self.at + 1]
        return mark

    def _expect(self, mark: str) -> None:
        if self._next() != mark:
            raise self._wrong(f"a {mark!r} is wanted")
        self.at += 1

    def _after_item(self, close: str) -> bool:
        """Whether the closing bracket stands here; a comma, also one right before it, is stepped over."""
        mark = self._next()
        if mark == close:
            return True
        if not mark and self.ended:
            self.ended = False  # one, and no more
            self.told.append(MISSING)
            self.at -= 1
            return True
        if mark != ",":
            raise self._wrong(f"a ',' or {close!r} is wanted")
        self.at += 1
        if self._next() == close:
            self.told.append(COMMA)
        return False

    def _key(self) -> str:
        if self._next() in {'"', "'"}:
            return self._string()
        match = _KEY.match(self.text, self.at)
        if not match:
            raise self._wrong("a key is wanted")
        self.at = match.end()
        self.told.append(KEYS)
        return match[0]

    def _scalar(self) -> Any:
        word = _KEY.match(self.text, self.at)
        if word and word[0] in _WORDS:
            self.at = word.end()
            return _WORDS[word[0]]
        if word and word[0] in _PYTHON:
            self.at = word.end()
            self.told.append(LITERALS)
            return _PYTHON[word[0]]
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
        inner = match[1]
        if not double:
            self.told.append(QUOTES)
            inner = _INNER.sub(_as_in_double_quotes, inner)
        if "\\" in inner and (mended := _WRONG_ESCAPE.sub(_unescaped, inner)) != inner:
            self.told.append(ESCAPES)
            inner = mended
        if _CONTROL.search(inner):
            self.told.append(BREAKS)
        try:
            value: str = _LINES_ALLOWED.decode(f'"{inner}"')
        except JSONDecodeError:
            raise Unreadable("a text in quotes is escaped wrongly") from None
        return value

    def _wrong(self, wanted: str) -> Unreadable:
        return Unreadable(f"{wanted} at character {self.at}", truncated=self.at >= len(self.text))


def _as_in_double_quotes(piece: re.Match[str]) -> str:
    r"""`\'` loses its backslash and `"` gets one: the same characters, quoted the other way."""
    return {"\\'": "'", '"': '\\"'}.get(piece[0], piece[0])


def _unescaped(piece: re.Match[str]) -> str:
    r"""`\'`, and `\_` inside a word, as Markdown writes it; elsewhere a backslash may be meant, as in a path."""
    return piece[1] or piece[0]
