"""A play of waiting on the store, its first part: runs behind limits, locks and caps, and operators who change limits.

Chance, with a seed, says what happens next and writes it into the books (waiting_books), which say whether it may.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from random import Random
from typing import Final

from virtual_store import VirtualStore
from waiting_books import Books, Holder, limits_of
from waiting_guards import Guards, in_file

from orchestrator.store.incoming import NewRun, Priority
from orchestrator.store.records import Claimed

QUEUE: Final = "work"
LANES: Final = {"work": 4, "work/t": 2}
"""Places of each pump."""
TENANTS: Final = ("", "a", "b")
LEASE_MS: Final = 10_000
NAP_MS: Final = 2_000
PATIENCE_MS: Final = 5_000
SHARE: Final = 50


def share_of(lane: str) -> int:
    """How many places of a pump one tenant may fill while others wait."""
    return max(1, LANES[lane] * SHARE // 100)


@dataclass
class Pump(Holder):
    """What a pump knows of itself."""

    flights: dict[str, Claimed] = field(default_factory=dict)
    ghosts: list[tuple[str, str]] = field(default_factory=list)
    alone: bool = False
    wakes_at: int = 0

    def rooms(self) -> dict[str, int]:
        """Places left in each lane."""
        if self.alone and self.flights:
            return dict.fromkeys(LANES, 0)
        used = Counter(run.lane for run in self.flights.values())
        return {lane: room - used[lane] for lane, room in LANES.items()}


class Callers(VirtualStore):
    """One namespace, three pumps, and chance; what callers and operators do."""

    def start(self, seed: int) -> None:
        """Begin with clean books; the namespace must be empty."""
        self.begin()
        self.chance = Random(seed)
        self.books = Books()
        self.guards = Guards(self.chance)
        self.named = 0
        self.pumps = [self._pump() for _ in range(3)]
        self.gone: list[tuple[Pump, Claimed]] = []
        self.dead: list[Pump] = []
        self.moved: set[str] = set()
        """Runs whose attempt began or ended in this step."""
        self.log: list[str] = []
        self.roomy: set[str] = set()
        """Lanes for which the claim in this step had room left, and did not say that it wants to claim again."""
        self.greedy: set[tuple[str, str]] = set()
        """Lanes in which it gave a tenant more than its share."""
        self.modest: set[tuple[str, str]] = set()
        """Lanes in which a tenant has less than its share."""

    def name(self, kind: str) -> str:
        """A new name."""
        self.named += 1
        return f"{kind}_{self.named:04}"

    def _pump(self) -> Pump:
        return Pump(self.name("pump"))

    # What callers do

    async def submit(self) -> None:
        """Some runs, alike or not; some with a delay or a deadline."""
        alike = self.chance.random() < 0.5
        first = self.guards.some()
        lane, tenant = self.chance.choice(list(LANES)), self.chance.choice(TENANTS)
        for _ in range(self.chance.randint(1, 6)):
            guards = first if alike else self.guards.some()
            timed = self.chance.random() < 0.1
            new = NewRun(
                self.name("run"),
                lane if alike else self.chance.choice(list(LANES)),
                b"{}",
                priority=Priority.NORMAL if alike else self.chance.choice(list(Priority)),
                tenant=tenant if alike else self.chance.choice(TENANTS),
                guards=guards,
                total_ms=self.chance.choice((None, 3_000, 40_000)) if timed else None,
                queue_ms=self.chance.choice((None, 2_000)) if timed else None,
                delay_ms=self.chance.choice((0, 700)) if timed else 0,
            )
            plain = not timed and all(in_file(guard) for guard in guards)
            self.books.submitted(new, plain=plain)
            for guard in limits_of(new):
                self._note_changes(guard.name)
            assert await self.store.runs.submit([new]) == 1

    async def cancel(self) -> None:
        """Any run, whatever it does just now."""
        known = list(self.books.open_runs())
        if known:
            verdict = await self.store.runs.cancel(self.chance.choice(known))
            assert verdict in {"cancelled", "cancelling", "terminal"}

    async def change(self) -> None:
        """An operator says that a limit is another one now, for all its keys or one of them; or as declared again."""
        rate = self.guards.other_rate()
        if rate is None:
            return
        declared, new, cost, by_key = rate
        key = declared.key if by_key else None
        if new is None:
            await self.store.limits.unset(declared.name, key=key)
        else:
            burst = {"burst": new.burst} if new.burst else {}
            await self.store.limits.set(
                declared.name, n=new.n, per_us=new.per_us, cost=cost, key=key, **burst
            )
        self.guards.changes[declared.name if key is None else key] = (new, cost)
        self._note_changes(declared.name)

    def _note_changes(self, name: str) -> None:
        """What holds for a key: what was said of it, else of its name, else what was declared."""
        for meter in self.books.meters.values():
            if meter.name == name:
                own = self.guards.changes.get(meter.key, (None, None))
                rate, cost = own if own[0] else self.guards.changes.get(name, (None, None))
                if (rate or meter.declared, cost) != (meter.rate, meter.cost):
                    meter.change(self.now, rate or meter.declared, cost)

    async def cool(self) -> None:
        """A limit's other side has said: not now."""
        keys = list(self.books.meters)
        if keys:
            key, ms = self.chance.choice(keys), self.chance.choice((300, 3_000, 60_000))
            await self.store.limits.cool([key], ms)
            self._cooled(key, ms)

    def _cooled(self, key: str, ms: int) -> None:
        meter = self.books.meters[key]
        meter.cooled = max(meter.cooled, self.now + ms * 1_000)
