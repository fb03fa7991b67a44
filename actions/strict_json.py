"""Strict JSON: text in, a value or `Unreadable` out, and never half of what was written.

Beyond the standard library's reader it sees what would be a guess to run: a key that stands twice, NaN,
numbers that no float holds, half surrogate pairs, nesting without end. Its time is linear in the text's size.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from math import isfinite
from typing import Any, Final, TypeGuard

MAX_DEPTH: Final = 64
"""Objects and lists inside each other in the arguments of one call."""

SPACE: Final = " \t\n\r"
"""What RFC 8259 calls whitespace."""

_WORDS: Final = {
    "Expecting value": "a value is wanted at character",
    "Expecting property name enclosed in double quotes": "a key in double quotes is wanted at character",
    "Expecting ':' delimiter": "a ':' is wanted at character",
    "Expecting ',' delimiter": "a ',' or a closing bracket is wanted at character",
    "Unterminated string starting at": "a text in quotes is not closed from character",
    "Invalid control character at": "a line break or tab in a text needs its backslash at character",
    "Invalid \\escape": "a text in quotes is escaped wrongly at character",
    "Invalid \\uXXXX escape": "a text in quotes is escaped wrongly at character",
}
"""What the standard library says, in the words of all our errors: models read them."""
_OTHERWISE: Final = "it is no JSON from character"
_OPEN_TEXT: Final = "Unterminated string starting at"


class Unreadable(ValueError):
    """What was written cannot be read; the text says why, in words for the model."""

    def __init__(self, message: str, *, truncated: bool = False, at: int = -1) -> None:
        super().__init__(message)
        self.truncated = truncated
        """Whether the text ends before its value does."""
        self.at = at
        """The character that could not be read, from 0; -1 where no single one is to blame."""


class TooDeep(Unreadable):
    """It is nested so deep that nothing is to be read in another way either."""

    def __init__(self) -> None:
        super().__init__(f"it is nested more than {MAX_DEPTH} levels deep")


class Repeated(dict[str, Any]):
    """An object in which keys stand twice: nobody knows which value was meant."""

    twice: frozenset[str] = frozenset()
    """The keys in question."""


def is_object(value: Any) -> TypeGuard[dict[str, Any]]:
    """Whether it is a JSON object; that its keys are texts is for `flaw` to see."""
    return isinstance(value, dict)


def is_list(value: Any) -> TypeGuard[list[Any]]:
    """Whether it is a JSON list."""
    return isinstance(value, list)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    return made if len(made) == len(pairs) else _repeated(made, pairs)


def marked(value: dict[str, Any], twice: Iterable[str]) -> Repeated:
    """Copy an object, marked as one in which these keys stood twice."""
    found = Repeated(value)
    found.twice = frozenset(twice)
    return found


def _repeated(made: dict[str, Any], pairs: list[tuple[str, Any]]) -> Repeated:
    times = Counter(key for key, _ in pairs)
    return marked(made, {key for key, count in times.items() if count > 1})


_decoder: Final = json.JSONDecoder(object_pairs_hook=_object)


def decode(text: str) -> Any:
    """Read a text that is one JSON value and nothing else; raise `Unreadable` otherwise."""
    if not text.startswith("{") or not text.endswith("}"):
        text = text.strip(SPACE)
    value, end = decode_first(text)
    if end != len(text):
        raise Unreadable(f"there is more text after the JSON value, from character {end}")
    return value


def decode_first(text: str) -> tuple[Any, int]:
    """Read the JSON value that begins a text; return it and where it ends, or raise `Unreadable`."""
    try:
        return _decoder.raw_decode(text)
    except json.JSONDecodeError as error:
        at = len(text) if error.msg == _OPEN_TEXT else error.pos
        why = f"{_WORDS.get(error.msg.partition(': ')[0], _OTHERWISE)} {error.pos}"
    except RecursionError:
        raise TooDeep from None
    except ValueError:  # an integer of more digits than Python converts
        raise Unreadable("a number in it has thousands of digits") from None
    raise Unreadable(why, truncated=at >= len(text), at=at)


def flaw(value: Any, room: int = MAX_DEPTH) -> str | None:
    """Say what keeps a value from being plain, unambiguous JSON; None if nothing does."""
    kind = type(value)
    if kind is dict and room > 0:
        return _flaw_in(value, room)
    if kind is bool or kind is int or value is None:
        return None
    if kind is str:
        return None if value.isascii() or encodes(value) else "half a surrogate pair stands in a text"
    if kind is float:
        return None if isfinite(value) else "a number is not finite or too large"
    return _flaw_inside(value, room)


def _flaw_inside(value: Any, room: int) -> str | None:
    if isinstance(value, Repeated):
        return f"the key {min(value.twice)[:80]!r} stands twice in one object"
    if type(value) is not dict and type(value) is not list:
        return f"a {type(value).__name__} is no JSON value"
    if room <= 0:
        return f"it is nested more than {MAX_DEPTH} levels deep"
    return next((problem for item in value if (problem := flaw(item, room - 1))), None)


def _flaw_in(value: dict[Any, Any], room: int) -> str | None:
    for key, item in value.items():
        if type(key) is not str:
            return "a key is not a text"
        if not (key.isascii() or encodes(key)):
            return "half a surrogate pair stands in a key"
        if type(item) is str and item.isascii():
            continue
        if problem := flaw(item, room - 1):
            return problem
    return None


def encodes(text: str) -> bool:
    """Whether the text has a UTF-8 form, that is, no half of a surrogate pair."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def clean(text: str) -> str:
    """The text with half surrogate pairs replaced by U+FFFD, so that it can be stored and sent."""
    if text.isascii() or encodes(text):
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
