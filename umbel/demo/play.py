"""The play: a running stage and the scripts in, what came of it out.

It speaks as the users do, kills a worker while that is at work on a large order, and afterwards gathers what
the store, the exchange and Flower know. It judges nothing: `checks` does.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import httpx
from pydantic_core import from_json

from actions.messages import ConversationId
from orchestrator.assembly import House, build
from orchestrator.store.records import ConversationRecord
from umbel.demo.board import Board, Talk, Watched
from umbel.demo.exchange import LARGE, Order
from umbel.demo.script import Script
from umbel.demo.stage import Stage
from umbel.demo.watch import Watcher

_TURN_LIMIT_S: Final = 40.0
_FLOWER_LIMIT_S: Final = 3.0
_GLANCE_S: Final = 0.02
_MOMENT_S: Final = 0.6
"""How long a worker is left at its large orders before it is killed: all of them are on the way by then."""


@dataclass(slots=True)
class Kept:
    """What is kept of a conversation."""

    record: ConversationRecord
    """Its record."""
    messages: list[dict[str, Any]]
    """All its messages, OpenAI chat shape."""

    @property
    def context(self) -> dict[str, Any]:
        """Its context by key."""
        return {key: from_json(text) for key, text in self.record.context.items()}


@dataclass(slots=True)
class Played:
    """What came of it."""

    board: Board
    """All that was seen."""
    kept: dict[str, Kept] = field(default_factory=dict)
    """The conversations at the end, by name."""
    orders: list[Order] = field(default_factory=list)
    """The orders at the exchange."""
    times_busy: int = 0
    """How often the exchange answered 503."""
    flower: dict[str, int] = field(default_factory=dict)
    """How many runs Flower lists under each name: an action's, or its undo's."""
    seconds: float = 0.0
    """How long the conversations took."""


class Play:
    """The conversations on a stage."""

    def __init__(self, stage: Stage, scripts: Mapping[str, Script], board: Board) -> None:
        self._stage = stage
        self._scripts = scripts
        self._board = board
        self._watcher: Watcher | None = None
        board.talks.update(
            {name: Talk(name, len(script.turns), script.mode) for name, script in scripts.items()}
        )
        board.workers.update(dict.fromkeys(sorted(stage.workers)))

    def now(self) -> float:
        """Seconds since the curtain rose; 0 before."""
        return self._watcher.now() if self._watcher else 0.0

    async def perform(self) -> Played:
        """Lead all conversations at once; returns when they and what they left behind are known.

        Raises:
            OperatorError: Redis went away or refused.
        """
        house = build(self._stage.settings)
        try:
            ids = {name: await self._open(house, script) for name, script in self._scripts.items()}
            self._watcher = Watcher(house.store, self._board, {value: name for name, value in ids.items()})
            await self._watcher.start()
            await self._lead(house, ids, self._watcher)
            await self._watcher.look()
            return await self._gather(house, ids)
        except ExceptionGroup as errors:
            raise errors.exceptions[0] from None
        finally:
            await house.close()

    async def _lead(self, house: House, ids: Mapping[str, ConversationId], watcher: Watcher) -> None:
        """All conversations at once; what watches and what kills goes on beside them and ends with them."""
        async with asyncio.TaskGroup() as group:
            beside = [group.create_task(watcher.follow()), group.create_task(self._strike(watcher))]
            talks = [
                group.create_task(self._talk(house, name, ids[name], script))
                for name, script in self._scripts.items()
            ]
            await asyncio.wait(talks)
            for task in beside:
                task.cancel()

    async def _open(self, house: House, script: Script) -> ConversationId:
        return await house.conductor.open_conversation(
            machine=script.machine,
            principal=script.principal,
            permissions=script.permissions,
            mode=script.mode,
        )

    async def _talk(self, house: House, name: str, conversation: str, script: Script) -> None:
        """Say everything that the user says, each after the answer to what went before."""
        talk = self._board.talks[name]
        talk.state = (await house.store.conversations.read(conversation)).state
        for scene in script.turns:
            talk.turn += 1
            turn = await house.conductor.say(conversation, scene.user)
            try:
                how = await house.conductor.wait_for_turn(turn, timeout_s=_TURN_LIMIT_S)
            except TimeoutError as error:
                self._board.problems.append(f"{name}: {error}")
                return
            if how != "done":
                self._board.problems.append(f"{name}: turn {talk.turn} ended as {how}")
            await asyncio.sleep(scene.pause_s)
        talk.ended = (await house.store.conversations.read(conversation)).status

    async def _strike(self, watcher: Watcher) -> None:
        """Wait for a worker at work on a large order that the exchange has placed, and kill it."""
        run: Watched | None = None
        while run is None:
            if self._at_work() is None:
                await asyncio.sleep(_GLANCE_S)
                continue
            await asyncio.sleep(_MOMENT_S)
            run = self._at_work()
        worker, at = run.worker, watcher.now()
        await asyncio.to_thread(self._stage.kill, worker)
        await watcher.look()
        self._board.workers[worker] = at

    def _at_work(self) -> Watched | None:
        for run in self._board.calls():
            quantity = run.arguments.get("quantity")
            is_large = isinstance(quantity, int) and quantity >= LARGE
            if is_large and run.status == "running" and self._stage.exchange.is_held(run.key):
                return run
        return None

    async def _gather(self, house: House, ids: Mapping[str, ConversationId]) -> Played:
        kept = {
            name: Kept(await house.store.conversations.read(one), await house.conductor.messages(one))
            for name, one in ids.items()
        }
        exchange = self._stage.exchange
        played = Played(self._board, kept, exchange.orders, exchange.times_busy, seconds=self.now())
        played.flower = await self._ask_flower()
        return played

    async def _ask_flower(self) -> dict[str, int]:
        """What Flower lists, by name; waits a moment for its events. Refused calls never start: it has none."""
        wanted = Counter(run.task for run in self._board.started())
        counts: Counter[str] = Counter()
        async with httpx.AsyncClient(auth=self._stage.flower.login, timeout=2.0) as client:
            with contextlib.suppress(TimeoutError, httpx.HTTPError):
                async with asyncio.timeout(_FLOWER_LIMIT_S):
                    while not wanted <= counts:
                        answer = await client.get(f"{self._stage.flower.url}/api/tasks")
                        tasks = answer.json().values() if answer.is_success else ()
                        counts = Counter(task["name"] for task in tasks if task.get("name") in wanted)
                        await asyncio.sleep(0.1)
        return dict(counts)
