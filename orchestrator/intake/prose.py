"""Calls that stand in prose: one pass over the text, each format asked where its opening stands.

In: a text and the prose formats to look for. Out: the calls in the order of the text, and the rest of it.
Thoughts (`<think>`) are neither read for calls nor shown; code samples in a fence of their own language are
shown, not read. The pass never goes back and a format reads on from its opening only, so the time is linear.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from actions.messages import Call
from orchestrator.intake.draft import Draft

MAX_OPENINGS: Final = 20_000
"""Places of one text that may look like the beginning of a call."""

_THOUGHT: Final = r"(?P<thought>(?i:</?think(?:ing)?>))"
# A fence that names a language: what stands in it is a sample. Fences of data are left to the formats.
_SAMPLE: Final = r"(?P<sample>```(?!json|JSON|xml|XML|te?xt|plain)[A-Za-z][\w+.#-]{0,30}+[^\S\n]*+\n)"
_THOUGHT_TAG: Final = re.compile(r"<(/?)think(?:ing)?>", re.IGNORECASE)
_THOUGHT_END: Final = re.compile(r"</think(?:ing)?>", re.IGNORECASE)
_EMPTY_FENCE: Final = re.compile(r"```\w{0,30}+\s*+```")
_BLANK_LINES: Final = re.compile(r"\n(?:[^\S\n]*+\n){2,}+")


@dataclass(frozen=True, slots=True)
class Taken:
    """What a prose format read from one opening on."""

    end: int
    """Where the text goes on after it; always beyond the opening."""
    calls: Sequence[Call] = ()
    """The calls that were read, malformed ones in their places."""
    text: str | None = None
    """A text for people that stood inside; it replaces the prose around."""
    last: bool = False
    """Whether this format is not to be looked for in the rest."""
    shown: bool = False
    """Whether what was read stays in the visible text (it held no call)."""


@dataclass(frozen=True, slots=True)
class ProseFormat:
    """A way of writing calls into a text."""

    name: str
    """Its public name."""
    opening: str
    """A regular expression for where it may begin: linear, without groups that capture, never empty."""
    first: str
    """The characters that an opening can begin with, as in a regular expression's set."""
    take: Callable[[str, int, bool], Taken | None]
    """Reads from an opening on: text, place, whether nothing visible stands before it. None: no call here."""


@lru_cache(maxsize=64)
def _openings(formats: tuple[ProseFormat, ...]) -> re.Pattern[str]:
    """One pattern for all; the set in front lets the search pass over plain text eight times as fast."""
    told = [f"(?P<f{number}>{one.opening})" for number, one in enumerate(formats)]
    first = "".join(one.first for one in formats)
    return re.compile(f"(?=[<`{first}])(?:{'|'.join([*told, _THOUGHT, _SAMPLE])})")


def tidy(text: str) -> str:
    """Empty fences gone, no more than one blank line in a row, no space around."""
    if "```" in text:
        text = _EMPTY_FENCE.sub("", text)
    return _BLANK_LINES.sub("\n\n", text).strip()


def sweep(text: str, formats: Sequence[ProseFormat]) -> tuple[Draft, str | None]:
    """Read a text; return what was found and the name of the first format that something was found in."""
    walk = _Sweep(text, formats)
    walk.run()
    return walk.draft, walk.format


class _Sweep:
    """One pass over one text."""

    __slots__ = ("active", "at", "draft", "format", "fresh", "own", "seen", "shown", "text")

    def __init__(self, text: str, formats: Sequence[ProseFormat]) -> None:
        self.text = text
        self.active = list(formats)
        self.at = 0
        self.seen = 0
        self.fresh = True
        self.draft = Draft()
        self.format: str | None = None
        self.shown: list[str] = []
        self.own: list[str] = []

    def run(self) -> None:
        if (first := _THOUGHT_TAG.search(self.text)) and first[1]:
            self.at = first.end()  # some templates swallow the opening <think>
        while not self.draft.full and (match := self._search()):
            self._meet(match)
        if not self.draft.full and self.seen <= MAX_OPENINGS:
            self.shown.append(self.text[self.at :])
        self.draft.text = tidy("\n".join(self.own) if self.own else "".join(self.shown))

    def _search(self) -> re.Match[str] | None:
        self.seen += 1
        if self.seen > MAX_OPENINGS:
            message = (
                f"More than {MAX_OPENINGS} places look like the beginning of a call; the rest was not read."
            )
            self.draft.complain("too_large", message)
            return None
        return _openings(tuple(self.active)).search(self.text, self.at)

    def _meet(self, match: re.Match[str]) -> None:
        if match.lastgroup == "thought":
            self._skip_thought(match)
        elif match.lastgroup == "sample":
            self._show_until(_after(self.text, "```", match.end()))
        else:
            self._ask(self.active[int((match.lastgroup or "f0")[1:])], match)

    def _ask(self, format: ProseFormat, match: re.Match[str]) -> None:  # noqa: A002 - the design's word
        self._show_until(match.start())
        taken = format.take(self.text, match.start(), self.fresh)
        if taken is None:
            self._show_until(match.end())
            return
        if taken.shown:
            self._show_until(taken.end)
        self.at = taken.end
        self.fresh = False
        self.draft.calls.extend(taken.calls)
        if taken.text is not None:
            self.own.append(taken.text)
        if not taken.shown:
            self.format = self.format or format.name
        if taken.last:
            self.active.remove(format)

    def _skip_thought(self, match: re.Match[str]) -> None:
        self._show_until(match.start())
        closes = match[0].startswith("</")
        end = match if closes else _THOUGHT_END.search(self.text, match.end())
        self.at = end.end() if end else len(self.text)

    def _show_until(self, end: int) -> None:
        piece = self.text[self.at : end]
        self.shown.append(piece)
        self.fresh = self.fresh and not piece.strip()
        self.at = end


def _after(text: str, mark: str, start: int) -> int:
    found = text.find(mark, start)
    return len(text) if found < 0 else found + len(mark)
