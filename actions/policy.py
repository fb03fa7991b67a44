"""Declared limits and their arithmetic; nothing here waits, and nothing here is enforced.

In: durations as people write them ("250ms", "1m"), and a retry policy. Out: timedeltas, and how long the next
wait is. A policy that makes no sense is refused when it is declared, so that no run finds out later.
"""

from __future__ import annotations

import math
import random
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, cast

from actions.errors import DeclarationError

_SECONDS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_TEXT: Final = re.compile(r"(\d+(?:\.\d+)?) ?(ms|s|m|h|d)", re.ASCII)
_HOW: Final = 'write it as "250ms", "1s", "1m", "2h" or "1d", as a number of seconds, or as a timedelta'


def duration(value: timedelta | float | str) -> timedelta:
    """Return what a text ("250ms", "1.5s", "1m", "2h", "1d"), a number of seconds or a timedelta means.

    Raises:
        DeclarationError: for anything else, and for what is negative or not finite.
    """
    if isinstance(value, timedelta):
        length = value
    elif isinstance(value, str):
        match = _TEXT.fullmatch(value.strip())
        if match is None:
            raise DeclarationError(f"{value!r} is no duration: {_HOW}")
        length = _seconds(float(match[1]) * _SECONDS[match[2]])
    elif not _is_number(value):
        raise DeclarationError(f"{value!r} is no duration: {_HOW}")
    else:
        length = _seconds(value)
    if length < timedelta(0):
        raise DeclarationError(f"a duration cannot be negative: {value!r}")
    return length


def _seconds(number: float) -> timedelta:
    try:
        return timedelta(seconds=number)
    except (OverflowError, ValueError):
        raise DeclarationError(f"{number} seconds is no duration: {_HOW}") from None


@dataclass(frozen=True, slots=True, init=False)
class Retry:
    """How often a failed attempt is tried again, and how long between.

    Waits grow as `initial * factor ** (attempt - 1)` up to `cap`, and each is drawn evenly between nothing
    and that bound ("full jitter": M. Brooker, "Exponential Backoff And Jitter", AWS 2015), so that many
    runs which failed together do not come back together.
    """

    retries: int
    """How many attempts may follow the first; 0 means none."""
    initial: timedelta
    """Upper bound of the first wait."""
    factor: float
    """How much longer each bound is than the one before; at least 1."""
    cap: timedelta
    """No wait is longer."""
    on: tuple[type[BaseException], ...]
    """Which exceptions of a handler are tried again."""
    never: tuple[type[BaseException], ...]
    """Which of these are not, after all."""

    def __init__(
        self,
        retries: int = 0,
        *,
        initial: timedelta | float | str = "1s",
        factor: float = 2,
        cap: timedelta | float | str = "10s",
        on: type[BaseException] | tuple[type[BaseException], ...] = (Exception,),
        never: type[BaseException] | tuple[type[BaseException], ...] = (),
    ) -> None:
        if not (_is_number(retries) and isinstance(cast("object", retries), int) and retries >= 0):
            raise DeclarationError(f"retries has to be a whole number, 0 or more, not {retries!r}")
        if not _is_number(factor) or not 1 <= factor < math.inf:
            raise DeclarationError(f"factor has to be a number, 1 or more, not {factor!r}")
        first, longest = duration(initial), duration(cap)
        if first > longest:
            raise DeclarationError(
                f"initial ({first}) is longer than cap ({longest}): raise cap or lower initial"
            )
        keep = object.__setattr__  # the dataclass is frozen
        keep(self, "retries", retries)
        keep(self, "initial", first)
        keep(self, "factor", float(factor))
        keep(self, "cap", longest)
        keep(self, "on", _exceptions("on", on))
        keep(self, "never", _exceptions("never", never))

    def limits(self, attempt: int) -> tuple[timedelta, timedelta]:
        """Return the shortest and the longest wait after this attempt failed; attempts count from 1."""
        try:
            longest = self.initial * self.factor ** (attempt - 1)
        except OverflowError:
            longest = self.cap if self.initial else self.initial
        return timedelta(0), min(longest, self.cap)

    def delay(self, attempt: int, random: Callable[[], float] = random.random) -> timedelta:
        """Return the wait after this attempt (from 1) failed; `random` gives numbers from 0 to 1."""
        shortest, longest = self.limits(attempt)
        return shortest + (longest - shortest) * random()

    def covers(self, error: BaseException) -> bool:
        """Whether an attempt that raised this is worth another one."""
        return isinstance(error, self.on) and not isinstance(error, self.never)

    def left(self, attempt: int) -> bool:
        """Whether another attempt may follow this one (from 1)."""
        return attempt <= self.retries


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _exceptions(field: str, given: Any) -> tuple[type[BaseException], ...]:
    kinds: tuple[Any, ...] = given if isinstance(given, tuple) else (given,)
    for kind in kinds:
        if not (isinstance(kind, type) and issubclass(kind, BaseException)):
            raise DeclarationError(f"{field} has to be exception classes in a tuple, {kind!r} is none")
    return kinds
