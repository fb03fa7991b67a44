"""Whether a step over a text that grows comes out the same, whatever follows: it is tried with what may follow.

In: the place of an opening in what is there so far. Out: whether to take the step; calls that are certain before the
step is (more of their block may come) are let out by themselves. A trial changes nothing, and is paid for.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

from actions.messages import Call
from orchestrator.intake.asides import MARKS, end_of, ending
from orchestrator.intake.dialects.face import Dialect
from orchestrator.intake.incoming.following import SETTLE, ends_itself, may_go_on, probes
from orchestrator.intake.incoming.waiting import Held
from orchestrator.intake.looking import openings
from orchestrator.intake.prose import Sweep

ASIDES: Final = frozenset(kind for kind, _, _ in MARKS)
"""Places that no dialect is asked about."""
CUTS: Final = frozenset({"turn", "inst"})
"""Asides behind which nothing is read or shown."""
_TOKEN: Final = 24
"""Characters behind a special token that may belong to it."""
_PER_CALL: Final = 200
"""What making a call costs, in characters read."""


class Trying(Sweep):
    """A pass whose next step can be tried."""

    __slots__ = ("_early", "_held", "_out", "_start")

    def __init__(self, dialects: Sequence[Dialect]) -> None:
        super().__init__("", dialects)
        self._start = True  # nothing but thoughts so far: the text may yet be calls as a whole
        self._held = Held()
        self._out: list[str | Call] = []
        self._early = 0  # calls of the block that is held that were let out

    def _is_certain(self, match: re.Match[str]) -> bool:
        """Whether the step from a match on comes out the same whatever follows."""
        if match.lastgroup in CUTS:
            return len(self.text) > match.end() + 1
        if match.lastgroup in ASIDES or self._in_backticks(match.start()):
            return self._is_aside_over(match)
        outcome = self._outcome(self.text)
        rest, calls = self.text[outcome[0] :], outcome[1]
        if not calls and len(rest) < SETTLE:
            return False
        if calls and not ends_itself(self.text[match.start() : outcome[0]], calls, outcome[2]):
            return False
        others = [self._outcome(self.text + probe) for probe in probes(calls)]
        if all(other[1][: len(calls)] == calls for other in others):
            self._out.extend(calls[self._early :])
            self._early = len(calls)
        if not rest.strip() or self._held.open or may_go_on(rest, openings(self.active)[0]):
            return False
        return all(other == outcome for other in others)

    def _is_aside_over(self, match: re.Match[str]) -> bool:
        """Whether an aside ends, or is none, whatever follows."""
        goes_on = match.lastgroup in ("thought", "aside") and not match[0].startswith("</")
        if goes_on and end_of(self.text, ending(match[0]), match.end()) < 0:
            return False
        if match.lastgroup == "special" and len(self.text) - match.end() < _TOKEN:
            return False  # it may yet say whose turn begins
        outcome = self._outcome(self.text)
        return all(self._outcome(self.text + more) == outcome for more in ("x", "`", " x", "\n"))

    def _outcome(self, text: str) -> tuple[Any, ...]:
        """What the next step would come to on a text, and where; nothing is changed."""
        saved = (self.text, self.at, self.active, self.fresh, self.found, self.beginnings, self._start)
        self.text, self.found = text, None
        if match := openings(self.active)[0].search(text, self.at):
            self._meet(match)
        draft, shown = self.draft, "".join(self.shown)
        self._held.pay(len(text) - saved[1] + _PER_CALL * len(draft.calls))
        told = (self.at, draft.calls, self.found, shown, self.own, draft.provider_calls, self.active)
        (self.text, self.at, self.active, self.fresh, self.found, self.beginnings, self._start) = saved
        self._clear()
        return told

    def _clear(self) -> None:
        self.shown, self.own, self.draft.calls, self.draft.provider_calls = [], [], [], []
