"""Rows of streams on docs/formats.md: a sample and a reply in, what tells them apart out, event by event.

An event that the sample has as well is not told. Another one is told by what differs from the sample's event that is
most like it, or as a whole. So a row shows what it is about, however long its stream is.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from difflib import SequenceMatcher
from typing import Any

from orchestrator.intake import sse

Changes = Callable[[Any, Any, str], Iterator[str]]
"""What has to be changed in one value to get the other, a line for each place."""

_MOST_LINES = 8
_MOST_CHANGES = 2
"""Places in which an event is told by what differs; with more it is told as a whole."""


def events_of(reply: Any) -> list[Any]:
    """The events of a list, or of a stream's text; none where it is no stream's."""
    if isinstance(reply, list):
        return reply
    reader = sse.reader_for(reply) if isinstance(reply, str) else None
    return [*reader.feed(reply), *reader.close()] if reader else []


def differences(sample: Any, reply: Any, changes: Changes) -> list[str]:
    """What tells the events of a reply from the sample's, a line for each place; none if they are the same."""
    before, after = events_of(sample), events_of(reply)
    keys, found = list(map(_key, before)), list(map(_key, after))
    matched = SequenceMatcher(None, keys, found, autojunk=False).get_opcodes()
    gone = {at for kind, first, end, _, _ in matched if kind != "equal" for at in range(first, end)}
    new = [at for kind, _, _, first, end in matched if kind != "equal" for at in range(first, end)]
    lines: list[str] = []
    for at in new:
        told, like = _told(at, after[at], before, gone, changes)
        lines += told
        gone.discard(like)
    if gone and len(new) < len(after):
        lines.append(f"of the sample {_listed(sorted(gone))} left out")
    elif gone:
        lines.insert(0, f"nothing but {len(after)} event{'s' * (len(after) > 1)}")
    if len(lines) > _MOST_LINES:
        lines = [*lines[:_MOST_LINES], f"and {len(lines) - _MOST_LINES} more"]
    return lines


def _told(at: int, event: Any, before: list[Any], gone: set[int], changes: Changes) -> tuple[list[str], int]:
    """The lines for one event, and which of the sample's it was compared with, -1 for none."""
    best: tuple[int, bool, list[str], int] | None = None
    for number, other in enumerate(before):
        if isinstance(event, dict) and isinstance(other, dict):
            told = list(changes(other, event, f"[{at}]"))
            ranked = (len(told), number not in gone, told, number)
            best = ranked if best is None or ranked[:2] < best[:2] else best
    if best is None or not 1 <= best[0] <= _MOST_CHANGES:
        same = best is not None and best[0] == 0
        return [f"[{at}]: as [{best[3]}]" if same and best else f"[{at}]: {_key(event)}"], -1
    return best[2], best[3]


def _listed(numbers: list[int]) -> str:
    """`[2]`, `[2] and [3]`, or `[2] to [5]` where they follow each other."""
    if len(numbers) > 2 and numbers[-1] - numbers[0] == len(numbers) - 1:
        return f"[{numbers[0]}] to [{numbers[-1]}]"
    shown = [f"[{each}]" for each in numbers]
    return " and ".join([", ".join(shown[:-1]), shown[-1]] if shown[:-1] else shown)


def _key(event: Any) -> str:
    return json.dumps(event, ensure_ascii=False)
