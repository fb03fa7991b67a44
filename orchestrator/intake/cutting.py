"""A text that was cut off: the calls that were read from it in, those out that are certain, the others refused.

Some arguments have no end mark of their own, such as a free text of ReAct: they end where the text does, and nothing in
them shows that they are whole. They are found by reading the text once more with something behind it: a call that would
then run with other arguments was not at its end. JSON that is whole to its bracket is none of these.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from actions.messages import Call
from orchestrator.intake.calls import broken
from orchestrator.intake.dialects.face import Dialect
from orchestrator.intake.prose import sweep

_MORE: Final = ("x", "x]")
"""How a text could have gone on: in a word, or in brackets that had only seemed to end."""


def certain(calls: list[Call], text: str, dialects: Sequence[Dialect]) -> list[Call]:
    """The calls of a text that was cut off, each that may be half of what was meant with its error."""
    if all(one.malformed for one in calls):
        return calls
    others = [sweep(text + more, dialects)[0].calls for more in _MORE]
    return [
        _refused(one) if any(_differs(one, other[place : place + 1]) for other in others) else one
        for place, one in enumerate(calls)
    ]


def _differs(one: Call, other: list[Call]) -> bool:
    """Whether the call would have run with other arguments."""
    return any(
        each.name == one.name and not each.malformed and each.arguments != one.arguments for each in other
    )


def _refused(one: Call) -> Call:
    if one.malformed:
        return one
    why = "the reply was cut off at the end of its input, which may go on"
    return broken(one.name, why, truncated=True, id=one.id, raw=one.raw)
