"""A play of waiting, its second part: pumps that claim, end their runs in all ways, and have handlers that go on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from waiting_books import Holder, limits_of
from waiting_callers import (
    LANES,
    LEASE_MS,
    NAP_MS,
    PATIENCE_MS,
    QUEUE,
    SHARE,
    TENANTS,
    Callers,
    Pump,
    share_of,
)
from waiting_guards import sort_of

from orchestrator.store.incoming import Effect, EffectKind, Finish
from orchestrator.store.records import Claim, Claimed
from orchestrator.store.rows import claim_arguments, finish_arguments, shares


class LivingPumps(Callers):
    """What pumps do that live."""

    def _vanish(self, pump: Pump) -> None:
        """Dead or lost; its place is taken by a new one."""
        self.gone += [(pump, run) for run in pump.flights.values()]
        self.dead.append(pump)
        self.pumps[self.pumps.index(pump)] = self._pump()

    def _claim(self, pump: Pump) -> list[Any]:
        suspects = 4 - sum(1 for run in pump.flights.values() if run.level)
        rooms = pump.rooms()
        flying = {"": Counter[str](), "/t": Counter[str]()}
        for run in pump.flights.values():
            flying[run.lane.removeprefix(QUEUE)][run.tenant] += 1
        told = {
            lane.removeprefix(QUEUE): (room, flying[lane.removeprefix(QUEUE)]) for lane, room in LANES.items()
        }
        return claim_arguments(
            pump.name, list(rooms.items()), "one@host", LEASE_MS, NAP_MS, len(pump.flights), suspects,
            patience_ms=PATIENCE_MS, shares=shares(SHARE, told),
        )  # fmt: skip

    async def claim(self, pump: Pump) -> None:
        """Claim what there is room for."""
        self._started(pump, await self.store.runs.claim_with(self._claim(pump)))

    def _started(self, pump: Pump, claim: Claim) -> None:
        if claim.verdict == "lost":
            assert self.now > pump.lease_ends
            self._vanish(pump)
            return
        rooms = pump.rooms()
        self._extend(pump)
        for run in claim.runs:
            self._begun(pump, run)
            pump.flights[run.id] = run
        for lane, count in Counter(run.lane for run in claim.runs).items():
            assert claim.verdict == "alone" or count <= rooms[lane]
        pump.alone = claim.verdict == "alone" or (pump.alone and bool(pump.flights))
        pump.wakes_at = self.now + (NAP_MS if not claim.runs else 900) * 1_000
        if claim.due_ms >= 0:
            pump.wakes_at = min(pump.wakes_at, self.now + claim.due_ms * 1_000)
        left = pump.rooms() if claim.verdict == "ok" and claim.due_ms else {}
        self.roomy = {lane for lane, room in left.items() if room > 0}
        self._shared_out(pump, claim)

    def _shared_out(self, pump: Pump, claim: Claim) -> None:
        """Who has taken more than its share, and who less. Suspects start before all others and do not count."""
        suspects = {run.id for run in claim.runs if run.level}
        flying = Counter((run.lane, run.tenant) for run in pump.flights.values() if run.id not in suspects)
        taken = {(run.lane, run.tenant) for run in claim.runs if run.id not in suspects}
        self.greedy = {who for who in taken if flying[who] > share_of(who[0])}
        self.modest = {
            (lane, tenant) for lane in LANES for tenant in TENANTS if flying[lane, tenant] < share_of(lane)
        }

    def _extend(self, pump: Pump) -> None:
        """Its lease begins anew; what it held under one that is over may be another's by now."""
        if self.now > pump.lease_ends:
            for run, fence in pump.ghosts:
                self.books.locks.free(run, fence)
        pump.lease_ends = self.now + LEASE_MS * 1_000

    def _begun(self, pump: Pump, run: Claimed) -> None:
        self.books.started(self.now, run.id, run.fence, pump)
        self.moved.add(run.id)

    async def finish(self, pump: Pump, end: Callable[[Claimed], Finish] | None = None) -> None:
        """End some of its runs, mostly together with the next claim."""
        mine = list(pump.flights.values())
        if end is None:
            mine = self.chance.sample(mine, self.chance.randint(0, len(mine)))
        finishes = [(end or self._somehow)(run) for run in mine]
        in_time = self.now <= pump.lease_ends
        together = end is not None or self.chance.random() < 0.7
        for finish in finishes:
            del pump.flights[finish.run]
        told, claim = [], None
        if finishes and together:
            rows = finish_arguments(pump.name, finishes, (QUEUE,))
            told, claim = await self.store.runs.turnaround(rows, self._claim(pump))
        elif finishes:
            told = await self.store.runs.finish(pump.name, finishes)
        for finish, answer in zip(finishes, told, strict=True):
            assert answer == "ok" or not in_time, f"{finish.run} of a live pump is {answer}"
            self._ended(pump, finish, counts=answer == "ok")
        if claim is not None:
            self._started(pump, claim)
        if finishes and self.chance.random() < 0.1:
            assert set(await self.store.runs.finish(pump.name, finishes)) <= {"done", "stale"}

    def _ended(self, pump: Holder, finish: Finish, *, counts: bool) -> None:
        self.moved.add(finish.run)
        kinds = {effect.kind for effect in finish.effects}
        if counts and EffectKind.GHOST in kinds and isinstance(pump, Pump):
            pump.ghosts.append((finish.run, finish.fence))
        else:
            self.books.locks.free(finish.run, finish.fence)
        for effect in finish.effects if counts else ():
            if effect.kind is EffectKind.SPENT:
                self.books.meters[effect.key].settle(self.now, finish.run, int(effect.value))
            elif effect.kind is EffectKind.COOL:
                self._cooled(effect.key, int(effect.value))

    def _somehow(self, run: Claimed) -> Finish:
        verdict = self.chance.choice((*["succeeded"] * 4, "failed", "again", "postponed", "timed_out"))
        effects: list[Effect] = []
        limits = limits_of(self.books.orders[run.id].new)
        for guard in limits:
            meter = self.books.meters[guard.key]
            as_declared = (
                meter.rate == meter.declared and not meter.cost and meter.taken_by(run.id) == guard.cost
            )
            if meter.rate.burst and as_declared and self.chance.random() < 0.7:
                spent = self.chance.randint(0 if guard.cost > 1 else 1, guard.cost + 2)
                effects.append(Effect(EffectKind.SPENT, guard.key, str(spent)))
            elif self.chance.random() < 0.03:
                effects.append(Effect(EffectKind.COOL, guard.key, str(self.chance.choice((200, 2_000)))))
        if (
            verdict in {"timed_out", "again"}
            and self.books.orders[run.id].new.guards
            and self.chance.random() < 0.6
        ):
            effects.append(Effect(EffectKind.GHOST))
        delay = self.chance.choice((0, 1, 50, 400, 3_000))
        return Finish(run.id, run.fence, verdict, f'"{verdict}"', delay, "backoff", tuple(effects))

    async def lay(self, pump: Pump, ghosts: Iterable[tuple[str, str]] | None = None) -> None:
        """Handlers that went on after their run's end have ended."""
        for run, fence in list(pump.ghosts if ghosts is None else ghosts):
            answer = await self.store.runs.finish(pump.name, [Finish(run, fence, "late", '"late"')])
            assert answer == ["ok"] or self.now > pump.lease_ends or not self._has_locks(run), answer
            pump.ghosts.remove((run, fence))
            self.books.locks.free(run, fence)
            self.moved.add(run)

    def _has_locks(self, run: str) -> bool:
        return any(sort_of(guard) == "lock" for guard in self.books.orders[run].new.guards)
