"""So many in a window: "100/1s" in, a count and a length out, or a ValueError.

Operators write the numbers of a limit so (`umbel limits`), and how many requests a key of the API may make. Runs are
held back by limits and wait their turn; a request never waits, so its rate is no more than two numbers.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from actions.errors import DeclarationError
from actions.policy import duration

_FORM: Final = re.compile(r"([0-9]{1,12})\s*/\s*([0-9.]*\s*[a-z]+)", re.ASCII)
_MOST: Final = 999_999_999
_SHORTEST: Final = timedelta(milliseconds=1)
_LONGEST: Final = timedelta(days=366)
_US: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Rate:
    """At most `n` requests in any window."""

    n: int
    """Requests."""
    per_us: int
    """Length of the window in microseconds."""


def numbers(text: str) -> tuple[int, timedelta] | None:
    """The count and the window of "50/1s", "200 / 10m" or "1000/d"; None if the text has not this form."""
    match = _FORM.fullmatch(text.strip())
    if match is None:
        return None
    try:
        return int(match[1]), duration(match[2] if match[2][0].isdigit() else f"1{match[2]}")
    except DeclarationError:
        return None


def read(text: str) -> Rate | None:
    """The rate of requests that a text says: "100/1s", "6000/m"; None for an empty one, which is no bound.

    Raises:
        ValueError: it says something else; worded for the person who wrote it.
    """
    if not text:
        return None
    told = numbers(text)
    if told is None or not 1 <= told[0] <= _MOST or not _SHORTEST <= told[1] <= _LONGEST:
        raise ValueError("does not say how many in which window; write 100/1s or 6000/1m")
    return Rate(told[0], told[1] // _US)
