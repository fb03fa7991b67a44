"""Calls that stand in a text: one pass over it, each dialect asked where its opening stands.

In: a text and the dialects to look for. Out: the calls in the order of the text, and the rest of it. What stands in
thoughts is never read for calls; code samples in a fence of their own language, or in backticks, are shown, not read.
The pass never goes back and a dialect reads on from its opening only, so the time is linear.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from orchestrator.intake.asides import (
    MARKS,
    SPECIAL,
    THOUGHT_TAG,
    code_end,
    end_of,
    ending,
    is_cited,
    is_hidden,
    is_mentioned,
    is_tag_only,
    sample_at,
    sample_end,
)
from orchestrator.intake.copies import refuse_copies
from orchestrator.intake.dialects.face import Dialect
from orchestrator.intake.draft import MAX_LISTED, Draft
from orchestrator.intake.looking import openings
from orchestrator.intake.parts.taken import Opening, Taken

MAX_OPENINGS: Final = 20_000
"""Places of one text that may look like the beginning of a call.

Each costs some 20 µs, most in vain: all of them half a second.
"""
_MOST_BEGINNINGS: Final = 4
"""How often a text may begin anew behind a thought: each time all is looked for again that may be a whole text."""
_UNREAD: Final = frozenset(kind for kind, _, _ in MARKS)
"""Places that no dialect is asked about."""

_EMPTY_FENCE: Final = re.compile(r"(?<!`)```\w{0,30}+\s*+```(?![`\w])")
_BLANK_LINES: Final = re.compile(r"\n(?:[^\S\n]*+\n){2,}+")
_BLANKS: Final = re.compile(rf"(?:\s++|{SPECIAL})*+")


def tidy(text: str, *, emptied: bool = True) -> str:
    """No more than one blank line in a row, no space around; if `emptied`, fences that calls stood in are gone."""
    if emptied and "```" in text:
        text = _EMPTY_FENCE.sub("", text)
    return _BLANK_LINES.sub("\n\n", text).strip()


def sweep(text: str, dialects: Sequence[Dialect]) -> tuple[Draft, Dialect | None]:
    """Read a text; return what was found and the first dialect that something was found in."""
    walk = Sweep(text, dialects)
    walk.run()
    return walk.draft, walk.found


class Sweep:
    """One pass over one text."""

    __slots__ = (
        "_absent", "active", "at", "beginnings", "draft", "found", "fresh", "known", "own", "seen", "shown", "text",
    )  # fmt: skip

    def __init__(self, text: str, dialects: Sequence[Dialect]) -> None:
        self.text = text
        self.known = tuple(dialects)
        self.active = self.known
        self.at = 0
        self.seen = 0
        self.beginnings = 0
        self._absent: tuple[str, set[str]] = ("", set())
        self.fresh = True
        self.draft = Draft()
        self.found: Dialect | None = None
        self.shown: list[str] = []
        self.own: list[str] = []

    def run(self) -> None:
        """Read it to its end; what was found is in `draft` and `found`."""
        self._begin()
        while not self.draft.full and (match := self._search()):
            self._meet(match)
        if not self.draft.full:
            self.shown.append(self.text[self.at :])
        self.draft.text = tidy(
            "\n".join(self.own) if self.own else "".join(self.shown), emptied=self.found is not None
        )
        self.draft.calls = refuse_copies(self.draft.calls)

    def _begin(self) -> None:
        """Read what may be calls as a whole; behind a thought that nothing opened a text begins anew."""
        self.beginnings += 1
        if self.beginnings > _MOST_BEGINNINGS:
            return
        self.active = self.known
        self._pass_thoughts()
        self._read_whole()

    def _read_whole(self) -> None:
        """Ask the dialects that are a whole text."""
        blank = _BLANKS.match(self.text, self.at)
        at = blank.end() if blank else self.at
        for one in self.active:
            if one.whole is None or one.begins is None or not one.begins.match(self.text, at):
                continue
            taken = one.whole(self.text, at)
            if taken is not None:
                self._keep(one, taken)
                return

    def _pass_thoughts(self) -> None:
        """Step over the thoughts and special tokens that a text begins with."""
        while True:
            blank = _BLANKS.match(self.text, self.at)
            at = blank.end() if blank else self.at
            thought = THOUGHT_TAG.match(self.text, at)
            if thought is None or thought[0].startswith("</"):
                break
            self.at = at
            self._think(thought)
        if self.text[self.at : at].strip():
            self.at = at

    def _search(self) -> re.Match[str] | None:
        """The next place of interest; behind too many openings none is read any more, but thoughts stay hidden."""
        match = openings(self.active)[0].search(self.text, self.at)
        if match is None or match.lastgroup in _UNREAD:
            return match
        self.seen += 1
        if self.seen <= MAX_OPENINGS:
            return match
        self.active = ()
        self.draft.complain(
            "too_large",
            f"More than {MAX_OPENINGS} places look like the beginning of a call; the rest is not read for calls.",
        )
        return openings(())[0].search(self.text, self.at)

    def _meet(self, match: re.Match[str]) -> None:
        kind, start, end = match.lastgroup or "", match.start(), match.end()
        if kind in {"sample", "tildes"}:
            self._show_until(sample_end(self.text, match))
        elif kind == "code":
            self._show_until(end)
        elif self._in_backticks(start):
            self._show_until(code_end(self.text, start))
        elif kind not in _UNREAD:
            self._ask(openings(self.active)[1][kind], match)
        elif kind in {"special", "turn", "inst"}:
            self._show_until(start)
            if is_mentioned(self.text, start, end):
                self._show_until(end)
            else:
                self.at = end if kind == "special" else len(self.text)
        elif match[0].startswith("</"):
            self._unopened(match)
        else:
            self._think(match)

    def _in_backticks(self, at: int) -> bool:
        """Whether a single backtick stands right before: what follows is a sample inside a sentence."""
        return self.text[max(0, at - 2) : at].endswith("`") and not self.text.endswith("``", 0, at)

    def _ask(self, dialects: tuple[Dialect, ...], match: re.Match[str]) -> None:
        self._show_until(match.start())
        opening = Opening(self.text, match.start(), self.fresh)
        cited = is_cited(self.text, match.start())
        passed: Taken | None = None
        for one in dialects:
            taken = one.take(opening) if one.take else None
            if taken is None:
                continue
            if not (taken.shown or cited):
                self._keep(one, taken)
                return
            if passed is None or taken.end > passed.end:
                passed = taken
            if taken.last:
                self.active = tuple(other for other in self.active if other is not one)
        end = passed.end if passed else match.end()
        if sample := sample_at(self.text, match.start()):
            end = max(end, sample_end(self.text, sample))
        self._show_until(end)
        self.fresh = self.fresh and passed is None

    def _keep(self, dialect: Dialect, taken: Taken) -> None:
        self.at = taken.end
        self.fresh = False
        self.draft.calls.extend(taken.calls[: MAX_LISTED + 1])
        self.draft.provider_calls.extend(taken.provider_calls)
        if taken.text is not None:
            self.own.append(taken.text)
        self.found = self.found or dialect
        if taken.last:
            self.active = tuple(other for other in self.active if other is not dialect)

    def _think(self, match: re.Match[str]) -> None:
        """Step over a thought or an aside; one without an end is all the rest, or it is only spoken of."""
        found, start = match[0], match.start()
        end = self._end(ending(found), match.end())
        self._show_until(start)
        aside = match.lastgroup == "aside"
        if end < 0 and is_tag_only(self.text, match, aside=aside):
            self._show_until(match.end())
            return
        stop = end if end >= 0 else len(self.text)
        if not is_hidden(found):
            self.shown.append(self.text[start:stop])
            self.fresh = self.fresh and not aside
        self.at = stop

    def _unopened(self, match: re.Match[str]) -> None:
        """The end of a thought whose beginning a template swallowed: what was found before it was only thought."""
        self._show_until(match.end())
        if is_mentioned(self.text, match.start(), match.end()):
            return
        self.draft.calls, self.draft.provider_calls, self.found = [], [], None
        if is_hidden(match[0]):
            self.shown, self.own = [], []
        self.fresh = True
        self._begin()

    def _end(self, mark: str, at: int) -> int:
        """Where a mark ends that is looked for from a place on, or -1; one that is not there is looked for once."""
        if self._absent[0] is not self.text:
            self._absent = (self.text, set())
        if mark in self._absent[1]:
            return -1
        end = end_of(self.text, mark, at)
        if end < 0:
            self._absent[1].add(mark)
        return end

    def _show_until(self, end: int) -> None:
        piece = self.text[self.at : end]
        self.shown.append(piece)
        self.fresh = self.fresh and not piece.strip()
        self.at = end
