"""A reply that comes in events, while it is being put together: small verbs for the wires in, pieces out.

A piece comes out as soon as it is certain: visible text at once, a call once its provider says that its arguments are
complete. At the end of the stream a call that nobody ended runs only if its argument text is one whole object with
something in it. Calls come out in the order in which they began, and never twice.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable
from typing import Any, Final

from actions.messages import Call
from orchestrator.intake.draft import MAX_LISTED, Draft
from orchestrator.intake.formats.pieces import Pieces, ran
from orchestrator.intake.streams.open_call import OpenCall
from orchestrator.intake.streams.outlet import Outlet, Piece

_LATE: Final = "more arguments came after it had ended"


class _Shown(Pieces):
    """What readers of whole items add their texts to, where they go into a stream's reply."""

    __slots__ = ("_to",)

    def __init__(self, to: Assembly) -> None:
        super().__init__()
        self._to = to

    def add(self, text: Any) -> None:
        self._to.text(text)

    def part(self) -> None:
        self._to.apart()


class Assembly:
    """The reply so far."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.notes: dict[str, Any] = {}
        """What the wire keeps in mind from one event to the next."""
        self.size = 0
        """Characters of text and arguments that came."""
        self.out = Outlet()
        """What is certain."""
        self.pieces: Final[Pieces] = _Shown(self)
        """Where readers of whole items put their texts."""
        self._apart = False
        self._calls: dict[Hashable, OpenCall] = {}
        self._waiting: deque[OpenCall] = deque()
        self._begun = 0
        self._ran: set[Hashable] = set()
        self._over = False

    @property
    def draft(self) -> Draft:
        """Text, calls and errors that are certain."""
        return self.out.draft

    @property
    def empty(self) -> bool:
        """Whether there is neither text nor a call."""
        return self.out.empty and not self._waiting

    def text(self, piece: Any) -> None:
        """Add visible text; what is no text is nothing."""
        if not isinstance(piece, str) or not piece:
            return
        if self._apart and self.out.any_text:
            piece = f"\n\n{piece}"
        self._apart = False
        self.size += len(piece)
        self.out.text(piece)

    def apart(self) -> None:
        """Say that something stands between the text before and the one that comes."""
        self._apart = True

    def begin(
        self,
        key: Hashable,
        name: Any = None,
        id: Any = None,  # noqa: A002 - the wire's word
        *holders: Any,
        free: bool = False,
    ) -> OpenCall:
        """Begin a call; what is said of `key` from now on is said of it."""
        one = OpenCall(name=name, id=id, free=free)
        one.hold(*holders)
        self._calls[key] = one
        self._begun += 1
        if self._begun <= MAX_LISTED + 1:
            self._waiting.append(one)
        self._tell()
        return one

    def ignore(self, key: Hashable) -> None:
        """Say that what comes under a key are no arguments of ours."""
        self._calls[key] = OpenCall(told=True, ignored=True)

    def known(self, key: Hashable) -> OpenCall | None:
        """The call that was begun last under a key."""
        return self._calls.get(key)

    def fragment(self, key: Hashable, given: Any) -> None:
        """Add a piece of a call's argument text; an object is all of its arguments."""
        if given is None or given == "":
            return
        one = self._calls.get(key) or self.begin(key)
        self.size += len(given) if isinstance(given, str) else 0
        if one.told or one.ended:
            self._late(one, given)
        else:
            one.add(given)

    def whole(self, key: Hashable, given: Any) -> None:
        """Say what all of a call's arguments are, as events do that repeat what came in fragments."""
        one = self._calls.get(key) or self.begin(key)
        if given is None or one.ignored:
            return
        if not (one.told or one.ended):
            one.settle(given)
        elif not one.spoilt and one.differs(given):
            self._late(one, given)

    def finish(self, key: Hashable, *, cut: bool = False) -> None:
        """Say that a call is complete, or with `cut` that it never will be."""
        one = self._calls.get(key)
        if one is not None and not one.ended:
            one.ended, one.cut = True, cut
        self._tell()

    def finish_whole(self, key: Hashable) -> None:
        """Say that another call follows; that is an end for one whose arguments are an object with something in it."""
        one = self._calls.get(key)
        if one is not None and not one.ended and one.is_whole():
            one.ended = True
        self._tell()

    def finish_all(self, *, cut: bool = False) -> None:
        """Say that the reply is complete, or with `cut` that it was cut off."""
        self._over, self.draft.cut = True, self.draft.cut or cut
        for one in self._waiting:
            if not one.ended or (cut and one is self._waiting[-1] and one.is_empty()):
                one.ended, one.cut = True, cut
        self._tell(sure=True)

    def forget(self, key: Hashable) -> None:
        """Say that nothing more comes under a key."""
        self._calls.pop(key, None)

    def drop(self, key: Hashable) -> None:
        """Say that a call was none, or stands in the reply in another way too."""
        one = self._calls.pop(key, None)
        if one is not None and not one.told:
            self._waiting.remove(one)

    def absorb(self, found: Draft) -> None:
        """Take over what a reader of whole items found in one of them, but for its text."""
        for one in found.calls:
            done = self.begin(("absorbed", self._begun))
            done.ended, done.made = True, one
        for error in found.errors:
            self.out.complain(error.code, error.message)
        for name in found.provider_calls:
            ran(self.draft, name)
        self._tell()

    def provider_call(self, name: Any, key: Hashable = None) -> None:
        """Note a tool that the provider runs itself; under one key only once."""
        if key is None or key not in self._ran:
            self._ran.add(key)
            ran(self.draft, name)

    def asked(self) -> list[Call]:
        """Every call so far, also those that nobody ended yet."""
        waiting = (one.call() for one in self._waiting)
        return [*self.draft.calls, *(one for one in waiting if one is not None)]

    def fail(self, message: str, code: str = "provider_error") -> None:
        """Note that the reply broke off; calls that are not complete never will be. Said twice it is told once."""
        self.draft.cut = True
        if all(error.message != message for error in self.draft.errors):
            self.out.complain(code, message)
        for one in self._waiting:
            if not one.ended:
                one.ended, one.lost = True, True
        self._tell(sure=True)

    def drain(self) -> list[Piece]:
        """What became certain since this was asked last."""
        return self.out.drain()

    def close(self) -> Draft:
        """End the stream; return all of the reply. One without an end of its own was cut off."""
        self.finish_all(cut=not self._over or any(not one.ended for one in self._waiting))
        return self.out.close()

    def _late(self, one: OpenCall, given: Any) -> None:
        if one.ignored or one.spoilt or one.lost or one.repeats(given):
            return
        one.spoilt = _LATE
        if one.told and one.made is not None and not one.made.malformed:
            self.out.contradict(one.made, _LATE)

    def _tell(self, *, sure: bool = False) -> None:
        """Let out the calls that are certain.

        One without arguments at the very end is certain only if the reply was not cut off there.
        """
        while self._waiting:
            one = self._waiting[0]
            if not one.ended or not (sure or len(self._waiting) > 1 or not one.is_empty()):
                return
            self._waiting.popleft()
            one.told = True
            one.made = one.call()
            if one.made is not None:
                self.out.call(one.made)
