"""Calls that a text holds many times over: what a runaway repeats never runs.

In: the calls of a text, in order. Out: the same, with those refused that are the work of a model that goes round in
circles, or that repeat an earlier call in a block without an end.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Final

from actions.messages import CallError
from orchestrator.intake.calls import NO_END, broken

if TYPE_CHECKING:
    from actions.messages import Call

MAX_COPIES: Final = 16
"""Equal calls in one text that may be meant; a model that writes more of them goes round in circles."""


def mark(one: Call) -> tuple[str, str] | None:
    """What equal calls have in common; None for a malformed one."""
    return None if one.malformed else (one.name, json.dumps(one.arguments, sort_keys=True))


def refuse_copies(calls: list[Call]) -> list[Call]:
    """Refuse every copy of a call that stands there more than `MAX_COPIES` times, and unclosed repetitions."""
    if len(calls) < 2:  # noqa: PLR2004 - one cannot repeat another
        return calls
    marks = [mark(one) for one in calls]
    times = Counter(each for each in marks if each is not None)
    seen: set[object] = set()
    kept: list[Call] = []
    for one, own in zip(calls, marks, strict=True):
        if own is not None and times[own] > MAX_COPIES:
            kept.append(_runaway(one, times[own]))
        elif own in seen and NO_END in one.repaired:
            why = "it repeats a call before it, and its end is missing"
            kept.append(broken(one.name, why, truncated=True, id=one.id))
        else:
            kept.append(one)
        seen.add(own)
    return kept


def _runaway(one: Call, times: int) -> Call:
    why = f"the reply repeats it {times} times, so none of them is believed; ask once for what is wanted once"
    found = broken(one.name, why, id=one.id, raw=one.raw)
    error = CallError(code="too_many_calls", message=found.error.message if found.error else why)
    return found.model_copy(update={"error": error})
