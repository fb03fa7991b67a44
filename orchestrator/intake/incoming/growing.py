"""Prose that is still being written: pieces of it in, what is certain of it out: visible text, and calls.

It drives the steps of `prose.Sweep` over a text that grows. Text that can be no part of a call or thought is shown at
once (a partial match says whether more text could make an opening of it). A step from an opening on is taken back
unless nothing that could follow changes it. Retries are paid for by what came in between, so the time is linear.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from actions.messages import Call
from orchestrator.intake.asides import MARKS, THOUGHT_TAG, ending, is_hidden
from orchestrator.intake.dialects.face import Dialect
from orchestrator.intake.draft import MAX_LISTED
from orchestrator.intake.incoming.following import PROBES, SETTLE, ends_itself
from orchestrator.intake.incoming.trying import ASIDES, CUTS, Trying
from orchestrator.intake.incoming.waiting import partial
from orchestrator.intake.looking import openings
from orchestrator.intake.parts.places import LOOK, starts_blank
from orchestrator.intake.prose import MAX_OPENINGS

_REGIONS: Final = frozenset({"thought", "aside", "sample", "tildes"})
"""Asides that go on to an end mark."""
_TOKENS: Final = rf"{THOUGHT_TAG.pattern}|<\|[^|]{{0,32}}\|>"


@lru_cache(maxsize=64)
def _first(dialects: tuple[Dialect, ...]) -> re.Pattern[str]:
    """The characters that an opening can begin with; a text without them is shown without another look."""
    told = {*"".join(one.first for one in dialects), *(character for _, character, _ in MARKS)}
    return re.compile(f"[{''.join(map(re.escape, sorted(told)))}]")


class Growing(Trying):
    """One pass over one text that grows."""

    __slots__ = ("_calls", "_closing", "_over", "_region", "_said", "_thinking")

    def __init__(self, dialects: Sequence[Dialect], *, thinking: bool = False) -> None:
        super().__init__(dialects)
        self._thinking = thinking  # the text begins inside a thought, whose opening tag a template swallowed
        self._over = False  # somebody else's turn has begun
        self._closing = False
        self._region = False  # what is held is shown, whatever follows
        self._said = 0  # so much of it was let out
        self._calls = 0

    def feed(self, piece: str) -> list[str | Call]:
        """Take the next piece; return what became certain."""
        if self._region:
            self._said += len(piece)
            self._out.append(piece)
        held = len(self.text) - self.at
        if held == 0 and not self._start and not _first(self.active).search(piece) and not self._over:
            self._pass(piece)
        elif self._held.add(piece, held):
            self._read()
        return self._drain()

    def only_text(self) -> list[str | Call]:
        """Read no calls in what is held and in what comes, as where the provider has calls of its own."""
        self.known, self.active, self._start = (), (), False
        self._read()
        return self._drain()

    def close(self) -> list[str | Call]:
        """Read the rest as it stands."""
        self.text += self._held.taken()
        self._closing = True
        if self._thinking:
            self._is_thought_over()
        if self._start:
            self._begin()
            self._tell()
        while not self._over and self._calls <= MAX_LISTED and (match := self._search()):
            self._meet(match)
            self._tell()
        if self._calls <= MAX_LISTED and not self._over:
            self.shown.append(self.text[self.at :])
        self._tell()
        return self._drain()

    def _begin(self) -> None:
        """Behind a thought that nothing opened a text begins anew; what it is as a whole is asked when it is known."""
        if self._closing:
            super()._begin()
        else:
            self.active, self._start = self.known, True

    def _pass(self, piece: str) -> None:
        """Show a piece in which nothing begins."""
        self.text = self.text[-LOOK:] + piece
        self.at = len(self.text)
        self.fresh = self.fresh and not piece.strip()
        self._out.append(piece)

    def _read(self) -> None:
        self.text += self._held.taken()
        while self._calls <= MAX_LISTED and self.seen < MAX_OPENINGS and not self._over and self._step():
            pass
        if self._over:
            self.text, self.at = "", 0
        elif self.at > 4 * LOOK:
            self.text, self.at = self.text[self.at - LOOK :], LOOK

    def _drain(self) -> list[str | Call]:
        out, self._out = self._out, []
        return [piece for piece in out if piece]

    def _wait(self, match: re.Match[str] | None = None) -> bool:
        """Hold what is not certain, but let out what will be shown whatever follows."""
        held, found = self.text[self.at :], match[0] if match else ""
        region = match is not None and match.lastgroup in _REGIONS and not found.startswith("</")
        self._held.wait(held, re.escape(ending(found)) if region else "")
        self._region = region and not is_hidden(found) and starts_blank(self.text, self.at)
        if self._region:
            self._out.append(held[self._said :])
            self._said = len(held)
        return False

    def _step(self) -> bool:
        """Go on by one opening; False where more text is needed."""
        if self._start and not self._is_begun():
            return self._wait()
        pattern = openings(self.active)[0]
        found = partial(pattern.pattern).search(self.text, self.at, partial=True)
        match = None if found is None or found.partial else pattern.search(self.text, self.at)
        first = self._half_before(match.start()) if match else None
        start = found.start() if found else len(self.text)
        self._show_until(start if first is None else first)
        self._tell()
        if first is not None:
            return self._wait()
        if match is None or (match.lastgroup in ASIDES and self._may_be_calls(match.start())):
            return self._wait()
        if self._held.is_spent or not self._is_certain(match):
            return self._wait(match)
        self.seen += match.lastgroup not in ASIDES
        self._start = self._start and match.lastgroup in ("thought", "special")
        self._meet(match)
        self._over = match.lastgroup in CUTS and self.at == len(self.text)
        self._tell()
        self._held.go_on()
        self._region = False
        return True

    def _half_before(self, end: int) -> int | None:
        """Where something begins on the last line that may yet hold what was found behind it, as a code span does."""
        pattern, begins = partial(openings(self.active)[0].pattern), _first(self.active)
        line = max(self.at, self.text.rfind("\n", self.at) + 1)
        self._held.pay(max(0, end - line))
        for one in begins.finditer(self.text, line, max(line, end)):
            half = pattern.match(self.text, one.start(), partial=True)
            if half is not None and half.partial:
                return one.start()
        return None

    def _may_be_calls(self, at: int) -> bool:
        """Whether what looks like a sample in a fence may yet be calls in one."""
        fenced = [partial(one.opening) for one in self.active if "`" in one.first]
        return any(one.match(self.text, at, partial=True) for one in fenced)

    def _is_begun(self) -> bool:
        """Whether it is certain that the text is not calls as a whole, which is asked behind its first thoughts."""
        if self._thinking and not self._is_thought_over():
            return False
        at = len(self.text) - len(self.text[self.at :].lstrip())
        if at == len(self.text):
            return False
        if partial(_TOKENS).match(self.text, at, partial=True):
            return True  # the step passes it; it is asked again behind it
        may_be = any(self._may_be_whole(one, at) for one in self.active)
        self._start = may_be and not self._begins_with_call(at)
        self.beginnings += not self._start
        return not self._start

    def _is_thought_over(self) -> bool:
        """Whether the thought that the text began in has ended, or never was."""
        first = THOUGHT_TAG.search(self.text)
        self._thinking = first is None
        if first is not None and first[0].startswith("</"):
            self.at = first.start()
            self._unopened(first)
        return first is not None

    def _may_be_whole(self, dialect: Dialect, at: int) -> bool:
        if dialect.whole is None or dialect.begins is None:
            return False
        begins = partial(dialect.begins.pattern).match(self.text, at, partial=True)
        if begins is None:
            return False
        if begins.partial or len(self.text) - at < SETTLE:
            return True
        return self._is_whole(dialect, at)

    def _is_whole(self, dialect: Dialect, at: int) -> bool:
        whole = dialect.whole
        self._held.pay(len(PROBES) * (len(self.text) - at))
        return whole is not None and any(whole(self.text + probe, at) for probe in ("", *PROBES))

    def _begins_with_call(self, at: int) -> bool:
        """Whether a block with a call stands first, and nothing takes the text as a whole."""
        match = openings(self.active)[0].match(self.text, at)
        if match is None or self._held.is_spent or any(self._is_whole(one, at) for one in self.active):
            return False
        outcome = self._outcome(self.text)
        return bool(outcome[1]) and ends_itself(self.text[at : outcome[0]], outcome[1], outcome[2])

    def _tell(self) -> None:
        """Let out what the last step brought."""
        if text := "".join((*self.shown, *self.own)):
            self._out.append(text[self._said :])
            self._said = 0
        self._out.extend(self.draft.calls[self._early :])
        self._calls += len(self.draft.calls)
        self._early = 0 if self.draft.calls else self._early
        self._clear()
