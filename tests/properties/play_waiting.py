"""A play of waiting, its last part: pumps that die, leave, lose an answer or come too late, and the clock.

`step` is one move by chance; `wind_up` is one beat of the time after the play, when everything has to end.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from waiting_callers import LEASE_MS, QUEUE, Pump
from waiting_pumps import LivingPumps

from orchestrator.store.incoming import Finish
from orchestrator.store.keys import ghost
from orchestrator.store.records import Claimed


class WaitingPlay(LivingPumps):
    """All of it: one namespace, three pumps, and chance."""

    async def die(self, pump: Pump) -> None:
        """Without a word."""
        self._vanish(pump)

    async def leave(self, pump: Pump) -> None:
        """Hand everything back."""
        await self.store.runs.leave(pump.name, [QUEUE])
        for run, fence in self._known(pump):
            self.books.locks.free(run.partition("~")[0], fence)
            self.moved.add(run.partition("~")[0])
        self._vanish(pump)

    def _known(self, pump: Pump) -> list[tuple[str, str]]:
        ghosts = [(ghost(run, fence), fence) for run, fence in pump.ghosts]
        return [*ghosts, *((run.id, run.fence) for run in pump.flights.values())]

    async def lose_a_reply(self, pump: Pump) -> None:
        """A claim is carried out, its reply does not arrive: the pump squares what the store believes it holds."""
        if self.now > pump.lease_ends:
            return
        claim = await self.store.runs.claim_with(self._claim(pump))
        pump.lease_ends = self.now + LEASE_MS * 1_000
        for run in claim.runs:
            self._begun(pump, run)
        await self.store.runs.reconcile(pump.name, self._known(pump))
        for run in claim.runs:
            self.books.locks.free(run.id, run.fence)

    async def come_too_late(self) -> None:
        """One of a pump that is gone ends its run all the same; that counts only if nobody has missed it yet."""
        if not self.gone:
            return
        pump, run = self.chance.choice(self.gone)
        before = await self.store.runs.read(run.id)
        fence = await self.redis.hget(f"{self.prefix}r:{run.id}", "f")
        counts = fence == run.fence and before is not None and before.status in {"running", "cancelling"}
        finish = Finish(run.id, run.fence, "failed", '"late"')
        told = await self.store.runs.finish(pump.name, [finish])
        assert (told == ["ok"]) == counts, f"{run.id} came too late and is {told}"
        if counts:
            self._ended(pump, finish, counts=True)

    async def renew(self, pump: Pump) -> None:
        """Keep the lease, or hear that it is lost."""
        if await self.store.runs.renew(pump.name, LEASE_MS) is not None:
            pump.lease_ends = self.now + LEASE_MS * 1_000
        elif pump.flights or pump.ghosts:
            assert self.now > pump.lease_ends
            self._vanish(pump)

    async def tick(self) -> None:
        """As each host does once a second."""
        await self.store.runs.tick([QUEUE])
        self.moved |= {run.id for pump, run in self.gone if pump.lease_ends < self.now}

    async def wait(self) -> None:
        """Time goes by: limits open, what waits falls due, leases end."""
        await self.pass_time(self.chance.choice((1, 20, 200, 200, 1_100, 4_000, 11_000)))

    async def step(self) -> None:
        """One move by chance."""
        pump = self.chance.choice(self.pumps)
        moves: list[tuple[float, Callable[..., Any], tuple[Any, ...]]] = [
            (10, self.submit, ()), (4, self.cancel, ()), (2, self.change, ()), (2, self.cool, ()),
            (18, self.claim, (pump,)), (28, self.finish, (pump,)), (6, self.lay, (pump,)),
            (2, self.come_too_late, ()), (2, self.lose_a_reply, (pump,)), (2, self.renew, (pump,)),
            (1.5, self.die, (pump,)), (1, self.leave, (pump,)), (4, self.tick, ()), (14, self.wait, ()),
        ]  # fmt: skip
        _, move, given = self.chance.choices(moves, [weight for weight, _, _ in moves])[0]
        self.moved, self.roomy, self.greedy = set(), set(), set()
        await self.pass_time(
            0.1
        )  # each claim moves the fence, and with it the store's clock, by a microsecond
        self.log.append(f"{move.__name__} {given[0].name if given else ''}")
        await move(*given)

    async def settle_limits(self) -> None:
        """Operators take back what they said."""
        await self.pass_time(0.1)
        for field in list(self.guards.changes):
            name = field.partition(":")[0]
            await self.store.limits.unset(name, key=None if field == name else field)
            del self.guards.changes[field]
            self._note_changes(name)

    async def wind_up(self) -> bool:
        """One beat: all attempts end, everybody claims, and the clock goes to where something is due.

        False when nothing moves any more and nothing is due.
        """
        self.moved, moving = set(), False
        await self.tick()
        for pump in list(self.pumps):
            await self.pass_time(0.1)
            await self.lay(pump)
            if pump.flights:
                moving = True
                await self.finish(pump, _at_last)
            elif pump.wakes_at <= self.now:
                await self.claim(pump)
            moving |= bool(pump.flights)
            self.roomy, self.greedy = set(), set()  # the next one's ends may make others ready
        if moving:
            await self.pass_time(20)
            return True
        await self.pass_time(0.1)
        claim = await self.store.runs.claim_with(self._claim(self.pumps[0]))
        self._started(self.pumps[0], claim)
        if claim.due_ms < 0 and not claim.runs:
            if all(pump.lease_ends < self.now for pump in self.dead):
                return False
            await self.pass_time(1_000)
            return True
        await self.pass_time(1 if claim.runs else max(claim.due_ms, 1))
        return True


def _at_last(run: Claimed) -> Finish:
    return Finish(run.id, run.fence, "succeeded", '"at last"')
