"""A play of chains: callers, people, and pumps that die, on a clock that the play moves.

In: a seed. Out: a log of what was begun and what the store took, in its order, for `test_chain_simulation` to judge.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any, Final

from pydantic_core import to_json

from actions.messages import Payload, Status, run_id_of
from orchestrator.chat_shape import tool_head
from orchestrator.settings import Settings
from orchestrator.store.incoming import Ask, Effect, EffectKind, Finish, LockGuard, NewRun
from orchestrator.store.records import Claimed
from orchestrator.store.store import Store

BEGIN: Final = 4_000_000_000_000_000
LEASE_MS: Final = 10_000
ERROR: Final = '{"error":"no","code":"failed"}'


@dataclass
class Chain:
    """A chain as it was posted, and what became of it in the order in which the store took it."""

    turn: str
    steps: list[NewRun]
    lead: NewRun | None
    cancelled: bool = False
    """Somebody wanted it to be."""
    log: list[tuple[str, str]] = field(default_factory=list)
    """(`did` or `undid` or `ended`, run)."""

    @property
    def conversation(self) -> str:
        return f"conv_{self.turn[5:]}"


class ChainPlay:
    """The stage."""

    def __init__(self, settings: Settings, seed: int) -> None:
        self.store = Store(settings, connections=2)
        self.prefix, self.redis = self.store.connection.prefix, self.store.connection.redis
        self.chance = random.Random(seed)
        self.frame = self.store.connection._frame
        self.now = BEGIN
        self.pass_time(0)
        self.chains: dict[str, Chain] = {}
        self.pumps: dict[str, list[Claimed]] = {}
        self.count = 0
        self.undoes: dict[str, str] = {}
        """What each step and each child says of its undo."""
        self.ghosts: dict[str, list[Claimed]] = {}
        """Handlers that go on after the end of their attempt, by pump."""
        self.leases: dict[str, int] = {}
        """When the lease of each pump ends, µs."""
        self.uncertain: set[str] = set()
        """Steps with an attempt of which nobody knows what it did."""

    def pass_time(self, ms: int) -> None:
        self.now += ms * 1000
        self.store.connection._frame = (self.now, *self.frame[1:])

    # Callers

    async def post(self) -> None:
        self.count += 1
        turn, chance = f"turn_{self.count}", self.chance
        steps = [self.step(turn, at) for at in range(chance.randint(1, 5))]
        lead = self.lead(turn) if chance.random() < 0.4 else None
        for at, run in enumerate(steps):
            run.status = Status.BLOCKED if at or lead else Status.READY
            run.open = 1 if at or lead else 0
            run.dependents = (f"!{steps[at + 1].id}",) if at + 1 < len(steps) else ()
        self.undoes |= {run.id: run.undoes for run in steps}
        chain = self.chains[turn] = Chain(turn, steps, lead)
        await self.store.conversations.open(chain.conversation)
        verdict = await self.store.conversations.round(
            chain.conversation,
            turn,
            "d",
            0,
            ['{"role":"assistant","content":""}'],
            steps,
            mode="chain",
            chain_lead=lead,
        )
        assert verdict == "ok"

    def step(self, turn: str, at: int) -> NewRun:
        chance, run = self.chance, str(run_id_of(turn, 0, at))
        shared = (LockGuard(f"own:{chance.randint(0, 2)}"),) if chance.random() < 0.4 else ()
        return NewRun(
            run,
            "actions",
            Payload("ACT").encode(),
            position=at,
            head=tool_head(f"call{at}"),
            chain="step",
            undoes=chance.choice(("", "1", "1", "2", "2")),  # type: ignore[arg-type]
            rescues=chance.random() < 0.15,
            approval=self.ask() if chance.random() < 0.15 else None,
            total_ms=60_000 if chance.random() < 0.1 else None,
            on_unknown=chance.choice(("retry", "retry", "fail", "check")),
            guards=(*shared, LockGuard(f"~run:{run}")),
        )

    def ask(self) -> Ask:
        """Perhaps under a key that others ask under as well: then a newer question ends an older one."""
        key = self.chance.choice(("", "", "key:0", "key:1"))
        return Ask("d", self.chance.choice((2_000, 30_000)), "{}", key=key)

    def lead(self, turn: str) -> NewRun:
        key = f"chain.of:{self.chance.randint(0, 1)}"
        policy: Any = self.chance.choice(("wait", "wait", "wait", "refuse"))
        return NewRun(
            f"run_{turn[5:]}.0.chain", "actions", Payload("umbel.chain").encode(), position="chain", chain="lead",
            guards=(LockGuard(key, policy),), dependents=(str(run_id_of(turn, 0, 0)),),
        )  # fmt: skip

    # Pumps

    async def claim(self, pump: str) -> None:
        claim = await self.store.runs.claim(
            pump,
            [("actions", self.chance.randint(1, 3))],
            lease_ms=LEASE_MS,
            flying=len(self.pumps.get(pump, ())),
        )
        if claim.verdict == "lost":
            self.dies(pump)
            return
        self.leases[pump] = self.now + LEASE_MS * 1000
        self.pumps.setdefault(pump, []).extend(claim.runs)
        for run in claim.runs:
            self.begins(run)

    def begins(self, run: Claimed) -> None:
        """What was claimed must be allowed to run now."""
        chain = self.of(run.id)
        done = [name for what, name in chain.log if what == "did"]
        own = run.undoes or run.id
        if run.undoes or run.rescue:
            live = [
                ghost.id
                for pump, held in self.ghosts.items()
                if self.leases[pump] >= self.now
                for ghost in held
            ]
            assert own not in live, f"{own} goes on"
        if run.undoes:
            assert own not in [name for what, name in chain.log if what == "undid"], f"{own} is undone twice"
        elif ".f" not in own:
            at = int(own.rsplit(".", 1)[1])
            before = [str(run_id_of(chain.turn, 0, each)) for each in range(at)]
            assert run.rescue or all(each in done for each in before), f"{own} began before its turn"
            assert run.rescue or not [each for what, each in chain.log if what == "undid"], (
                f"{own} began among undos"
            )

    def dies(self, pump: str) -> None:
        """It is gone with all that it held; or its lease is over, and others have that."""
        self.ghosts.pop(pump, None)
        for run in self.pumps.pop(pump, ()):
            if not run.undoes and not run.rescue:
                self.uncertain.add(run.id)

    async def end(self, pump: str) -> None:
        """One of its runs ends in some way, or the pump dies with all of them."""
        held = self.pumps.get(pump)
        if not held:
            return
        if self.chance.random() < 0.06:
            self.dies(pump)
            return
        if self.ghosts.get(pump) and self.chance.random() < 0.5:
            ghost = self.ghosts[pump].pop()
            await self.store.runs.finish(pump, [Finish(ghost.id, ghost.fence, "late", "{}")])
        run = held.pop(self.chance.randrange(len(held)))
        finish = self.finish(run)
        if finish.verdict == "timed_out" and self.chance.random() < 0.5:
            finish = Finish(
                run.id, run.fence, "timed_out", ERROR, effects=(*finish.effects, Effect(EffectKind.GHOST))
            )
            self.ghosts.setdefault(pump, []).append(run)
        (verdict,) = await self.store.runs.finish(pump, [finish])
        if verdict == "ok":
            await self.took(run, finish)

    def finish(self, run: Claimed) -> Finish:  # noqa: PLR0911 - one return for each way to end
        dice, effects = self.chance.random(), ()
        if run.undoes:
            verdict = "succeeded" if dice < 0.8 else "again" if dice < 0.9 else "failed"
            return Finish(run.id, run.fence, verdict, '"undone"' if dice < 0.8 else ERROR, 500, "backoff")
        if run.rescue:
            return Finish(run.id, run.fence, run.rescue, '{"error":"no","code":"failed","compensated":true}')
        rescue = (Effect(EffectKind.RESCUE),)
        unknown = (Effect(EffectKind.UNKNOWN),)
        if run.approved == "" and self.chance.random() < 0.04:
            return Finish(
                run.id, run.fence, "ask", "{}", 5_000, "d2", (Effect(EffectKind.APPROVAL_KEY, "key:0"),)
            )
        if dice < 0.72:
            if self.chance.random() < 0.15 and run.id.count(".f") == 0:
                effects = self.follow(run)
            return Finish(run.id, run.fence, "succeeded", '"did"', effects=effects)
        if dice < 0.82:
            return Finish(run.id, run.fence, "again", ERROR, self.chance.choice((0, 300, 3000)), "backoff")
        if dice < 0.9:
            return Finish(run.id, run.fence, "failed", ERROR, effects=rescue)
        return Finish(run.id, run.fence, "timed_out", ERROR, effects=(*unknown, *rescue))

    def follow(self, run: Claimed) -> tuple[Effect, ...]:
        children = [
            NewRun(
                f"{run.id}.f{at}",
                "actions",
                Payload("NEXT").encode(),
                position="f",
                head='{"action":"NEXT"',
                guards=(LockGuard(f"~run:{run.id}.f{at}"),),
                approval=self.ask() if self.chance.random() < 0.2 else None,
                undoes=self.chance.choice(("", "1")),
            )  # type: ignore[arg-type]
            for at in range(self.chance.randint(1, 2))
        ]
        self.undoes |= {each.id: each.undoes for each in children}
        return tuple(Effect(EffectKind.FOLLOW, each.id, to_json(each.row()).decode()) for each in children)

    async def took(self, run: Claimed, finish: Finish) -> None:
        chain = self.of(run.id)
        if run.undoes and finish.verdict == "succeeded":
            chain.log.append(("undid", run.undoes))
        elif finish.verdict == "succeeded" and not run.rescue:
            chain.log.append(("did", run.id))
        elif finish.verdict == "timed_out":
            self.uncertain.add(run.id)

    def of(self, run: str) -> Chain:
        return self.chains[f"turn_{run[4:].split('.', 1)[0]}"]

    # People and time

    async def people(self) -> None:
        chance = self.chance
        turn = chance.choice(list(self.chains))
        dice = chance.random()
        if dice < 0.25:
            await self.store.conversations.cancel_turn(turn)
            self.chains[turn].cancelled = True
        elif dice < 0.4:
            await self.store.conversations.interrupt(turn)
        elif dice < 0.5:
            await self.store.runs.cancel(chance.choice(self.chains[turn].steps).id)
            self.chains[turn].cancelled = True
        else:
            for pending in await self.store.approvals.list():
                await self.store.approvals.decide(
                    pending.run, "approve" if chance.random() < 0.8 else "deny", None, "p"
                )
        for run in self.chains[turn].steps:
            assert await self.store.runs.cancel(f"{run.id}.undo") in {"undoing", "missing", "terminal"}
        for stuck in await self.store.undos.stuck():
            if chance.random() < 0.3:
                assert await self.store.undos.retry(stuck.run) == "retried"

    async def step_on(self) -> None:
        dice = self.chance.random()
        pump = f"p{self.chance.randint(1, 3)}.{self.now // 40_000_000}"
        if dice < 0.12 and len(self.chains) < 14:
            await self.post()
        elif dice < 0.45:
            await self.claim(pump)
        elif dice < 0.8 and self.pumps:
            await self.end(self.chance.choice(list(self.pumps)))
        elif dice < 0.85 and self.chains:
            await self.people()
        else:
            self.pass_time(self.chance.choice((1, 100, 1_000, 4_000)))
            for each in list(self.pumps):
                if self.chance.random() < 0.8:
                    if await self.store.runs.renew(each, LEASE_MS) is None:
                        self.dies(each)
                    else:
                        self.leases[each] = self.now + LEASE_MS * 1000
            if self.chance.random() < 0.5:
                await self.store.runs.tick(["actions"])

    async def to_the_end(self) -> None:
        """Until nothing is left to do: people answer, undos are tried again, and nobody dies any more."""
        for _ in range(400):
            self.pass_time(11_000)
            await self.store.runs.tick(["actions"])
            for pending in await self.store.approvals.list():
                await self.store.approvals.decide(pending.run, "approve", None, "p")
            for stuck in await self.store.undos.stuck():
                await self.store.undos.retry(stuck.run)
            claim = await self.store.runs.claim("last", [("actions", 20)], lease_ms=LEASE_MS)
            for run in claim.runs:
                self.begins(run)
                finish = self.finish(run)
                if finish.verdict in {"again", "ask"}:
                    finish = Finish(run.id, run.fence, "succeeded", '"did"')
                await self.store.runs.finish("last", [finish])
                await self.took(run, finish)
            if not claim.runs and not await self.redis.exists(
                f"{self.prefix}due", f"{self.prefix}asks", f"{self.prefix}stuck"
            ):
                live = [t for t in self.chains if (await self.store.conversations.turn(t)).get("s") == "live"]
                if not live:
                    return
        raise AssertionError("something is left that nobody carries on")

    async def close(self) -> None:
        keys = [key async for key in self.redis.scan_iter(f"{self.prefix}*")]
        if keys:
            await self.redis.unlink(*keys)
        await self.store.close()
