"""What the runs of a play of waiting have to pass: a few keys of each kind, in one total order."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import Final, Literal

from waiting_books import Rate

from orchestrator.store.incoming import LimitGuard, LockGuard

SECOND: Final = 1_000_000
HOUR: Final = 3_600 * SECOND
MOST_COST: Final = 4

Guard = LockGuard | LimitGuard


def sort_of(guard: Guard) -> Literal["lock", "limit"]:
    """Whether it is a lock or a limit."""
    return "lock" if isinstance(guard, LockGuard) else "limit"


def in_file(guard: Guard) -> bool:
    """Whether runs pass it one by one, in their order; where there are several places two may climb on at once."""
    if isinstance(guard, LockGuard):
        return guard.policy == "wait" and guard.places == 1
    return guard.over == "wait"


class Guards:
    """The guards of one play, narrow to wide, locks first among those as narrow: `orchestrator.guards` sorts so."""

    def __init__(self, chance: Random) -> None:
        self.chance = chance
        self.changes: dict[str, tuple[Rate | None, int | None]] = {}
        """What operators have said, by name or key."""
        self.ladder: list[Guard] = [
            LockGuard("order:1"),
            LockGuard("seat:1", places=2),
            *self._limits("ticker", 2),
            LockGuard("desk:1"),
            *self._limits("user", 2),
            LockGuard("~turn:1", places=3),
            LockGuard("house"),
            *self._limits("all", 1),
            self._daily(),
        ]

    def _limits(self, name: str, keys: int) -> list[LimitGuard]:
        """A limit with some keys: exact, or GCRA."""
        per = self.chance.choice((1, 4, 20)) * SECOND
        if self.chance.random() < 0.5:
            rate = Rate(self.chance.randint(1, 5), per)
        else:
            n = self.chance.randint(2, 20)
            rate = Rate(n, per, self.chance.randint(1, max(1, n // 2)))
        return [LimitGuard(f"{name}:{key}", name, rate.n, rate.per_us, rate.burst) for key in range(keys)]

    def _daily(self) -> LimitGuard:
        return LimitGuard("daily", "daily", self.chance.randint(1, 4), HOUR)

    def some(self) -> tuple[Guard, ...]:
        """Up to four guards, in the order of the ladder, as an action would declare them."""
        count = self.chance.choice((0, 1, 1, 2, 2, 3, 4))
        rungs = sorted(self.chance.sample(range(len(self.ladder)), count))
        return tuple(self._declared(self.ladder[at]) for at in rungs if at < 9 or self.chance.random() < 0.5)

    def _declared(self, guard: Guard) -> Guard:
        refuses = self.chance.random() < 0.1
        if isinstance(guard, LockGuard):
            policy = "refuse" if refuses else "replace" if self.chance.random() < 0.07 else "wait"
            return guard if guard.key.startswith("~") else replace(guard, policy=policy)
        cost = (
            max(self.chance.randint(1, min(MOST_COST, guard.burst)) for _ in range(2)) if guard.burst else 1
        )
        return replace(guard, cost=cost, over="refuse" if refuses else "wait")

    def other_rate(self) -> tuple[LimitGuard, Rate | None, int | None, bool] | None:
        """A limit, what it is to be from now on (None: as declared), a cost, and whether only for its key."""
        guard = self.chance.choice([guard for guard in self.ladder if isinstance(guard, LimitGuard)])
        by_key = self.chance.random() < 0.5
        if self.chance.random() < 0.3:
            return guard, None, None, by_key
        if not guard.burst:
            return guard, Rate(self.chance.randint(1, 7), self._per(guard)), None, by_key
        n = self.chance.randint(1, 20)
        cost = self.chance.randint(1, 3) if self.chance.random() < 0.3 else None
        return guard, Rate(n, self._per(guard), self.chance.randint(1, max(1, n // 2))), cost, by_key

    def _per(self, guard: LimitGuard) -> int:
        return guard.per_us if self.chance.random() < 0.6 else self.chance.choice((2, 10)) * SECOND
