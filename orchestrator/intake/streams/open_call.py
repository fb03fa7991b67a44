"""A call whose arguments are still coming: fragments of their text in, one call out, exact or with its error.

Providers put more into the fragments than they should: `{}` before the real arguments, an object in place of a text,
all of it once more at the end. What cannot be told apart from a cut is cut.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, Final

from actions.messages import Call
from actions.strict_json import Repeated, Unreadable, decode, is_object
from orchestrator.intake.brackets import Brackets
from orchestrator.intake.calls import NOTHING, broken
from orchestrator.intake.formats.pieces import freely, word, written

_SHORT: Final = 16
_TWICE: Final = "its arguments stand there in two ways"


@dataclass(slots=True)
class OpenCall:
    """One call."""

    name: Any = None
    """Its name, as it came first."""
    id: Any = None
    """Its id."""
    free: bool = False
    """Whether its input is a free text (a custom tool's)."""
    ended: bool = False
    """Whether its provider said that it is complete, or that it never will be."""
    cut: bool = False
    """Whether it ended because the reply did."""
    lost: bool = False
    """Whether an error broke it off; it never runs."""
    told: bool = False
    """Whether it was let out: nothing changes it any more."""
    ignored: bool = False
    """Whether it is a tool of the provider's own: nothing that comes for it matters."""
    spoilt: str = ""
    """What makes it unreadable, if something does."""
    made: Call | None = None
    """The call itself, where it came whole."""
    given: Any = None
    """Its arguments as an object, where they came as one."""
    parts: list[str] = field(default_factory=list[str])
    """The fragments of its argument text."""
    size: int = 0
    """Characters of them."""
    brackets: Brackets = field(default_factory=Brackets)
    """What is open in them."""
    odd: bool = False
    """Whether they are no JSON, whatever comes yet."""
    like: Call | None = None
    """A call that was told before; where this one says the same, it is none."""

    def hold(self, *holders: Any) -> None:
        """See whether a key stands twice in an object that says something of this call."""
        if any(isinstance(one, Repeated) for one in holders):
            self.spoilt = "keys stand twice in its object"

    def text(self) -> str:
        """The argument text so far."""
        if len(self.parts) > 1:
            self.parts = ["".join(self.parts)]
        return self.parts[0] if self.parts else ""

    def add(self, given: Any) -> None:
        """Add a fragment, or take an object for all of the arguments."""
        if not isinstance(given, str):
            self.settle(given)
            return
        if self.size < _SHORT and given.lstrip().startswith("{") and self.text().strip() in (*NOTHING, "{}"):
            self.parts, self.size, self.brackets = [], 0, Brackets()  # what stood before was a placeholder
        if given.strip() and self.repeats(given):
            return
        self.parts.append(given)
        self.size += len(given)
        self.brackets.count(given)

    def settle(self, given: Any) -> None:
        """Take these for all of the arguments, unless what came before says something else."""
        if self.differs(given):
            self.spoilt = _TWICE
        self.put(given)

    def differs(self, given: Any) -> bool:
        """Whether these are other arguments than those that are known; a part of them that is lost is no matter."""
        known = self.text() if self.parts else self.given
        if self.free and isinstance(given, str) and isinstance(known, str):
            return not given.startswith(known)
        one, other = _read(known), _read(given)
        return bool(one) and other is not None and one != other

    def _says(self, given: str) -> bool:
        """Whether a text is the arguments so far, be they written in another way."""
        if self.size > 4 * len(given):
            return False
        return given == self.text() or (self.is_whole() and _read(given) == _read(self.text()))

    def put(self, given: Any) -> None:
        """Put these arguments in the place of what came before."""
        text = isinstance(given, str)
        self.parts, self.given = ([given], None) if text else ([], given)
        self.size, self.brackets, self.odd = len(given) if text else 0, Brackets(), False
        self.brackets.count(given if text else "")

    def repeats(self, given: Any) -> bool:
        """Whether this says once more what is known already."""
        if not isinstance(given, str):
            return bool(given == self.given or not given)
        if not given.strip():
            return True
        if not given.startswith("{") or not given.rstrip().endswith("}"):
            return False
        return self._says(given)

    def is_empty(self) -> bool:
        """Whether it has no arguments so far, not even `{}`."""
        return self.made is None and not self.given and self.size < _SHORT and self.text().strip() in NOTHING

    def is_ended_by_itself(self) -> bool:
        """Whether its argument text is one object, be it an empty one."""
        return self.is_whole() or self.text().strip() == "{}"

    def is_whole(self) -> bool:
        """Whether its argument text is one object with something in it."""
        if self.parts:
            if self.odd or self.brackets.open:
                return False
            found = _read(self.text())
            self.odd = found is None and self.text().lstrip().startswith("{")
            return bool(found)
        return bool(self.given)

    def call(self) -> Call | None:
        """The call; None where it is nothing but zeros."""
        if self.made is not None:
            return self.made
        given = self.text() if self.parts else self.given
        if self.parts and self.given and _read(given) != self.given:
            self.spoilt = self.spoilt or _TWICE
        if not (self.name or self.id or given):
            return None
        one = self._refused(given) if self.spoilt or self.lost else self._made(given)
        return None if self.like is not None and said(one) == said(self.like) else one

    def _refused(self, given: Any) -> Call:
        why = self.spoilt or "the provider broke off while it was written"
        return broken(word(self.name), why, truncated=not self.spoilt, id=self.id, raw=word(given))

    def _made(self, given: Any) -> Call:
        if self.free:
            return freely(self.name, given if given is not None else "", self.id, cut=self.cut)
        one = written(self.name, given, self.id, cut=self.cut)
        if self.cut and not one.malformed and not one.arguments:
            why = "the reply was cut off before its arguments"
            return broken(one.name, why, truncated=True, id=self.id, raw=one.raw)
        return one


def _read(given: Any) -> dict[str, Any] | None:
    """The object that arguments are, as one or as the text of one; None if they are none."""
    if isinstance(given, str):
        try:
            given = decode(given)
        except Unreadable:
            return None
    return given if is_object(given) else None


def said(one: Call) -> tuple[str, str]:
    """What a call says, to compare it with others: its name and its arguments."""
    known = one.arguments is not None
    return one.name, json.dumps(one.arguments, sort_keys=True) if known else one.raw.strip()
