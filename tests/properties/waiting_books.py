"""The books of a play of waiting: what limits, locks and queues allow, kept apart from the store and by other means.

Each start is entered as the play hears of it. What must not be raises AssertionError with the story of the key.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from orchestrator.store.incoming import LimitGuard, LockGuard, NewRun


@dataclass(frozen=True)
class Rate:
    """What a limit allows at some time."""

    n: int
    per_us: int
    burst: int = 0

    @property
    def step(self) -> int:
        """µs that a unit takes of GCRA, rounded up."""
        return -(-self.per_us // (self.n - self.burst + 1))


@dataclass
class Start:
    """A start that took some units."""

    at: int
    units: int
    run: str
    tat: int = 0
    """GCRA's arrival time after it."""


class Meter:
    """One key of a limit: all starts within it, and what they allow."""

    def __init__(self, guard: LimitGuard) -> None:
        self.key = guard.key
        self.name = guard.name
        self.declared = Rate(guard.n, guard.per_us, guard.burst)
        self.rate = self.declared
        self.cost: int | None = None
        self.changed_at = 0
        self.most = guard.n
        """The most that was allowed since `per_us` is what it is."""
        self.window_since = 0
        self.cooled = 0
        self.starts: list[Start] = []
        self.tat = 0

    def change(self, now: int, rate: Rate, cost: int | None = None) -> None:
        """Another rate from now on."""
        if rate.per_us == self.rate.per_us:
            self.most = max(self.most, rate.n)
        else:
            self.most, self.window_since = rate.n, now
        self.rate, self.cost, self.changed_at = rate, cost, now

    def charge_of(self, guard: LimitGuard) -> int:
        """Units that a run with this guard takes."""
        return (self.cost or guard.cost) if self.rate.burst else 1

    def units(self, now: int, since: int = 0) -> int:
        """Taken within the window that ends now."""
        begin = max(now - self.rate.per_us, since)
        return sum(start.units for start in self.starts if start.at > begin)

    def enter(self, now: int, run: str, guard: LimitGuard) -> None:
        """A run has started within it: was it allowed to?"""
        assert now >= self.cooled, (
            f"{run} passed {self.key}, which cools down for {self.cooled - now} µs more"
        )
        assert self.rate.n, f"{run} passed {self.key}, which is closed"
        cost = self.charge_of(guard)
        if self.rate.burst:
            early = self.free_at(now, guard) - now
            assert early <= 0 or cost > self.rate.burst, f"{run} passed {self.key} {early} µs early"
            self.tat = max(self.tat, now) + cost * self.rate.step
        self.starts.append(Start(now, min(cost, self.rate.n), run, self.tat))
        taken = self.units(now, self.changed_at)
        story = [(start.at - now, start.units, start.run) for start in self.starts[-12:]]
        assert taken <= self.rate.n, f"{self.key}: {taken} in one window, {self.rate} allows less: {story}"
        if not self.rate.burst and not self.declared.burst:
            assert self.units(now, self.window_since) <= self.most, (
                f"{self.key}: it has forgotten its past: {story}"
            )

    def taken_by(self, run: str) -> int:
        """Units that a run took when it started last."""
        return next(start.units for start in reversed(self.starts) if start.run == run)

    def settle(self, now: int, run: str, spent: int) -> None:
        """A run that has ended says what it really took."""
        start = next(start for start in reversed(self.starts) if start.run == run)
        more = spent - start.units
        if more < 0:
            after = self.tat - start.tat
            self.tat = min(self.tat, max(now, start.tat + more * self.rate.step) + after)
            start.units = spent
        elif more > 0:
            self.tat = max(self.tat, now) + more * self.rate.step
            self.starts.append(Start(now, more, run, self.tat))

    def free_at(self, now: int, guard: LimitGuard) -> int:
        """The latest time at which a run with this guard has to be let in if nobody stands before it."""
        if not self.rate.n:
            return now + 3_600_000_000
        if self.rate.burst:
            back = (self.rate.burst - self.charge_of(guard)) * self.rate.step
            return max(now, self.cooled, self.tat - back)
        late = sorted(start.at for start in self.starts if start.at > now - self.rate.per_us)
        short = len(late) - self.rate.n
        return max(now, self.cooled, late[short] + self.rate.per_us if short >= 0 else 0)


