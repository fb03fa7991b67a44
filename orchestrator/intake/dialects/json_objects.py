"""JSON calls in a text: `{"name": ..., "arguments": {...}}` with its synonyms, lists and wrappers of them.

They count as the whole text, in a fence, and on lines of their own; several may follow each other. An object inside a
sentence asks for nothing, and nothing in it is read. Which objects are calls stands in `intake.objects`. What would be
one but cannot be read is malformed; nothing of a list that is cut off runs, whole objects before a cut one do.
"""

from __future__ import annotations

import re
from typing import Any, Final

from actions.messages import Call
from actions.strict_json import Unreadable, is_list
from orchestrator.intake.calls import NO_END, cut_list
from orchestrator.intake.dialects.face import Dialect
from orchestrator.intake.draft import MAX_LISTED
from orchestrator.intake.objects import calls_in, text_in
from orchestrator.intake.parts.json_lists import partly, refused
from orchestrator.intake.parts.json_values import FIRST, OPENING, read_at, reading
from orchestrator.intake.parts.places import ends_line
from orchestrator.intake.parts.python_calls import NAME, call_in
from orchestrator.intake.parts.taken import Opening, Reading, Taken
from orchestrator.intake.repair import SURPLUS
from orchestrator.intake.strict import closing

_FENCE_END: Final = re.compile(r"(?:[\s;,]|//[^\n]*+\n)*+```")
_CUT: Final = re.compile(r"[\s;,]*+\Z")
_NEXT: Final = re.compile(r"""[\s;,]*+(?=\{\s*+["']|\[\s*+\{\s*+["'])""")
_TEXTS: Final = re.compile(rf"""\[\s*+["']{NAME}\((?:\s*+\)|\w++\s*+=)""")
_SURPLUS: Final = re.compile(r"(?:\s*+[}\]]){1,8}+")
_SURPLUS_END: Final = re.compile(r"(?:\s*+[}\]]){1,8}+\s*+\Z")
_NEAR: Final = 1_024
"""Characters that may be looked through in vain more than once.

What is no JSON mostly shows it in its first line; and 20,000 times as many are looked through within a second.
"""


def take(opening: Opening) -> Taken | None:
    """Read the objects that begin here."""
    text, found = opening.text, reading(opening)
    if found is None:
        return None
    if found.error is not None:
        return _unreadable(text, found, found.error)
    run = _Run(text, found)
    if not run.calls and not run.asked:
        fence = _FENCE_END.match(text, found.end) if found.language is not None else None
        return Taken(fence.end() if fence else found.end, shown=True)
    return run.taken() if found.own else Taken(run.end, shown=True)


def _calls(value: Any, mended: tuple[str, ...]) -> list[Call] | None:
    if is_list(value) and value and all(isinstance(one, str) for one in value):
        told = [call_in(one) for one in value[: MAX_LISTED + 1]]
        return [one for one in told if one is not None] if all(told) else None
    return calls_in(value, alone=True, repaired=mended)


class _Run:
    """Objects that follow each other, from the first up to the last one that asks for something."""

    def __init__(self, text: str, first: Reading) -> None:
        self.text = text
        self.fenced = first.language is not None
        self.calls: list[Call] = []
        self.texts: list[str] = []
        self.end = first.start
        self.asked = False
        self.broken = False
        value, end, mended = first.value, first.end, first.mended
        while self._add(value, end, mended) and len(self.calls) <= MAX_LISTED:
            more = _NEXT.match(text, self.end)
            if more is None:
                break
            try:
                value, end, mended = read_at(text, more.end(), tolerant=first.own)
            except Unreadable as error:
                self._stop(more.end(), error)
                break

    def _add(self, value: Any, end: int, mended: tuple[str, ...]) -> bool:
        calls = _calls(value, mended)
        if calls is None:
            return False
        self.asked = True
        self.end = end
        self.calls += calls
        if told := text_in(value):
            self.texts.append(told)
        return True

    def _stop(self, at: int, error: Unreadable) -> None:
        """The next one cannot be read."""
        if (call := refused(self.text, at, error)) is not None:
            self.calls.append(call[0])
            self.end = call[1]
            self.broken = True

    def taken(self) -> Taken:
        """What was read, if nothing but markup stands beside it."""
        end = self._close()
        if (end is None or _SURPLUS_END.match(self.text, self.end)) and (
            more := _SURPLUS.match(self.text, self.end)
        ):
            self.end = more.end()
            end = self._close()
            self._mend(SURPLUS)
        if end is None:
            return Taken(self.end, shown=True)
        return Taken(end, self.calls, "\n\n".join(self.texts) if self.texts else None)

    def _close(self) -> int | None:
        if not self.fenced:
            return self.end if self.broken else ends_line(self.text, self.end)
        if close := _FENCE_END.match(self.text, self.end):
            return close.end()
        if _CUT.match(self.text, self.end):
            self._mend(NO_END)
            return len(self.text)
        return self.end if self.broken else ends_line(self.text, self.end)

    def _mend(self, what: str) -> None:
        if self.calls and not self.calls[-1].malformed:
            last = self.calls[-1]
            self.calls[-1] = last.model_copy(update={"repaired": (*last.repaired, what)})


def _unreadable(text: str, found: Reading, error: Unreadable) -> Taken:
    """A list is read call by call; what else would be a call is malformed; all else is passed over as a whole."""
    if found.own:
        if error.truncated and _TEXTS.match(text, found.start):
            return Taken(len(text), cut_list([]))
        if (calls := partly(text, found.start)) is not None:
            return Taken(calls[1], calls[0])
        if (call := refused(text, found.start, error)) is not None:
            fence = _FENCE_END.match(text, call[1]) if found.language is not None else None
            return Taken(fence.end() if fence else call[1], (call[0],))
    return _passed_over(text, found, error)


def _passed_over(text: str, found: Reading, error: Unreadable) -> Taken:
    """Step over what asks for nothing; after a far look in vain there is no other."""
    near = not (found.own or error.truncated) and 0 <= error.at < _NEAR
    stop = found.start + _NEAR if near else len(text)
    end = closing(text, found.start, stop=stop)
    if end > 0:
        return Taken(end, shown=True)
    return Taken(found.start + 1, last=stop - found.start > _NEAR, shown=True)


DIALECT: Final = Dialect(
    name="json", also=("fence.json", "xlam", "llama3", "llama3.json"), opening=OPENING, first=FIRST, take=take
)
