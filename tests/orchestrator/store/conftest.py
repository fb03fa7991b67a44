"""A store on the test's real server whose time only the test moves.

The scripts take the clock as an argument; here every call of a test sends the world's own one. It lies far ahead of
the server's, for the scripts never let time fall behind what they have seen.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, Final

import pytest

from actions.messages import Payload, Status, run_id_of
from orchestrator.chat_shape import tool_head
from orchestrator.settings import Settings
from orchestrator.store.incoming import Finish, Lead, NewRun
from orchestrator.store.records import Claim, Claimed
from orchestrator.store.store import Store

BEGIN: Final = 4_000_000_000_000_000
"""µs since the epoch: the year 2096, which no server's clock has reached."""


class World:
    """One namespace, its clock, and short words for what tests do there."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.store = Store(settings, connections=4)
        self.runs = self.store.runs
        self.conversations = self.store.conversations
        self.redis = self.store.connection.redis
        self.prefix = self.store.connection.prefix
        self._frame = self.store.connection._frame
        self.now = BEGIN
        self.pass_time()

    def pass_time(self, *, ms: float = 0, s: float = 0) -> None:
        """Move the clock, and with it the time of every later call."""
        self.now += int(ms * 1_000 + s * 1_000_000)
        self.store.connection._frame = (self.now, *self._frame[1:])

    async def pass_real_gates(self) -> None:
        """What Redis itself would have forgotten: the PX of a nudge, of a tick, of a lone run's token."""
        async for key in self.redis.scan_iter(f"{self.prefix}*"):
            if key.removeprefix(self.prefix).split(":")[0] in {"nudged", "ticked", "alonetok"}:
                await self.redis.delete(key)

    # Runs

    async def submit(self, *ids: str, lane: str = "actions", **fields: Any) -> None:
        """Record runs of no conversation, ready in their order."""
        await self.runs.submit([NewRun(run, lane, b"{}", **fields) for run in ids])

    async def claim(self, pump: str = "p1", room: int = 10, *, lane: str = "actions", **given: Any) -> Claim:
        """Claim from one lane."""
        return await self.runs.claim(pump, [(lane, room)], **given)

    async def take(self, pump: str = "p1", room: int = 10, **given: Any) -> list[Claimed]:
        """The runs of a claim that must be ok or alone."""
        claim = await self.claim(pump, room, **given)
        assert claim.verdict in {"ok", "alone"}
        return claim.runs

    async def end(
        self,
        run: Claimed,
        verdict: str = "succeeded",
        result: str = '"done"',
        *,
        pump: str = "p1",
        claims_next: tuple[str, ...] = (),
        **fields: Any,
    ) -> str:
        """Finish one run; return the store's verdict."""
        finish = Finish(run.id, run.fence, verdict, result, **fields)
        return (await self.runs.finish(pump, [finish], claims_next=claims_next))[0]

    async def status(self, run: str) -> str | None:
        """The status of a run, None if there is none."""
        view = await self.runs.read(run)
        return None if view is None else view.status

    async def statuses(self, *ids: str) -> list[str | None]:
        """The statuses of several runs."""
        return [await self.status(run) for run in ids]

    async def field(self, run: str, name: str) -> str | None:
        """One field of a run's record."""
        return await self.redis.hget(f"{self.prefix}r:{run}", name)

    # Conversations

    async def open(self, conversation: str = "conv_a", **fields: Any) -> str:
        """Open a conversation."""
        assert await self.conversations.open(conversation, **fields)
        return conversation

    def call(self, turn: str, position: int, *, number: int = 0, refused: str = "", **fields: Any) -> NewRun:
        """A run for one call of a reply, as planning makes it."""
        lane = "-" if refused else fields.pop("lane", "actions")
        status = Status.REFUSED if refused else fields.pop("status", Status.READY)
        return NewRun(
            str(run_id_of(turn, number, position)),
            lane,
            Payload("ACT").encode(),
            status,
            position=position,
            head=tool_head(f"c{number}.{position}"),
            result=refused,
            **fields,
        )

    async def post(
        self,
        *calls: NewRun,
        turn: str = "turn_x",
        conversation: str = "conv_a",
        digest: str = "d",
        lead: Lead | None = None,
        goes_on: bool = False,
        **rest: Any,
    ) -> str:
        """Post a reply with these calls as a turn of its own."""
        return await self.conversations.round(
            conversation, turn, digest, 0, [said("assistant")], calls, lead=lead, goes_on=goes_on, **rest
        )

    def steps(self, turn: str, count: int, *, held: bool = False, **fields: Any) -> list[NewRun]:
        """The calls of a chain, each of which can be undone with its result; `held`: the first waits for the lead."""
        ids = [str(run_id_of(turn, 0, at)) for at in range(count)]
        given = {"undoes": "1", "chain": "step", **fields}
        return [
            self.call(
                turn,
                at,
                status=Status.BLOCKED if at or held else Status.READY,
                open=1 if at or held else 0,
                dependents=(f"!{ids[at + 1]}",) if at + 1 < count else (),
                **given,
            )
            for at in range(count)
        ]

    async def one(self, **given: Any) -> Claimed:
        """The one run that can be started now."""
        (run,) = await self.take(**given)
        return run

    async def answer(
        self,
        leader: Claimed,
        *calls: NewRun,
        goes_on: bool = False,
        lead: Lead | None = None,
    ) -> str:
        """Open the round that the leading run was given as the model's reply."""
        number = int(leader.id.rsplit(".", 2)[1])
        return await self.conversations.round(
            leader.conversation,
            leader.turn,
            f"d{number}",
            number,
            [said("assistant")],
            calls,
            by=(leader.id, leader.fence),
            lead=lead or LEAD,
            goes_on=goes_on,
        )

    async def say(
        self, turn: str, text: str = "hello", *, conversation: str = "conv_a", lead: Lead | None = None
    ) -> str:
        """A user's message."""
        return await self.conversations.say(conversation, turn, f"d-{text}", said("user", text), lead or LEAD)

    async def told(self, conversation: str = "conv_a") -> list[tuple[str, str | None]]:
        """Role and content of each message."""
        messages = await self.conversations.messages(conversation)
        return [(message["role"], message["content"]) for message in messages]

    async def changes(self, conversation: str = "conv_a") -> list[dict[str, Any]]:
        """All changes that its watchers saw."""
        return [event.change for event in await self.store.events.read(conversation)]

    # Waking

    async def offer(self, queue: str = "actions") -> None:
        """Let the store nudge workers of a queue."""
        await self.runs.offer_nudge(queue, self.celery(queue), '{"id": "@NUDGE@"}')

    def celery(self, queue: str = "actions") -> str:
        """The key that stands in for a queue of Celery."""
        return f"{self.prefix}celery:{queue}"

    async def nudges(self, queue: str = "actions") -> int:
        """How many nudges wait on a queue of Celery."""
        return await self.redis.llen(self.celery(queue))

    async def tokens(self, pump: str) -> int:
        """How many tokens a pump has got and not used."""
        return await self.redis.llen(f"{self.prefix}wake:{pump}")

    async def posture(self, pump: str, lane: str = "actions") -> str:
        """As others see the pump now: asleep, hot, or full."""
        for key, posture in (("slp", "asleep"), ("hot", "hot")):
            until = await self.redis.zscore(f"{self.prefix}{key}:{lane}", pump)
            if until is not None and until > self.now:
                return posture
        return "full"

    # Keys

    async def keys(self) -> dict[str, int]:
        """Every key of the namespace without its prefix, and its TTL in seconds (-1: none)."""
        found = [key async for key in self.redis.scan_iter(f"{self.prefix}*")]
        return {key.removeprefix(self.prefix): await self.redis.ttl(key) for key in found}


LEAD: Final = Lead("turns", b'{"v":1,"a":"umbel.advance"}', max_rounds=3)


def said(role: str, text: str = "…") -> str:
    return f'{{"role":"{role}","content":"{text}"}}'


@pytest.fixture
async def world(settings: Settings) -> AsyncIterator[World]:
    """A fresh namespace with its own clock."""
    made = World(settings)
    try:
        yield made
    finally:
        keys = [key async for key in made.redis.scan_iter(f"{made.prefix}*")]
        if keys:
            await made.redis.unlink(*keys)
        await made.store.close()
