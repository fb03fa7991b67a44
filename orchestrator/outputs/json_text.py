"""The JSON in a model's text: a text in, its one value and what was mended out, or `NoJson`.

Strict JSON first, then a code fence, prose around it, and the defects that `intake.repair` mends. Missing last brackets
are mended as well, as many as there are, when what is there ends behind a whole text, list, object or word: a number
could go on. Of a broken value no inner part is taken, and of several different ones none. The time is linear.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal

from actions import strict_json
from actions.strict_json import SPACE, Unreadable
from orchestrator.intake import repair, strict
from orchestrator.outputs.unfit import NoJson

Wanted = Literal["object", "list", "any"]
"""Which values count."""

MAX_TEXT: Final = 1024 * 1024
"""Characters of a text that is looked at."""
MOST_OPENINGS: Final = 256
"""Places of a text where a value may begin that are looked at."""
PROSE: Final = "text around it"
BRACKETS: Final = "missing last brackets"
LISTED: Final = "a list around it"
DOUBLY: Final = "JSON inside a text"

_LIKELY: Final = re.compile(r"""\{\s*+(?:["']|[A-Za-z_$][\w$-]*+\s*+:)|\[\s*+["'{\[0-9-]""")
_CITED: Final = re.compile(r"\[\s*+[0-9-]")
_FENCED: Final = re.compile(r"```[A-Za-z0-9]{0,20}+\s*+(?=[\[{])")
_FENCE_END: Final = re.compile(r"\s*+```")
_PIECE: Final = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)|[\[\]{}]', re.DOTALL)
_BEHIND: Final = re.compile(r"(?:\s*+[}\]])*+")
_GOES_ON: Final = re.compile(r"""\s*+(?::|,\s*+["'])""")
_WHOLE_END: Final = re.compile(r"""(?:["'}\]]|(?<![\w-])(?:true|false|null|True|False|None))\Z""")
_CLOSES: Final = {"{": "}", "[": "]"}


@dataclass(frozen=True, slots=True)
class ReadJson:
    """A value, and what it took to read it."""

    value: Any
    """What the text holds."""
    mended: tuple[str, ...] = ()
    """What was mended, in words; empty for a text that is strict JSON."""


@dataclass(frozen=True, slots=True)
class _Found:
    """A value somewhere in a text."""

    value: Any
    start: int
    end: int
    mended: tuple[str, ...]


def read_json(text: str, wanted: Wanted = "any") -> ReadJson:
    """Return the JSON value of a text.

    Args:
        text: what a model wrote.
        wanted: whether only an object will do, only a list, or either; a text that is strict JSON altogether may also
            be a single value, with "any".

    Raises:
        NoJson: it holds none, several different ones, or one that can be read in more than one way.
    """
    if len(text) > MAX_TEXT:
        raise NoJson(f"the text is longer than {MAX_TEXT} characters")
    try:
        value = _sound(strict_json.decode(text))
    except Unreadable:
        return _searched(text, wanted)
    if wanted == "any" or _is(value, wanted):
        return ReadJson(value)
    if isinstance(value, str):
        inner = read_json(value, wanted)
        return ReadJson(inner.value, (DOUBLY, *inner.mended))
    if (fitting := _fitting(_Found(value, 0, len(text), ()), wanted)) is None:
        raise NoJson(f"the text holds no {wanted}")
    return ReadJson(fitting.value, fitting.mended)


def _searched(text: str, wanted: Wanted) -> ReadJson:
    """The one value in a text that is more than its value: what stands in fences goes before what stands elsewhere."""
    try:
        fenced = [fit for found in _in_fences(text) if (fit := _fitting(found, wanted)) is not None]
        found = fenced or [fit for each in _in_prose(text) if (fit := _fitting(each, wanted)) is not None]
    except Unreadable as error:
        raise NoJson(str(error)) from None
    if not found:
        raise NoJson(f"there is no JSON {'value' if wanted == 'any' else wanted} in the text")
    first = found[0]
    if any(each.value != first.value for each in found[1:]):
        raise NoJson(f"there are {len(found)} different JSON values in the text")
    around = text[: first.start].strip(SPACE) or text[first.end :].strip(SPACE)
    form = (repair.FENCE,) if fenced else (PROSE,) if around else ()
    return ReadJson(first.value, tuple(dict.fromkeys((*form, *first.mended))))


def _in_fences(text: str) -> Iterator[_Found]:
    at = 0
    for number, fence in enumerate(_FENCED.finditer(text)):
        _check_count(number)
        if fence.start() >= at:
            found = _read(text, fence.end(), fenced=True)
            yield found
            close = _FENCE_END.match(text, found.end)
            at = close.end() if close else found.end


def _in_prose(text: str) -> Iterator[_Found]:
    at = 0
    number = 0
    while (opening := _LIKELY.search(text, at)) is not None:
        _check_count(number := number + 1)
        at = opening.start()
        try:
            found = _read(text, at)
        except Unreadable:
            end = strict.closing(text, at)
            if end < 0 or not _CITED.match(text, at):
                raise
            at = end
            continue
        yield found
        at = found.end


def _check_count(number: int) -> None:
    if number > MOST_OPENINGS:
        raise NoJson(f"there are more than {MOST_OPENINGS} places in the text where a value may begin")


def _read(text: str, start: int, *, fenced: bool = False) -> _Found:
    """The value that begins here; its last brackets may be missing where its text or fence ends.

    Raises `Unreadable`, or `NoJson` for a value that means nothing certain.
    """
    try:
        value, end = strict.decode_at(text, start)
        what: tuple[str, ...] = ()
    except Unreadable:
        try:
            value, end, what = repair.read_value(text, start)
        except Unreadable as error:
            if not (error.truncated or fenced):
                raise
            end = _stop(text, start) if fenced else len(text)
            value, what = _closed(text[start:end].rstrip(), error)
    value = _sound(value)
    behind = _BEHIND.match(text, end)
    more = behind.end() if behind else end
    if _GOES_ON.match(text, more):
        raise Unreadable(f"it goes on behind its last bracket, from character {more}")
    return _Found(value, start, more, (*what, repair.SURPLUS) if more > end else what)


def _stop(text: str, start: int) -> int:
    stop = text.find("\n```", start)
    return len(text) if stop < 0 else stop


def _closed(text: str, why: Unreadable) -> tuple[Any, tuple[str, ...]]:
    """The value of a text whose last brackets are missing; raise `why` if what is there is not whole."""
    text = text.removesuffix("```").rstrip()
    opened: list[str] = []
    for piece in _PIECE.finditer(text):
        mark = piece[0]
        if mark in _CLOSES:
            opened.append(_CLOSES[mark])
        elif mark in {"}", "]"} and (not opened or opened.pop() != mark):
            raise why
    if not opened or len(opened) > strict_json.MAX_DEPTH or not _WHOLE_END.search(text[-16:]):
        raise why
    text += "".join(reversed(opened))
    word = repair.MISSING if len(opened) == 1 else BRACKETS
    try:
        return strict_json.decode(text), (word,)
    except Unreadable:
        try:
            value, what = repair.repair(text)
        except Unreadable:
            raise why from None
        return value, (*what, word)


def _sound(value: Any) -> Any:
    """The value; raise NoJson for what is read without a fault and still means nothing certain."""
    if (flaw := strict_json.flaw(value)) is not None:
        raise NoJson(flaw)
    return value


def _is(value: Any, wanted: Wanted) -> bool:
    return isinstance(value, {"object": dict, "list": list}.get(wanted, dict | list))


def _fitting(found: _Found, wanted: Wanted) -> _Found | None:
    """What was found, if it is wanted, or the one object of a list where an object is."""
    if _is(found.value, wanted):
        return found
    if (
        wanted == "object"
        and isinstance(found.value, list)
        and len(found.value) == 1
        and _is(found.value[0], wanted)
    ):
        return _Found(found.value[0], found.start, found.end, (*found.mended, LISTED))
    return None
