"""A play on the store, its first half: the clock, the books, and what callers do.

Everything that a move was told is written into the books, for the invariants to be held against.
"""

from __future__ import annotations

import json
from random import Random
from typing import Any, Final

from actions.messages import Status
from orchestrator.chat_shape import tool_head
from orchestrator.settings import Settings
from orchestrator.store.incoming import Lead, LimitGuard, LockGuard, NewRun, Priority
from orchestrator.store.records import Claimed
from orchestrator.store.store import Store

BEGIN: Final = 4_000_000_000_000_000
QUEUES: Final = ("actions", "turns")
LANES: Final = {"actions": 4, "actions/t": 2, "turns": 2}
"""Places of each pump."""
GUARDS: Final = (
    LockGuard("order:1"),
    LimitGuard("exact:1", "exact", 3, 1_000_000),
    LimitGuard("gcra:1", "gcra", 10, 2_000_000, 3, 2),
)
"""What runs may have to wait for."""
TENANTS: Final = ("", "a", "b")
LEAD: Final = Lead("turns", b"{}", max_rounds=4)


class Callers:
    """One namespace, its clock and its books."""

    def __init__(self, settings: Settings) -> None:
        self.store = Store(settings, connections=2)
        self.prefix = self.store.connection.prefix
        self.redis = self.store.connection.redis
        self._frame = self.store.connection._frame

    def begin(self, seed: int) -> None:
        """Start with clean books; the namespace must be empty."""
        self.chance = Random(seed)
        self.now = BEGIN
        self.named = 0
        self.ghosts: list[tuple[str, Claimed]] = []
        self.plain: list[str] = []
        self.told_of: set[str] = set()
        self.cancelled: set[str] = set()
        self.rounds: list[tuple[str, list[str]]] = []
        self.calls: list[str] = []
        self.turns: dict[str, str] = {}
        self.said: dict[str, list[str]] = {}
        self.pushed: set[str] = set()
        self.posts: list[tuple[Any, ...]] = []
        self.fence = 0
        self.log: list[str] = []
        self.since_tick, self.just_ticked = True, False
        self.pass_time(0)

    def name(self, kind: str) -> str:
        """A new name."""
        self.named += 1
        return f"{kind}_{self.named:04}"

    def pass_time(self, ms: float) -> None:
        """Move the clock."""
        self.now += int(ms * 1_000)
        self.store.connection._frame = (self.now, *self._frame[1:])

    async def open_gates(self, *kinds: str) -> None:
        """Forget what Redis would have forgotten in the time that has passed here."""
        keys = [f"{self.prefix}{kind}:{name}" for kind in kinds for name in (*QUEUES, *LANES)]
        await self.redis.delete(*keys)

    def _guards(self) -> tuple[LockGuard | LimitGuard, ...]:
        """What some runs have to pass, so that others' ends and the clock have to wake pumps (see play_waiting)."""
        return tuple(guard for guard in GUARDS if self.chance.random() < 0.15)

    # What callers do

    async def submit(self) -> None:
        """Some runs without a conversation, now and then in a row or sent twice."""
        ids = [self.name("run") for _ in range(self.chance.randint(1, 5))]
        in_a_row = self.chance.random() < 0.3
        runs = [
            NewRun(
                run,
                self.chance.choice(("actions", "actions", "actions/t")),
                b"{}",
                Status.BLOCKED if in_a_row and at else Status.READY,
                self.chance.choice(list(Priority)),
                self.chance.choice(TENANTS),
                open=1 if in_a_row and at else 0,
                dependents=(ids[at + 1],) if in_a_row and at + 1 < len(ids) else (),
                reply_to="mail",
                guards=self._guards(),
            )
            for at, run in enumerate(ids)
        ]
        assert await self.store.runs.submit(runs) == len(runs)
        if self.chance.random() < 0.2:
            assert await self.store.runs.submit(runs) == 0
        self.plain += ids
        self.told_of.update(ids)

    def _calls(self, turn: str, number: int) -> tuple[str, list[NewRun], list[str]]:
        """A reply's message and runs: some refused, some behind a barrier; and the ids of its calls."""
        count = self.chance.choice((0, 1, 2, 3, 6))
        refused = [self.chance.random() < 0.2 for _ in range(count)]
        run_ids = [f"run_{turn[5:]}.{number}.{at}" for at in range(count)]
        call_ids = [f"{turn}/{number}/{at}" for at in range(count)]
        accepted = [at for at in range(count) if not refused[at]]
        barrier = self.chance.choice(accepted) if accepted and self.chance.random() < 0.4 else count
        waits = {
            at: (
                [early for early in accepted if early < at]
                if at == barrier
                else [barrier]
                if at > barrier
                else []
            )
            for at in accepted
        }
        runs = [
            NewRun(
                run_ids[at],
                "-" if refused[at] else self.chance.choice(("actions", "actions/t")),
                b"{}",
                Status.REFUSED if refused[at] else Status.BLOCKED if waits[at] else Status.READY,
                position=at,
                head=tool_head(call_ids[at]),
                result='"no"' if refused[at] else "",
                open=len(waits.get(at, ())),
                dependents=tuple(run_ids[later] for later, on in waits.items() if at in on),
                guards=() if refused[at] else self._guards(),
            )
            for at in range(count)
        ]
        message = {"role": "assistant", "content": None, "tool_calls": [{"id": call} for call in call_ids]}
        return json.dumps(message), runs, call_ids

    async def _conversation(self) -> str:
        conversation = f"conv_{self.chance.randint(0, 3)}"
        if conversation not in self.said:
            await self.store.conversations.open(conversation, tenant=self.chance.choice(TENANTS))
            self.said[conversation] = []
        return conversation

    async def post(self) -> None:
        """A reply, perhaps one that was posted before."""
        if self.posts and self.chance.random() < 0.1:
            again = self.chance.choice(self.posts)
            assert await self.store.conversations.round(*again) == "exists"
            return
        conversation, turn = await self._conversation(), self.name("turn")
        message, runs, calls = self._calls(turn, 0)
        leads = self.chance.random() < 0.5
        post = (conversation, turn, "d", 0, [message], runs)
        verdict = await self.store.conversations.round(*post, lead=LEAD if leads else None, goes_on=leads)
        assert verdict in {"ok", "busy"}
        if verdict == "ok":
            self._book(conversation, turn, runs, calls)
            self.posts.append(post)

    def _book(self, conversation: str, turn: str, runs: list[NewRun], calls: list[str]) -> None:
        self.turns[turn] = conversation
        self.rounds.append((conversation, calls))
        self.calls += [run.id for run in runs]

    async def say(self) -> None:
        """A user's message, now and then sent twice."""
        conversation, turn = await self._conversation(), self.name("turn")
        message = json.dumps({"role": "user", "content": turn})
        busy = self.chance.choices(("enqueue", "interrupt", "inject", "refuse"), (6, 1, 2, 1))[0]
        verdict = await self.store.conversations.say(conversation, turn, "d", message, LEAD, busy=busy)
        assert verdict in {"started", "queued", "busy"}
        assert verdict != "busy" or busy == "refuse"
        if verdict == "busy":
            return
        if self.chance.random() < 0.2:
            assert await self.store.conversations.say(conversation, turn, "d", message, LEAD) == "exists"
        self.turns[turn] = conversation
        self.said[conversation].append(turn)
        if busy in {"interrupt", "inject"}:
            self.pushed.add(turn)
