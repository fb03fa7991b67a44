"""Eliza's JSON: `{"user": ..., "text": ..., "action": NAME}` as the body, fenced, or embedded in prose.

Which objects ask for actions stands in `intake.objects`. The visible text is the object's own where it has
one. An object that never closes is a truncated call if it asks for an action; nothing is read inside it.
"""

from __future__ import annotations

import re
from typing import Any, Final

from orchestrator.intake import tolerant
from orchestrator.intake.calls import MAX_NAME, broken
from orchestrator.intake.draft import Draft
from orchestrator.intake.formats.body import BodyFormat
from orchestrator.intake.objects import calls_in, text_in
from orchestrator.intake.prose import ProseFormat, Taken
from orchestrator.intake.strict import DEEP, OPEN, Unreadable, closing, decode_at

_OPENING: Final = r"""```(?:json|JSON)?\s*+(?=\{|\[\s*+\{)|(?<!`)(?:\[\s*+)?\{\s*+["']"""
_START: Final = re.compile(r"(?:```(?:json|JSON)?\s*+)?([\[{])")
_FENCE_END: Final = re.compile(r"\s*+```")
_BLANK: Final = re.compile(r"\s*+\Z")
_ASKS: Final = re.compile(r"""["']actions?["']\s*+:\s*+(?:["']([^"'\\]{1,%d})["'])?""" % MAX_NAME)  # noqa: UP031 - braces


def take(text: str, at: int, fresh: bool) -> Taken | None:  # noqa: FBT001 - the face of a prose format
    """Read the object or list at `at`."""
    head = _START.match(text, at)
    if head is None:
        return None
    start, fenced = head.start(1), text.startswith("```", at)
    try:
        value, end = _read(text, start, strictly=not (fenced or fresh))
    except Unreadable as error:
        return _unreadable(text, start, error)
    after = _FENCE_END.match(text, end) if fenced else _BLANK.match(text, end) if fresh else None
    calls = calls_in(value, alone=after is not None)
    if calls is None:
        return Taken(after.end() if after else end, shown=True)
    own = text_in(value)
    return Taken(after.end() if after else end, calls, own)


def _read(text: str, start: int, *, strictly: bool) -> tuple[Any, int]:
    try:
        return decode_at(text, start)
    except Unreadable:
        if strictly or text[start] != "{":
            raise
        return tolerant.read_object(text, start)


def _unreadable(text: str, start: int, error: Unreadable) -> Taken | None:
    """What cannot be read is passed over as a whole; if it asks for an action it is a malformed call."""
    end = closing(text, start)
    lost = end in (OPEN, DEEP)
    asks = _ASKS.search(text, start, len(text) if lost else end)
    if asks is None:
        return Taken(start + 1 if lost else end, last=lost, shown=True)
    if end == OPEN:
        one = broken(
            asks[1] or "", f"its object is cut off ({error})", truncated=True, raw=text[start : start + 4096]
        )
    else:
        one = broken(asks[1] or "", f"its object cannot be read ({error})", raw=text[start : start + 4096])
    return Taken(len(text) if lost else end, (one,), last=lost)


def _matches(body: dict[str, Any]) -> bool:
    calls = calls_in(body, alone=True)
    if calls is None:
        return "user" in body and text_in(body) is not None
    return bool(calls) or text_in(body) is not None


def _read_body(body: dict[str, Any] | list[Any]) -> Draft:
    return Draft(text=text_in(body) or "", calls=calls_in(body, alone=True) or [])


PROSE: Final = ProseFormat(name="eliza.json", opening=_OPENING, first=r"`{\[", take=take)
BODY: Final = BodyFormat(name="eliza.json", matches=_matches, read=_read_body, continues=False)
