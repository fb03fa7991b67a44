"""Coach tags: `[ACTION:NAME]{json}[/ACTION]` anywhere in a text, as many as the model likes.

The body is JSON, or what `repair` can read in one way only; nothing at all means `{}`. The name is taken as
written. A tag whose end is missing is a truncated call, whatever its body says.
"""

from __future__ import annotations

import re
from typing import Any, Final

from actions.messages import MAX_RAW, Call
from actions.strict_json import Unreadable
from orchestrator.intake.calls import MAX_NAME, broken, call
from orchestrator.intake.dialects.face import Dialect
from orchestrator.intake.parts.taken import Opening, Taken
from orchestrator.intake.repair import read_object
from orchestrator.intake.strict import cut_off, decode_at

_NAME: Final = re.compile(rf"\[ACTION:([^\[\]\r\n]{{1,{MAX_NAME}}}+)\]\s*+")
_CUT_NAME: Final = re.compile(rf"\[ACTION:([^\[\]\r\n]{{0,{MAX_NAME}}}+)\Z")
_MARK: Final = re.compile(r"\[(?:(/ACTION)\]|ACTION:)")
_CLOSE: Final = re.compile(r"\s*+\[/ACTION\]")


def take(opening: Opening) -> Taken | None:
    """Read the tag that begins here."""
    text, at = opening.text, opening.at
    head = _NAME.match(text, at)
    if head is None:
        return _cut_name(text, at)
    name, body = head[1].strip(), head.end()
    if close := _CLOSE.match(text, body):
        return Taken(close.end(), (call(name, {}, raw=""),))
    try:
        value, end, mended = _read(text, body)
    except Unreadable as error:
        return _unreadable(text, name, body, error)
    if close := _CLOSE.match(text, end):
        raw = text[body : min(end, body + MAX_RAW + 1)]
        return Taken(close.end(), (call(name, value, raw=raw, repaired=mended),))
    return _unclosed(text, name, body, end)


def _read(text: str, body: int) -> tuple[dict[str, Any], int, tuple[str, ...]]:
    """Read the object that begins the body, strictly if that goes; return what was mended too."""
    if not text.startswith("{", body):
        raise Unreadable("an object is wanted between the tags")
    try:
        return *decode_at(text, body), ()
    except Unreadable:
        return read_object(text, body)


def _unreadable(text: str, name: str, body: int, error: Unreadable) -> Taken:
    """The body is no object; it ends where the next tag of ours stands."""
    mark = _MARK.search(text, body)
    if mark is None or not mark[1]:
        here = text.startswith("{", body)
        end = (mark.start() if mark else len(text)) if here else body
        return Taken(end, (_no_end(name, text[body : min(end, body + MAX_RAW + 1)]),))
    inner = text[body : mark.start()]
    if error.truncated or cut_off(inner):
        return Taken(
            mark.end(), (broken(name, f"its arguments are cut off ({error})", truncated=True, raw=inner),)
        )
    return Taken(mark.end(), (broken(name, f"its arguments cannot be read ({error})", raw=inner),))


def _unclosed(text: str, name: str, body: int, end: int) -> Taken:
    """The object is whole, but no end tag follows it."""
    mark = _MARK.search(text, end)
    if mark is None or not mark[1]:
        return Taken(end, (_no_end(name, text[body : min(end, body + MAX_RAW + 1)]),))
    inner = text[body : mark.start()]
    return Taken(mark.end(), (broken(name, "more than one object stands between its tags", raw=inner),))


def _cut_name(text: str, at: int) -> Taken | None:
    cut = _CUT_NAME.match(text, at)
    return Taken(len(text), (_no_end(cut[1].strip(), ""),)) if cut else None


def _no_end(name: str, raw: str) -> Call:
    return broken(name, "its end tag [/ACTION] is missing", truncated=True, raw=raw)


DIALECT: Final = Dialect(name="coach.tags", continues=False, opening=r"\[ACTION:", first="[", take=take)
