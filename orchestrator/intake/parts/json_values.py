"""JSON in a text: where objects and lists that may ask for actions begin, and what stands there.

In: an opening, or a text and a place. Out: the value with what was mended, or the error. Two dialects begin alike; what
the first of them read stays with the opening for the second.
"""

from __future__ import annotations

import re
from typing import Any, Final

from actions.strict_json import TooDeep, Unreadable
from orchestrator.intake.parts.places import starts_line
from orchestrator.intake.parts.python_calls import NAME
from orchestrator.intake.parts.taken import Opening, Reading
from orchestrator.intake.repair import MAX_TEXT, read_value, repair
from orchestrator.intake.strict import decode_at

_LANGUAGE: Final = (
    r"(?:json\w{0,2}|JSON|tool_calls?|tool_use|tool_code|tool|function_calls?|action"
    r"|te?xt|plaintext|plain|python3?|py)?"
)
_VALUE: Final = rf"(?:\{{|\[\s*+(?:\{{|[\"']{NAME}\())"
OPENING: Final = (
    rf"```{_LANGUAGE}(?!\w)\s*+(?://[^\n]*+\n\s*+)?(?={_VALUE})"
    rf"|(?<!`)(?:\[\s*+)?\{{\s*+(?:[\"']|(?:name|function|tool|action|arguments|parameters)s?\s*+:)"
    rf"|(?<!`)\[\s*+[\"']{NAME}\("
)
"""Where such a value may begin, perhaps with its fence."""
FIRST: Final = "`{["
"""What `OPENING` begins with."""

_START: Final = re.compile(r"(?:```(\w*+)\s*+(?://[^\n]*+\n\s*+)?)?([\[{])")


def reading(opening: Opening) -> Reading | None:
    """Read what stands at an opening, once for all dialects; None if that is no bracket."""
    if opening.json is None:
        opening.json = _read(opening.text, opening.at, fresh=opening.fresh)
    return opening.json


def _read(text: str, at: int, *, fresh: bool) -> Reading | None:
    head = _START.match(text, at)
    if head is None:
        return None
    start = head.start(2)
    language = None if head[1] is None else head[1].lower()
    own = fresh or language is not None or starts_line(text, at)
    try:
        value, end, mended = read_at(text, start, tolerant=own)
    except Unreadable as error:
        if language is None or (saved := _in_fence(text, start)) is None:
            return Reading(start, language, own, error=error)
        value, end, mended = saved
    return Reading(start, language, own, value, end, mended)


def read_at(text: str, start: int, *, tolerant: bool) -> tuple[Any, int, tuple[str, ...]]:
    """Read the object or list at `start`, strictly if that goes; return it, its end and what was mended."""
    try:
        return *decode_at(text, start), ()
    except Unreadable as error:
        if not tolerant or isinstance(error, TooDeep):
            raise
        return read_value(text, start)


def _in_fence(text: str, start: int) -> tuple[Any, int, tuple[str, ...]] | None:
    """Read what stands before the end of the fence, which shows that it is whole."""
    end = text.find("```", start, start + MAX_TEXT)
    if end < 0:
        return None
    try:
        value, mended = repair(text[start:end], ended=True)
    except Unreadable:
        return None
    return value, end, mended
