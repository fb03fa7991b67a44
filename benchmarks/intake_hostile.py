"""The hostile rows: families in, ways to make texts of any size out that try to be slow to read.

The tests' own hostile replies, and of each family the worst beginning that its sample has: it is looked for.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator

from cases import Family
from hostile_replies import BEGINNINGS, beginnings, repeated, shapes
from intake_grown import Way, written

from orchestrator.intake import read

FAMILY = "hostile"
"""Stands in place of a format's name."""
_LOOKED_AT = 50_000
"""Characters of the texts in which the worst beginning is looked for."""
_SHOWN = 26
"""Characters of a beginning that fit the table."""


def hostile(families: list[Family], seen: Callable[[str], None]) -> Iterator[Way]:
    """Every way; `seen` hears which family the worst beginning is looked for in."""
    for family in families:
        seen(f"{family.name}: the worst beginning")
        worst = max(beginnings(written(family.sample)), key=_time)
        yield Way(
            family.name, f"{FAMILY}: {_shown(worst)} n times", lambda size, worst=worst: repeated(worst, size)
        )
    for one in BEGINNINGS:
        yield Way(FAMILY, f"{_shown(one)} n times", lambda size, one=one: repeated(one, size))
    for what, make in shapes():
        yield Way(FAMILY, what, make)


def _shown(beginning: str) -> str:
    short = beginning if len(beginning) <= _SHOWN else f"…{beginning[-_SHOWN:]}"
    return json.dumps(short, ensure_ascii=False)


def _time(beginning: str) -> float:
    text = repeated(beginning, _LOOKED_AT)
    started = time.process_time()
    read(text)
    return time.process_time() - started
