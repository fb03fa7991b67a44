"""What is certain of a reply that comes in events: texts, calls and errors in, the same out as pieces, in order.

Until a piece is let out it can still be taken back, where a later event says that the provider ran the call, or
contradicts it. What was let out stays, and the contradiction is an error of the reply.
"""

from __future__ import annotations

from typing import Any

from actions.messages import Call, CallError
from orchestrator.intake.calls import broken, surplus
from orchestrator.intake.draft import MAX_CALLS, MAX_LISTED, Draft
from orchestrator.intake.formats.pieces import ran

Piece = str | Call | CallError
"""What is told of a reply: visible text, a call (with its error, where it cannot run), or an error of the whole."""


class Outlet:
    """The pieces of one reply, and the draft that they are kept in."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.draft = Draft()
        """Text, calls and errors that are certain."""
        self._texts: list[str] = []
        self._pieces: list[Piece] = []
        self._fresh: dict[int, Call] = {}
        self._by_id: dict[str, Call] = {}
        self._changed: dict[int, Call | None] = {}

    @property
    def empty(self) -> bool:
        """Whether there is neither text nor a call."""
        return not (self._texts or self.draft.calls)

    @property
    def any_text(self) -> bool:
        """Whether there is text."""
        return bool(self._texts)

    def text(self, piece: str) -> None:
        """Add visible text."""
        self._texts.append(piece)
        self._pieces.append(piece)

    def call(self, one: Call) -> None:
        """Add a call."""
        place = len(self.draft.calls)
        self.draft.calls.append(one)
        if place >= MAX_LISTED:
            return
        self._fresh[id(one)] = one
        if one.id:
            self._by_id[one.id] = one
        self._pieces.append(one if place < MAX_CALLS else surplus(one, MAX_CALLS))

    def complain(self, code: str, message: str) -> None:
        """Add an error of the reply as a whole."""
        if len(self.draft.errors) < MAX_LISTED:
            self.draft.complain(code, message)
            self._pieces.append(self.draft.errors[-1])

    def answered(self, key: Any, name: Any = None) -> None:
        """Say that the result of the call with this id stands in the reply: the provider has run it."""
        one = self._by_id.pop(key, None) if isinstance(key, str) else None
        if one is not None:
            self._changed[id(one)] = None
            ran(self.draft, name or one.name)

    def contradict(self, one: Call, why: str) -> None:
        """Say that what came later is against a call; once it was let out, that is an error of the reply."""
        if id(one) in self._fresh:
            self._changed[id(one)] = broken(one.name, why, id=one.id, raw=one.raw)
        else:
            self.complain("unexpected_body", f"The call of {one.name[:80]!r} was told, but {why}.")

    def drain(self) -> list[Piece]:
        """What became certain since this was asked last."""
        told, self._pieces = self._left(self._pieces), []
        self._fresh.clear()
        self._by_id.clear()
        return told

    def close(self) -> Draft:
        """All of it."""
        self.draft.text = "".join(self._texts)
        self.draft.calls = self._left(self.draft.calls)
        return self.draft

    def _left(self, told: list[Any]) -> list[Any]:
        """What was not taken back, with what was put in the place of something."""
        if not self._changed:
            return told
        changed = (self._changed.get(id(one), one) for one in told)
        return [one for one in changed if one is not None]
