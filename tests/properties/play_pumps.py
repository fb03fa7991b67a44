"""A play on the store, its second half: what pumps do, also what they should not have to do.

They finish twice, come too late, lose a reply, die; and chance, with a seed, says what happens next.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from play_callers import LANES, LEAD, QUEUES, Callers

from actions.messages import Status
from orchestrator.store.incoming import Effect, EffectKind, Finish
from orchestrator.store.records import Claim, Claimed
from orchestrator.store.rows import claim_arguments, finish_arguments

LEASE_MS: Final = 10_000
NAP_MS: Final = 2_000


@dataclass
class Pump:
    """What a pump knows of itself."""

    name: str
    lease_ends: int = 0
    flights: dict[str, Claimed] = field(default_factory=dict)
    alone: bool = False
    wakes_at: int = 0
    """When it claims again by itself, µs."""

    def rooms(self) -> dict[str, int]:
        """Places left in each lane."""
        if self.alone and self.flights:
            return dict.fromkeys(LANES, 0)
        used = Counter(run.lane for run in self.flights.values())
        return {lane: room - used[lane] for lane, room in LANES.items()}


class Play(Callers):
    """One namespace, three pumps, and chance."""

    def begin(self, seed: int) -> None:
        """Start with clean books; the namespace must be empty."""
        super().begin(seed)
        self.pumps = [Pump(self.name("pump")) for _ in range(3)]

    async def cancel(self) -> None:
        """Any run, whatever it does just now."""
        known = [*self.plain, *self.calls, *(run for pump in self.pumps for run in pump.flights)]
        if known:
            chosen = self.chance.choice(known)
            verdict = await self.store.runs.cancel(chosen)
            assert verdict in {"cancelled", "cancelling", "terminal"}
            if verdict != "terminal":
                self.cancelled.add(chosen)

    async def claim(self, pump: Pump) -> None:
        """Claim what there is room for."""
        self._started(pump, await self.store.runs.claim_with(self._claim(pump)))

    def _claim(self, pump: Pump) -> list[Any]:
        suspects = 2 - sum(1 for run in pump.flights.values() if run.level)
        lanes = list(pump.rooms().items())
        return claim_arguments(pump.name, lanes, "one@host", LEASE_MS, NAP_MS, len(pump.flights), suspects)

    def _started(self, pump: Pump, claim: Claim) -> None:
        if claim.verdict == "lost":
            assert self.now > pump.lease_ends
            self._vanish(pump)
            return
        rooms = pump.rooms()
        pump.lease_ends = self.now + LEASE_MS * 1_000
        for run in claim.runs:
            assert int(run.fence) > self.fence
            assert int(run.fence) >= self.now
            holders = [
                other for other in self.pumps if run.id in other.flights and other.lease_ends >= self.now
            ]
            assert not holders, f"{run.id} is on two pumps"
            pump.flights[run.id] = run
        self.fence = max([self.fence, *(int(run.fence) for run in claim.runs)])
        for lane, count in Counter(run.lane for run in claim.runs).items():
            assert claim.verdict == "alone" or count <= rooms[lane]
        if claim.verdict == "alone":
            assert len(pump.flights) == 1
        pump.alone = claim.verdict == "alone" or (pump.alone and bool(pump.flights))
        naps = claim.verdict == "ok" and not claim.runs
        pump.wakes_at = self.now + (NAP_MS if naps else 900) * 1_000
        if claim.due_ms >= 0:
            pump.wakes_at = min(pump.wakes_at, self.now + claim.due_ms * 1_000 + 1_000)

    async def finish(self, pump: Pump, end: Callable[[Claimed], Finish] | None = None) -> None:
        """End some of its runs, mostly together with the next claim."""
        mine = list(pump.flights.values())
        if end is None:
            mine = self.chance.sample(mine, self.chance.randint(0, len(mine)))
        finishes = [await self._ended(run, end or self._somehow) for run in mine]
        if not finishes:
            await self.claim(pump)
            return
        for finish in finishes:
            del pump.flights[finish.run]
        in_time = self.now <= pump.lease_ends
        if end or self.chance.random() < 0.7:
            told, claim = await self.store.runs.turnaround(
                finish_arguments(pump.name, finishes, QUEUES), self._claim(pump)
            )
            self._started(pump, claim)
        else:
            told = await self.store.runs.finish(pump.name, finishes)
        assert not in_time or "stale" not in told
        if self.chance.random() < 0.1:
            again = await self.store.runs.finish(pump.name, finishes)
            assert set(again) <= {"done", "stale"}

    async def _ended(self, run: Claimed, end: Callable[[Claimed], Finish]) -> Finish:
        if not run.id.endswith(".next"):
            return end(run)
        if self.chance.random() < 0.2 and end == self._somehow:
            verdict = self.chance.choice(("again", "failed"))
            return Finish(run.id, run.fence, verdict, '"no model"', 300, "backoff")
        await self._answer(run, bye=end != self._somehow)
        return Finish(run.id, run.fence, "succeeded", "{}")

    async def _answer(self, run: Claimed, *, bye: bool = False) -> str:
        """Open the round that this leading run was claimed for."""
        number = int(run.id.rsplit(".", 2)[1])
        message, runs, calls = self._calls(run.turn, number)
        if bye:
            message, runs, calls = json.dumps({"role": "assistant", "content": "bye"}), [], []
        verdict = await self.store.conversations.round(
            run.conversation, run.turn, "d", number, [message], runs,
            by=(run.id, run.fence), lead=LEAD, goes_on=bool(runs) and self.chance.random() < 0.7,
        )  # fmt: skip
        assert verdict in {"ok", "stale"}
        if verdict == "ok":
            self._book(run.conversation, run.turn, runs, calls)
        return verdict

    def _somehow(self, run: Claimed) -> Finish:
        verdict = self.chance.choice((*["succeeded"] * 3, "failed", "again", "postponed", "timed_out"))
        effects = (
            Effect(EffectKind.APPEND, "list", "1"),
            Effect(EffectKind.TRANSITION, str(run.state_revision), "B"),
            Effect(EffectKind.CONTINUE),
            Effect(EffectKind.COMPLETE),
        )
        chosen = (self.chance.choice(effects),) if run.conversation and self.chance.random() < 0.2 else ()
        delay = self.chance.choice((0, 1, 50, 400, 3_000))
        return Finish(run.id, run.fence, verdict, json.dumps(verdict), delay, "backoff", chosen)

    async def come_too_late(self) -> None:
        """One of a pump that is gone ends its run all the same; that counts only if nobody has missed it yet."""
        if not self.ghosts:
            return
        name, run = self.chance.choice(self.ghosts)
        view = await self.store.runs.read(run.id)
        fence = await self.redis.hget(f"{self.prefix}r:{run.id}", "f")
        counts = view.status == Status.RUNNING and fence == run.fence
        stopping = view.status == Status.CANCELLING and fence == run.fence
        if run.id.endswith(".next"):
            assert await self._answer(run) == ("ok" if counts else "stale")
            return
        told = await self.store.runs.finish(name, [Finish(run.id, run.fence, "failed", '"late"')])
        assert (told == ["ok"]) == (counts or stopping)

    async def lose_a_reply(self, pump: Pump) -> None:
        """A claim is carried out, its reply does not arrive: the pump squares what the store believes it holds."""
        if self.now <= pump.lease_ends:
            await self.store.runs.claim_with(self._claim(pump))
            pump.lease_ends = self.now + LEASE_MS * 1_000
            await self.store.runs.reconcile(pump.name, [(run.id, run.fence) for run in pump.flights.values()])

    async def renew(self, pump: Pump) -> None:
        """Keep the lease, or hear that it is lost."""
        kept = await self.store.runs.renew(pump.name, LEASE_MS)
        if kept is None:
            assert self.now > pump.lease_ends or not pump.lease_ends
            self._vanish(pump)
        else:
            pump.lease_ends = self.now + LEASE_MS * 1_000

    def _vanish(self, pump: Pump) -> None:
        """Dead or lost: what it holds is a ghost's, and its place is taken by a new one."""
        self.ghosts += [(pump.name, run) for run in pump.flights.values()]
        self.pumps[self.pumps.index(pump)] = Pump(self.name("pump"))
        self.since_tick = False

    async def die(self, pump: Pump) -> None:
        """Without a word."""
        self._vanish(pump)

    async def leave(self, pump: Pump) -> None:
        """Hand everything back."""
        await self.store.runs.leave(pump.name, QUEUES)
        self._vanish(pump)

    async def tick(self) -> None:
        """As each host does once a second."""
        await self.open_gates("nudged", "alonetok")
        await self.store.runs.tick(QUEUES)
        living = {f"{self.prefix}wake:{pump.name}" for pump in self.pumps}
        for key in [key async for key in self.redis.scan_iter(f"{self.prefix}wake:*")]:
            if key not in living:
                await self.redis.delete(key)
        self.since_tick = True
        self.just_ticked = True

    async def wait(self) -> None:
        """Time goes by: hot promises and naps run out, what waits falls due, leases end."""
        self.pass_time(self.chance.choice((1, 20, 200, 200, 1_100, 4_000, 11_000)))
        await self.open_gates("nudged")
        if self.chance.random() < 0.5:  # the nudges are lost on their way, or swallowed
            await self.redis.delete(*(f"{self.prefix}celery:{queue}" for queue in QUEUES))
        self.since_tick = False

    async def start_pump(self) -> None:
        """Celery brings a nudge to a worker."""
        for queue in QUEUES:
            if await self.redis.lpop(f"{self.prefix}celery:{queue}"):
                await self.claim(self.chance.choice(self.pumps))

    async def step(self) -> None:
        """One move by chance."""
        pump = self.chance.choice(self.pumps)
        moves: list[tuple[int, Callable[..., Any], tuple[Any, ...]]] = [
            (6, self.submit, ()), (8, self.post, ()), (5, self.say, ()), (4, self.cancel, ()),
            (14, self.claim, (pump,)), (24, self.finish, (pump,)), (3, self.come_too_late, ()),
            (2, self.lose_a_reply, (pump,)), (3, self.renew, (pump,)), (2, self.die, (pump,)),
            (1, self.leave, (pump,)), (4, self.tick, ()), (8, self.wait, ()), (3, self.start_pump, ()),
        ]  # fmt: skip
        _, move, given = self.chance.choices(moves, [weight for weight, _, _ in moves])[0]
        self.just_ticked = False
        self.log.append(f"{move.__name__} {given[0].name if given else ''}")
        await move(*given)

    async def sweep(self) -> None:
        """Empty the namespace."""
        keys = [key async for key in self.redis.scan_iter(f"{self.prefix}*")]
        if keys:
            await self.redis.unlink(*keys)
        for queue in QUEUES:
            await self.store.runs.offer_nudge(queue, f"{self.prefix}celery:{queue}", "@NUDGE@")
