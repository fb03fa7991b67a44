"""How much of a rate limit is used, worked out for people: its numbers and what the store remembers in, room out.

The arithmetic is that of `lua/shared/limits.lua`, which alone decides who starts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from orchestrator.store.incoming import LimitGuard, LockGuard

REMEMBERED: Final = 1_000
"""Starts that an exact limit remembers at most."""


@dataclass(frozen=True, slots=True)
class Numbers:
    """What a limit lets through."""

    n: int
    """Starts (or units) in each window; 0: nobody starts."""
    per_us: int
    """Length of the window in microseconds."""
    burst: int = 0
    """0: exactly n starts in any window; else GCRA: so many units at once."""

    @property
    def most(self) -> int:
        """Starts or units that it lets through at once."""
        return min(self.burst, self.n) or self.n

    def changed(self, n: int, per_us: int, burst: int) -> Numbers:
        """These numbers after an operator's word: an exact limit stays exact, GCRA stays GCRA."""
        if not self.burst:
            return Numbers(min(n, REMEMBERED), per_us)
        return Numbers(n, per_us, max(1, min(burst or n // 2, n)))


@dataclass(frozen=True, slots=True)
class Room:
    """How much of a limit is taken."""

    used: int
    """Starts or units that count at this moment."""
    most: int
    """Starts or units at once; 0: closed by an operator."""
    next_us: int | None
    """When one more start or unit is free, µs since the epoch, in the past if it is now; None: when it is opened."""


def room(numbers: Numbers, starts: Sequence[int], tat: int, cooled: int, now: int) -> Room:
    """How much of a limit is taken.

    Args:
        numbers: what it lets through.
        starts: the last starts of an exact limit (µs), the newest first.
        tat: the theoretical arrival time of a GCRA limit (µs), 0 for none.
        cooled: until when it lets nobody through (µs), 0 for none.
        now: the clock (µs).
    """
    if numbers.burst and numbers.n:
        step = -(-numbers.per_us // (numbers.n - numbers.burst + 1))
        used = -(-max(0, tat - now) // step)
        return Room(used, numbers.most, max(cooled, tat - (numbers.burst - 1) * step))
    used = sum(start + numbers.per_us > now for start in starts)
    if not numbers.n:
        return Room(used, 0, None)
    full = len(starts) >= numbers.n
    return Room(used, numbers.n, max(cooled, starts[numbers.n - 1] + numbers.per_us if full else 0))


def read_guards(text: str) -> list[LockGuard | LimitGuard]:
    """The guards in a run's record, as `LockGuard.line` and `LimitGuard.line` wrote them."""
    found: list[LockGuard | LimitGuard] = []
    for line in text.splitlines():
        kind, policy, *rest = line.split()
        if kind == "L":
            places, key = rest
            found.append(LockGuard(key, policy, int(places)))  # type: ignore[arg-type] # it wrote one of these words
        else:
            n, per_us, burst, cost, name, key = rest
            found.append(LimitGuard(key, name, int(n), int(per_us), int(burst), int(cost), policy))  # type: ignore[arg-type] # as above
    return found
