"""Tags with JSON between them that names its action: one run of them in, its calls out.

A block may hold one object, several, a list, or one in each line; tags, commas, chat tokens and fences may stand
between. A call stands where it can be read or where its brackets end; what is cut off never runs. A block without
any JSON is none, unless it is closed and looks as if a call was meant.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from actions.messages import Call
from actions.strict_json import Unreadable
from orchestrator.intake.calls import broken, cut_list
from orchestrator.intake.draft import MAX_LISTED
from orchestrator.intake.parts.marked_json import SHOWN, Limit, end_of, limit, named_in, unended, value_at
from orchestrator.intake.parts.python_calls import NAME, calls_at
from orchestrator.intake.parts.tagged_json import Tags, beside, doubt, nothing, without_json
from orchestrator.intake.parts.taken import Taken
from orchestrator.intake.repair import FENCE, MISSING, SURPLUS
from orchestrator.intake.strict import closing, cut_off, decode_at

_NEXT: Final = re.compile(r"\s*+[\[{]")
_COMMAS: Final = re.compile(r"[\s,;]*+")
_CLEAR: Final = re.compile(r"\s*+(?:\Z|<|\[TOOL_CALLS\])")
_BRACKETS: Final = re.compile(r"\s*+[\]}]++")
_CODE: Final = re.compile(rf"\s*+(?=(?:\[\s*+)?+{NAME}\()")


def run(text: str, at: int, form: Tags, *, inside: bool = False) -> Taken | None:
    """Read a run of blocks from a place on; None if no call stands there.

    Args:
        text: the text.
        at: where its first tag begins.
        form: the tags.
        inside: whether the first tag stood before the place (or is missing).
    """
    return _Run(text, at, form, inside=inside).taken()


class _Run:
    """One run of blocks; `at` is always the next character that nobody has read."""

    __slots__ = (
        "at",
        "calls",
        "closed",
        "depth",
        "doubt",
        "form",
        "inside",
        "opened",
        "since",
        "text",
        "until",
    )

    def __init__(self, text: str, at: int, form: Tags, *, inside: bool) -> None:
        self.text = text
        self.at = at
        self.form = form
        self.calls: list[Call] = []
        self.since = 0
        self.depth = 0
        self.doubt = MAX_LISTED + 1
        self.opened = at
        self.inside = inside
        self.closed = False
        self.until: Limit | None = None

    def taken(self) -> Taken | None:
        start = self.at
        while len(self.calls) <= MAX_LISTED:
            token = self.form.token.match(self.text, self.at)
            if token is None or not self._step(token):
                break
        self._finish()
        return Taken(self.at, self.calls) if self.at > start else None

    def _step(self, token: re.Match[str]) -> bool:
        kind = token.lastgroup or ""
        steps: dict[str, Callable[[re.Match[str]], bool]] = {
            "open": self._open,
            "end": self._end,
            "wrong": self._wrong,
            "special": self._wrong,
            "item": self._item,
        }
        if kind in steps:
            return steps[kind](token)
        if not self.inside:
            return False
        if kind == "list":
            self.depth += 1
        elif kind == "unlist" and self.depth:
            self._unlist(token.end())
            return True
        elif kind == "fence":
            self._tell(FENCE)
        elif kind in {"unlist", "surplus"}:
            self._tell(SURPLUS)
        self.at = token.end()
        return True

    def _open(self, token: re.Match[str]) -> bool:
        if self.inside and len(self.calls) > self.since:
            self._leave(ended=False)
        self.opened, self.at, self.inside = token.start(), token.end(), True
        if code := _CODE.match(self.text, self.at):
            self._python(code.end())
        return True

    def _python(self, at: int) -> None:
        """Calls written as Python, if nothing but them stands in the block."""
        found = calls_at(self.text, at)
        if found is None or not found.sure:
            return
        token = self.form.token.match(self.text, found.end)
        if (token and token.lastgroup == "end") or not self.text[found.end :].strip():
            self.calls += found.calls
            self.at = found.end

    def _unlist(self, at: int) -> None:
        self.at = at
        self.depth -= 1
        if self.depth or self.form.marks.needed:
            return
        if more := _BRACKETS.match(self.text, self.at):
            self._tell(SURPLUS)
            self.at = more.end()
        self._leave(ended=_CLEAR.match(self.text, self.at) is not None or self.doubt > MAX_LISTED)

    def _end(self, token: re.Match[str]) -> bool:
        if self.inside and self.depth:
            self._tell(MISSING)
        if self.inside and len(self.calls) == self.since and not token[0].endswith("s>"):
            self.calls += nothing(self.text[self.opened : token.start()])
        self.closed = True
        self._leave(ended=True)
        self.at = token.end()
        return True

    def _wrong(self, token: re.Match[str]) -> bool:
        """Another end, or a chat token: it ends the block too, but JSON right behind it still belongs to the run."""
        if not self.inside or len(self.calls) == self.since:
            return False
        more = bool(_NEXT.match(self.text, token.end()))
        special = token.lastgroup == "special"
        self._leave(ended=False)
        self.inside = more and special
        self.at = token.start("special") if special and not more else token.end()
        return more or not special

    def _item(self, token: re.Match[str]) -> bool:
        if not self.inside:
            return False
        at = token.end() - 1
        try:
            value, self.at, what = self._value(at)
        except Unreadable as error:
            self._skip(at, error)
            return True
        self.calls += self.form.asks(value, what)
        return True

    def _value(self, at: int) -> tuple[Any, int, tuple[str, ...]]:
        try:
            return *decode_at(self.text, at), ()
        except Unreadable:
            until = self._limit(at)
            # In a list a bracket that is missing would not be the last one.
            return value_at(self.text, at, replace(until, ended=False) if self.depth else until)

    def _limit(self, at: int) -> Limit:
        if self.until is None or self.until.at < at:
            self.until = limit(self.text, at, self.form.marks)
        return self.until

    def _skip(self, at: int, error: Unreadable) -> None:
        """Refuse what cannot be read: up to where its brackets end if others follow it there, else the whole block."""
        until = self._limit(at)
        piece = self.text[at : until.at]
        end = closing(piece, 0)
        whole = end > 0
        self.at = at + end if whole else until.at
        cut = not whole and (error.truncated or cut_off(piece))
        why = f"its JSON {'is cut off' if cut else 'cannot be read'} ({error})"
        own = piece[: min(self.at - at, SHOWN)]
        self.calls.append(broken(named_in(own), why, truncated=cut, raw=own))
        self.doubt = min(self.doubt, len(self.calls))
        if not whole:
            self._cut_list()

    def _tell(self, what: str) -> None:
        """Note what was mended in the calls of this block."""
        for number in range(self.since, len(self.calls)):
            one = self.calls[number]
            if one.error is None and what not in one.repaired:
                self.calls[number] = one.model_copy(update={"repaired": (*one.repaired, what)})

    def _leave(self, *, ended: bool) -> None:
        """End a block."""
        if not ended:
            self._cut_list()
            doubt(self.calls, self.doubt)
        if not ended and (self.form.marks.needed or self.closed):
            self.calls[self.since :] = map(unended, self.calls[self.since :])
        self.since = len(self.calls)
        self.depth, self.inside, self.doubt = 0, False, MAX_LISTED + 1

    def _cut_list(self) -> None:
        """A list that is not closed is one value that is cut off: none of its calls runs."""
        if not self.depth:
            return
        self.calls[self.since :] = cut_list(self.calls[self.since :])
        gap = _COMMAS.match(self.text, self.at)
        self.at, self.depth = gap.end() if gap else self.at, 0

    def _finish(self) -> None:
        if not self.inside:
            return
        if len(self.calls) > self.since or self.depth:
            until = end_of(self.text, self.at, self.form.marks)
            if until.ended and len(self.calls) <= MAX_LISTED:
                self.calls[self.since :] = beside(self.calls[self.since :])
                self.at, self.depth = until.next, 0
            self._leave(ended=False)
        elif self.calls and not self.text[self.at :].strip():
            return  # the tag stands in an end tag's place
        else:
            self._without_json()

    def _without_json(self) -> None:
        until = end_of(self.text, self.at, self.form.marks)
        inner = self.text[self.at : until.at]
        one = without_json(inner, until, last=until.at == len(self.text))
        if one is None:
            self.at = self.opened
        else:
            self.calls.append(one)
            self.at = until.next
