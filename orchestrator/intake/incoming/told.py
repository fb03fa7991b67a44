"""What was let out of a reply before its end: it cannot be taken back, so the reply at the end must agree with it.

In: pieces as they become certain, then the reply of the whole. Out: the pieces that may be let out, then what was left,
and a reply in which every call stands once. The two differ only where the end of a reply changes its beginning: a
runaway's copies, or calls in prose before the provider's own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from actions.messages import Call, CallError, Reply
from orchestrator.intake.calls import NO_END
from orchestrator.intake.copies import MAX_COPIES, mark
from orchestrator.intake.draft import MAX_CALLS
from orchestrator.intake.streams.outlet import Piece


class Told:
    """What was let out so far."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.native = False
        """Whether the provider's own calls have begun: the calls that come are its own."""
        self._calls: list[Call] = []
        self._errors: list[CallError] = []
        self._copies: Counter[Any] = Counter()
        self._text = False
        self._mute = False

    def take(self, pieces: Iterable[Piece]) -> list[Piece]:
        """The pieces that may be let out now."""
        return [piece for piece in pieces if self._may_go(piece)]

    def settle(self, left: list[Piece], reply: Reply) -> tuple[list[Piece], Reply]:
        """What is left to be let out at the end, and the reply that says it all."""
        if list(reply.calls[: len(self._calls)]) != self._calls:
            reply = self._reconciled(reply)
        own = reply.errors[: len(reply.errors) - sum(one.malformed for one in reply.calls)]
        out: list[Piece] = []
        for piece in left:
            place = len(self._calls)
            if isinstance(piece, str):
                out.append(piece)
            elif isinstance(piece, Call) and reply.calls[place : place + 1] == (piece,):
                out.append(piece)
                self._calls.append(piece)
        out += reply.calls[len(self._calls) :]
        out += [error for error in own if error not in self._errors]
        if reply.text and not self._text and not any(isinstance(piece, str) for piece in out):
            out.insert(0, reply.text)
        return out, reply

    def _may_go(self, piece: Piece) -> bool:
        if isinstance(piece, str):
            self._text = True
            return True
        if isinstance(piece, CallError):
            self._errors.append(piece)
            return True
        if not self._is_call_due(piece):
            return False
        self._calls.append(piece)
        return True

    def _is_call_due(self, one: Call) -> bool:
        """Whether a call is let out before the end: not if the rest of the reply may yet refuse it."""
        own = mark(one)
        seen = self._copies[own] if own is not None else 0
        if self.native:
            return not seen  # a call that the text had asked for already
        self._copies[own] += 1
        refused = seen >= MAX_COPIES or (seen and NO_END in one.repaired)
        self._mute = self._mute or bool(refused) or len(self._calls) >= MAX_CALLS
        return not self._mute

    def _reconciled(self, reply: Reply) -> Reply:
        known = {mark(one) for one in self._calls} - {None}
        rest = [one for one in reply.calls if one not in self._calls and mark(one) not in known]
        own = reply.errors[: len(reply.errors) - sum(one.malformed for one in reply.calls)]
        calls = (*self._calls, *rest)
        told = [one.error for one in calls if one.error is not None]
        earlier = [error for error in self._errors if error not in own]
        return reply.model_copy(update={"calls": calls, "errors": (*earlier, *own, *told)})
