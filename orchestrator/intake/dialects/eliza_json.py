"""Eliza's JSON: `{"user": ..., "text": ..., "action": NAME}` as the body, fenced, or embedded in prose.

Which objects ask for actions stands in `intake.objects`; those without `action` are left to the dialect "json". The
visible text is the object's own where it has one. An object that never closes is a truncated call if it asks for an
action; nothing is read inside it.
"""

from __future__ import annotations

import re
from typing import Final

from actions.strict_json import Unreadable
from orchestrator.intake.calls import MAX_NAME, broken
from orchestrator.intake.dialects.face import Dialect
from orchestrator.intake.objects import asks_by_action, calls_in, text_in
from orchestrator.intake.parts.json_values import FIRST, OPENING, reading
from orchestrator.intake.parts.taken import Opening, Reading, Taken
from orchestrator.intake.strict import DEEP, OPEN, closing

_FENCE_END: Final = re.compile(r"\s*+```")
_BLANK: Final = re.compile(r"\s*+\Z")
_ASKS: Final = re.compile(r"""["']?\bactions?["']?\s*+:\s*+(?:["']([^"'\\]{1,%d})["'])?""" % MAX_NAME)  # noqa: UP031 - braces


def take(opening: Opening) -> Taken | None:
    """Read the object or list that begins here."""
    found = reading(opening)
    if found is None:
        return None
    if found.error is not None:
        return _unreadable(opening.text, found.start, found.error)
    return _read(opening.text, found, fresh=opening.fresh)


def _read(text: str, found: Reading, *, fresh: bool) -> Taken:
    fenced = found.language is not None
    end = _FENCE_END.match(text, found.end) if fenced else _BLANK.match(text, found.end) if fresh else None
    calls = None
    if asks_by_action(found.value):
        calls = calls_in(found.value, alone=end is not None, repaired=found.mended)
    if calls is None:
        return Taken(end.end() if end else found.end, shown=True)
    return Taken(end.end() if end else found.end, calls, text_in(found.value))


def _unreadable(text: str, start: int, error: Unreadable) -> Taken:
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


DIALECT: Final = Dialect(name="eliza.json", continues=False, opening=OPENING, first=FIRST, take=take)