@dataclass
class Holder:
    """A pump as far as leases go."""

    name: str
    lease_ends: int = 0


class Locks:
    """Who holds which lock, by the play's own account."""

    def __init__(self) -> None:
        self.holds: dict[str, dict[tuple[str, str], Holder]] = defaultdict(dict)

    def take(self, now: int, run: str, fence: str, pump: Holder, guards: Iterable[LockGuard]) -> None:
        """A run starts with these locks: is there a place in each?"""
        for guard in guards:
            holds = self.holds[guard.key]
            others = [f"{who[0]}~{who[1]} on {by.name}" for who, by in holds.items() if by.lease_ends >= now]
            assert len(others) < guard.places, f"{run} has taken {guard.key} from {others}"
            holds[run, fence] = pump

    def free(self, run: str, fence: str) -> None:
        """That attempt holds nothing any more."""
        for holds in self.holds.values():
            holds.pop((run, fence), None)


@dataclass
class Order:
    """A run as it was submitted."""

    new: NewRun
    number: int
    plain: bool
    """It can only wait for its guards: what stands before it must start before it."""
    started: bool = False

    @property
    def kin(self) -> Any:
        """Runs of the same kin are equal before every guard and list."""
        return self.new.lane, self.new.priority, self.new.tenant, self.new.guards


@dataclass
class Books:
    """All that the play knows."""

    orders: dict[str, Order] = field(default_factory=dict)
    meters: dict[str, Meter] = field(default_factory=dict)
    locks: Locks = field(default_factory=Locks)
    ended: dict[str, str] = field(default_factory=dict)
    """Statuses of runs that have ended, as the store told them first."""
    kins: dict[Any, list[Order]] = field(default_factory=lambda: defaultdict(list))

    overtaken: list[tuple[str, Order]] = field(default_factory=list)
    """Runs that started, and equals before them that had not: they must have ended in that same step."""

    def submitted(self, new: NewRun, *, plain: bool) -> None:
        """A run was recorded."""
        order = Order(new, len(self.orders), plain)
        self.orders[new.id] = order
        if plain:
            self.kins[order.kin].append(order)
        for guard in limits_of(new):
            self.meters.setdefault(guard.key, Meter(guard))

    def started(self, now: int, run: str, fence: str, pump: Holder) -> None:
        """An attempt of a run has begun."""
        assert run not in self.ended, f"{run} started after it had ended as {self.ended[run]}"
        order = self.orders[run]
        locks = [guard for guard in order.new.guards if isinstance(guard, LockGuard)]
        self.locks.take(now, run, fence, pump, locks)
        for guard in limits_of(order.new):
            self.meters[guard.key].enter(now, run, guard)
        if order.plain and not order.started:
            before = self.kins[order.kin][: self.kins[order.kin].index(order)]
            self.overtaken += [(run, other) for other in before if other.plain and not other.started]
        order.started = True

    def check_order(self) -> None:
        """Equals start in the order in which they were submitted; those that have ended meanwhile do not count."""
        for run, other in self.overtaken:
            assert other.started or other.new.id in self.ended, f"{run} has overtaken {other.new.id}"
        self.overtaken.clear()

    def open_runs(self) -> Iterator[str]:
        """Runs that have not ended as far as is known."""
        return (run for run in self.orders if run not in self.ended)


def limits_of(new: NewRun) -> list[LimitGuard]:
    """The rate limits among a run's guards."""
    return [guard for guard in new.guards if isinstance(guard, LimitGuard)]
