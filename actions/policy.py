"""Declared clocks, retries and isolation, and their arithmetic; nothing here waits or is enforced.

In: durations as people write them ("250ms", "1m"), and policies. Out: timedeltas, and how long the next
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

from actions.errors import ConfigError, DeclarationError

_FINAL: Final = (ConfigError, DeclarationError)
"""No attempt mends these."""
_SECONDS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_TEXT: Final = re.compile(r"(\d+(?:\.\d+)?) ?(ms|s|m|h|d)", re.ASCII)
_UNITS: Final = {"B": 1, "KB": 2**10, "MB": 2**20, "GB": 2**30}
_SIZE: Final = re.compile(r"(\d+) ?(B|KB|MB|GB)", re.ASCII)
LONGEST: Final = timedelta(days=36_525)
"""What goes beyond it fits neither a date nor the integers of the store."""
LEAST_MEMORY: Final = 16 * 2**20
"""Bytes beyond its start that a process needs for anything at all."""
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
    elif not is_number(value):
        raise DeclarationError(f"{value!r} is no duration: {_HOW}")
    else:
        length = _seconds(value)
    if length < timedelta(0):
        raise DeclarationError(f"a duration cannot be negative: {value!r}")
    if length > LONGEST:
        raise DeclarationError(f"{value!r} is longer than a hundred years: leave it out for no limit")
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
        if not (is_number(retries) and isinstance(cast("object", retries), int) and retries >= 0):
            raise DeclarationError(f"retries has to be a whole number, 0 or more, not {retries!r}")
        if not is_number(factor) or not 1 <= factor < math.inf:
            raise DeclarationError(f"factor has to be a number, 1 or more, not {factor!r}")
        first, longest = duration(initial), duration(cap)
        if first > longest:
            raise DeclarationError(
                f"initial ({spoken(first)}) is longer than cap ({spoken(longest)}): raise cap or lower initial"
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
        """Whether an attempt that raised this is worth another one; what is configured wrongly never is."""
        return isinstance(error, self.on) and not isinstance(error, (*self.never, *_FINAL))

    def left(self, attempt: int) -> bool:
        """Whether another attempt may follow this one (from 1)."""
        return attempt <= self.retries

    def like(self, own: Retry | None) -> Retry:
        """Return these numbers with the exceptions of another policy, which say what is worth a second attempt."""
        if own is None:
            return self
        numbers: dict[str, Any] = {"initial": self.initial, "factor": self.factor, "cap": self.cap}
        return Retry(self.retries, **numbers, on=own.on, never=own.never)


@dataclass(frozen=True, slots=True, init=False)
class Timeouts:
    """The clocks of a run. Each is None where there is no such limit; what is left of `total` bounds the others."""

    attempt: timedelta | None
    """How long one attempt may take."""
    queue: timedelta | None
    """How long after it was recorded its first attempt must have begun; else it is expired and never starts."""
    heartbeat: timedelta | None
    """How long an attempt may be without a sign of life (`ctx.heartbeat()`)."""
    total: timedelta | None
    """How long after it was recorded it must have ended, waits and all its attempts included; else it is expired."""

    def __init__(
        self,
        attempt: timedelta | float | str | None = "30s",
        *,
        queue: timedelta | float | str | None = None,
        heartbeat: timedelta | float | str | None = None,
        total: timedelta | float | str | None = None,
    ) -> None:
        given = {"attempt": attempt, "queue": queue, "heartbeat": heartbeat, "total": total}
        for name, value in given.items():
            object.__setattr__(self, name, _limit(name, value))
        if self.heartbeat and self.attempt and self.heartbeat >= self.attempt:
            raise DeclarationError(
                f"an attempt ends after {spoken(self.attempt)}, before a heartbeat of "
                f"{spoken(self.heartbeat)} is missed: raise attempt or lower heartbeat"
            )


@dataclass(frozen=True, slots=True, init=False)
class Isolation:
    """A run in a process of its own, which can be killed at any moment: at its timeout, when it is cancelled."""

    memory: int | None
    """Bytes that it may take beyond what it has at its start; None for no limit."""

    def __init__(self, memory: int | str | None = "512MB") -> None:
        given = None if memory is None else size(memory)
        if given is not None and given < LEAST_MEMORY:
            raise DeclarationError(
                f'{memory!r} is {given} bytes, too little for a process: write "512MB", and 16MB at least'
            )
        object.__setattr__(self, "memory", given)


def size(value: int | str) -> int:
    """Return the bytes that a number or a text ("512MB", "2GB"; 1 KB is 1,024 bytes) means.

    Raises:
        DeclarationError: for anything else, and for nothing at all.
    """
    found: Any = value
    if isinstance(value, str) and (match := _SIZE.fullmatch(value.strip())):
        found = int(match[1]) * _UNITS[match[2]]
    if not isinstance(found, int) or isinstance(found, bool) or found < 1:
        raise DeclarationError(f'{value!r} is no size: write it as "512MB", "2GB", or as a number of bytes')
    return found


def spoken(length: timedelta) -> str:
    """Return a duration in words, for messages: "250 ms", "1.5 s", "2 min", "3 h", "1 d"."""
    seconds = length.total_seconds()
    if 0 < seconds < 1:
        return f"{seconds * 1000:g} ms"
    for unit, name in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= unit and seconds % unit == 0:
            return f"{seconds / unit:g} {name}"
    return f"{seconds:g} s"


def milliseconds(length: timedelta) -> int:
    """Return whole milliseconds, rounded up: no limit becomes none by being short."""
    return math.ceil(length / timedelta(milliseconds=1))


def _limit(name: str, given: Any) -> timedelta | None:
    """A clock's length; 0 means the same as None."""
    if given is None:
        return None
    try:
        return duration(given) or None
    except DeclarationError as error:
        raise DeclarationError(f"{name}: {error}") from None


def whole(what: str, given: Any, *, most: int | None = None) -> None:
    """Raise DeclarationError for what is no whole number from 1 to `most`."""
    if not isinstance(given, int) or isinstance(given, bool) or given < 1:
        raise DeclarationError(f"{what} has to be a whole number, 1 or more, not {given!r}")
    if most is not None and given > most:
        raise DeclarationError(f"{what} has to be at most n, which is {most}, not {given}")


def is_number(value: Any) -> bool:
    """Whether it is a number; True and False are none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def _exceptions(field: str, given: Any) -> tuple[type[BaseException], ...]:
    kinds: tuple[Any, ...] = given if isinstance(given, tuple) else (given,)
    for kind in kinds:
        if not (isinstance(kind, type) and issubclass(kind, BaseException)):
            raise DeclarationError(f"{field} has to be exception classes in a tuple, {kind!r} is none")
    return kinds
