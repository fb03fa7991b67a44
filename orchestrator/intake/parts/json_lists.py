"""JSON calls that cannot be read as a whole: a list that is cut off or has a bad entry, an object that would be a call.

In: a text and the place of the bracket. Out: the calls, malformed ones in their places, and where they end; None where
nothing asks for anything. Of a list that is cut off none runs; the neighbours of a bad entry do.
"""

from __future__ import annotations

import re
from typing import Any, Final

from actions.messages import MAX_RAW, Call
from actions.strict_json import Unreadable
from orchestrator.intake.calls import MAX_NAME, broken, cut_list
from orchestrator.intake.draft import MAX_LISTED
from orchestrator.intake.kinds import ARGUMENTS, LISTS, NAMES, ONES
from orchestrator.intake.objects import calls_in
from orchestrator.intake.parts.json_values import read_at
from orchestrator.intake.strict import DEEP, OPEN, closing

_HEAD: Final = re.compile(rf"""\[\s*+(?=\{{)|(\{{)\s*+["'](?:{"|".join(LISTS)})["']\s*+:\s*+\[\s*+(?=\{{)""")
_PARTED: Final = re.compile(r"\s*+(?:(,\s*+(?=\{))|(,?\s*+\])|,?\s*+(\Z))")
_NAMED: Final = re.compile(
    rf"""["']?\b(?:action_)?(?:{"|".join(NAMES)})["']?\s*+:\s*+(?:["']([^"'\\\n]{{1,{MAX_NAME}}})["']?|\{{)"""
)
_GIVEN: Final = re.compile(rf"""["']?\b(?:action_)?(?:{"|".join(ARGUMENTS)})["']?\s*+:""")
_WRAPS: Final = re.compile(rf"""\{{\s*+["'](?:{"|".join((*LISTS, *ONES))})["']\s*+:\s*+[\[{{]""")
_BRACKETS: Final = re.compile(r"[\s}\]]*+\Z")
_LAST: Final = re.compile(r"\s*+\}")


def refused(text: str, start: int, error: Unreadable) -> tuple[Call, int] | None:
    """The malformed call that an object is, and where it ends; None if it would be none, could it be read."""
    end = closing(text, start)
    stop = end if end > 0 else len(text)
    named = _NAMED.search(text, start, stop)
    if not _WRAPS.match(text, start) and (named is None or not _GIVEN.search(text, start, stop)):
        return None
    cut = end < 0 and error.truncated
    why = "is cut off" if cut else "cannot be read"
    name = (named[1] or "") if named else ""
    raw = text[start : min(stop, start + MAX_RAW + 1)]
    return broken(name, f"its object {why} ({error})", truncated=cut, raw=raw), stop


def partly(text: str, start: int) -> tuple[list[Call], int] | None:
    """The calls of a list, or of an object that begins with one, entry by entry; None if it is no list of calls."""
    head = _HEAD.match(text, start)
    if head is None:
        return None
    calls: list[Call] = []
    here = head.end()
    while len(calls) <= MAX_LISTED:
        try:
            value, end, mended = read_at(text, here, tolerant=True)
        except Unreadable as error:
            bad = refused(text, here, error)
            if bad is None and calls and closing(text, here) == OPEN:
                bad = broken("", f"its object is cut off ({error})", truncated=True), len(text)
            if bad is None:
                return None
            calls.append(bad[0])
            here = bad[1]
        else:
            found = _entry(value, mended, wrapped=bool(head[1]))
            if found is None:
                return None
            calls += found
            here = end
        parted = _PARTED.match(text, here)
        if parted is None or not parted[1]:
            return _ended(text, start, here, parted, calls, wrapped=bool(head[1]))
        here = parted.end()
    return calls, here


def _entry(value: Any, mended: tuple[str, ...], *, wrapped: bool) -> list[Call] | None:
    return calls_in({LISTS[0]: [value]} if wrapped else value, alone=True, repaired=mended)


def _ended(
    text: str, start: int, here: int, parted: re.Match[str] | None, calls: list[Call], *, wrapped: bool
) -> tuple[list[Call], int]:
    """What follows the last entry: the list's end, the text's, or something that has no place there."""
    if parted is None:
        why = "the list that it stands in cannot be read"
        ends = closing(text, start)
        end = (
            len(text) if ends == DEEP else max(here, ends)
        )  # so deep, it is not read again from each bracket
        brackets = _BRACKETS.match(text, end)
        refused = [one if one.error else broken(one.name, why, id=one.id, raw=one.raw) for one in calls]
        return refused, brackets.end() if brackets else end
    if parted[2] is None:
        return cut_list(calls), len(text)
    here = parted.end()
    if not wrapped:
        return calls, here
    if last := _LAST.match(text, here):
        return calls, last.end()
    if not text[here:].strip():
        return cut_list(calls), len(text)
    return calls, max(here, closing(text, start))
