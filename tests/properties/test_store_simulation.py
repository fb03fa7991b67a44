"""What always holds in the store, whatever callers, pumps and death do in whatever order.

Seeded plays on a real server (play_callers, play_pumps). UMBEL_TEST_SEEDS=200 plays more of them, UMBEL_TEST_SEED=7
just that one.
"""

from __future__ import annotations

import os
from collections import Counter
from typing import Any, Final

import pytest

from actions.messages import TERMINAL, Status
from orchestrator.store.incoming import Finish
from orchestrator.store.records import Claimed

LANES: Final = ("actions", "actions/t", "turns")
QUEUES: Final = ("actions", "turns")
STEPS: Final = 250
ONE: Final = os.environ.get("UMBEL_TEST_SEED")
SEEDS: Final = [int(ONE)] if ONE else range(int(os.environ.get("UMBEL_TEST_SEEDS", "6")))


class Books:
    """What the store says, read at one moment, held against what the play knows."""

    def __init__(self, play: Any) -> None:
        self.play = play
        self.ended: dict[str, list[str]] = {}

    async def _many(self, *commands: tuple[Any, ...]) -> list[Any]:
        pipeline = self.play.redis.pipeline(transaction=True)
        for name, key, *rest in commands:
            pipeline.execute_command(name, self.play.prefix + key, *rest)
        return await pipeline.execute()

    async def lists(self) -> None:
        """Every ready run stands on one list, once; the rotation holds the tenants with work, once."""
        keys = [
            key.removeprefix(self.play.prefix)
            async for key in self.play.redis.scan_iter(f"{self.play.prefix}*")
        ]
        kinds = ("rdy:", "sus:", "alone:")
        names = [key for key in keys if key.startswith(kinds)]
        lists = dict(zip(names, await self._many(*(("LRANGE", name, 0, -1) for name in names)), strict=True))
        standing = Counter(run for runs in lists.values() for run in runs)
        assert not [run for run, count in standing.items() if count > 1], "a run stands on a list twice"
        rotations = [key for key in keys if key.startswith("rot:")]
        for name, tenants in zip(
            rotations, await self._many(*(("LRANGE", name, 0, -1) for name in rotations)), strict=True
        ):
            full = {key.split(":", 3)[3] for key in names if key.startswith(f"rdy:{name[4:]}:")}
            assert sorted(tenants) == sorted(full), f"{name} is not the tenants with work"
        ready = {f"rot:{key[4:].rsplit(':', 1)[0]}" for key in names if key.startswith("rdy:")}
        assert ready == set(rotations)
        rows = await self._many(*(("HGET", f"r:{run}", "s") for run in standing))
        assert not set(rows) - {"ready", "cancelled"}, "something else than ready stands on a ready list"

    async def holders(self) -> None:
        """No run is on two pumps, and what a pump holds says so itself."""
        live = await self.play.redis.zrange(f"{self.play.prefix}live", 0, -1)
        held = await self._many(*(("SMEMBERS", f"held:{pump}") for pump in live))
        pairs = [(pump, run) for pump, runs in zip(live, held, strict=True) for run in runs if "~" not in run]
        assert len({run for _, run in pairs}) == len(pairs), "a run is on two pumps"
        rows = await self._many(*(("HMGET", f"r:{run}", "s", "m") for _, run in pairs))
        for (pump, run), (status, holder) in zip(pairs, rows, strict=True):
            assert (holder, status in {"running", "cancelling"}) == (pump, True), (
                f"{run} of {pump} is {status}"
            )

    async def waking(self) -> None:
        """Where work is ready somebody knows: a hot pump, one with a token, or Celery.

        One with a token may be dead: the next tick tells Celery, whoever sleeps.
        """
        if not self.play.since_tick:
            return
        for lane in LANES:
            queue = lane.removesuffix("/t")
            rotations = [f"rot:{lane}:{priority}" for priority in range(3)]
            work, hot, nudges, nudged = await self._many(
                (
                    "EXISTS",
                    rotations[0],
                    *(self.play.prefix + name for name in (*rotations[1:], f"alone:{lane}")),
                ),
                ("ZCOUNT", f"hot:{lane}", f"({self.play.now}", "+inf"),
                ("LLEN", f"celery:{queue}"),
                ("EXISTS", f"nudged:{queue}"),
            )
            if work and not (hot or nudges or nudged):
                assert not self.play.just_ticked, f"a tick has told nobody of the work on {lane}"
                full = all(pump.rooms()[lane] <= 0 for pump in self.play.pumps)
                assert full or lane in await self._tokens(), f"nobody knows of the work on {lane}"

    async def _tokens(self) -> set[str]:
        """The lanes that some pump has a token for."""
        keys = [key async for key in self.play.redis.scan_iter(f"{self.play.prefix}wake:*")]
        return {lane for key in keys for lane in await self.play.redis.lrange(key, 0, -1)}

    async def conversations(self) -> None:
        """Results stand right behind their calls, all or none, in call order; messages in the order they were said."""
        seen: list[str] = []
        for conversation, said in self.play.said.items():
            messages = await self.play.store.conversations.messages(conversation)
            open_calls: list[str] = []
            users = []
            for message in messages:
                if message["role"] == "tool":
                    assert open_calls, "a result without a call"
                    assert message["tool_call_id"] == open_calls.pop(0)
                    seen.append(message["tool_call_id"])
                    continue
                assert not open_calls, "something stands between calls and results"
                open_calls = [call["id"] for call in message.get("tool_calls", ())]
                if message["role"] == "user":
                    users.append(message["content"])
            assert len(users) == len(set(users)), "a message was told twice"
            in_order = [turn for turn in users if turn not in self.play.pushed]
            assert in_order == [turn for turn in said if turn not in self.play.pushed][: len(in_order)]
            if messages and messages[-1]["role"] == "tool":
                assert not open_calls, "half of the results were told"
        assert len(seen) == len(set(seen))

    async def endings(self) -> None:
        """What has ended stays as it ended."""
        runs = [*self.play.plain, *self.play.calls]
        rows = await self._many(*(("HMGET", f"r:{run}", "s", "r", "n") for run in runs))
        for run, row in zip(runs, rows, strict=True):
            assert row[0] is not None, f"{run} is gone"
            if run in self.ended:
                assert row == self.ended[run], f"{run} has changed after its end"
            if row[0] in TERMINAL:
                self.ended[run] = row

    async def check(self, number: int) -> None:
        """All that holds after each step; the longer ones now and then."""
        await self.lists()
        await self.holders()
        await self.waking()
        if number % 10 == 0:
            await self.conversations()
            await self.endings()


async def play_to_the_end(play: Any, books: Books) -> None:
    """From now on pumps claim only when they are woken, or have promised to; nobody dies; everything must end."""
    for beat in range(2_000):
        play.pass_time(50)
        if beat % 4 == 0:
            await play.open_gates("nudged")
        if beat % 20 == 0:
            await play.tick()
            await books.waking()  # before pumps take what the tick told of
            play.just_ticked = False
            if not await busy(play):
                return
        for pump in list(play.pumps):
            if pump.flights:
                await play.finish(pump, at_last)
            elif await play.redis.lpop(f"{play.prefix}wake:{pump.name}") or (0 < pump.wakes_at <= play.now):
                await play.claim(pump)
        await play.start_pump()
        await books.check(1)
    left = {run: status for run, status in (await statuses(play)).items() if status not in TERMINAL}
    pytest.fail(f"not all has ended: {left}")


def at_last(run: Claimed) -> Finish:
    return Finish(run.id, run.fence, "succeeded", '"at last"')


async def statuses(play: Any) -> dict[str, str | None]:
    runs = [*play.plain, *play.calls]
    return {
        run: view and view.status
        for run, view in zip(runs, await play.store.runs.read_all(runs), strict=True)
    }


async def busy(play: Any) -> bool:
    """Whether any run or turn has not ended."""
    if any(status not in TERMINAL for status in (await statuses(play)).values()):
        return True
    return any(
        [(await play.store.conversations.turn(turn))["s"] in {"live", "queued"} for turn in play.turns]
    )


async def check_the_end(play: Any, books: Books) -> None:
    await books.conversations()
    await books.endings()
    ended = await statuses(play)
    assert set(ended.values()) <= set(TERMINAL)
    assert {run for run in play.cancelled if ended.get(run, "cancelled") != "cancelled"} == set()
    mail = await play.redis.lrange(f"{play.prefix}z:mail", 0, -1)
    told = Counter(line.split(" ")[0] for line in mail)
    assert told == Counter(play.told_of), "an end was not told exactly once"
    assert all(line.split(" ")[1] == ended[line.split(" ")[0]] for line in mail)
    for conversation, calls in play.rounds:
        messages = await play.store.conversations.messages(conversation)
        results = [message["tool_call_id"] for message in messages if message["role"] == "tool"]
        assert [call for call in results if call in calls] == calls
    for conversation, said in play.said.items():
        messages = await play.store.conversations.messages(conversation)
        users = [message["content"] for message in messages if message["role"] == "user"]
        assert sorted(users) == sorted(said)
        record = await play.store.conversations.read(conversation)
        assert record.live_turn is None
        assert record.status in {"idle", "completed"}
    await no_key_without_end(play)


async def no_key_without_end(play: Any) -> None:
    play.pass_time(86_401_000)
    await play.store.runs.tick([])
    endless = set()
    async for key in play.redis.scan_iter(f"{play.prefix}*"):
        if await play.redis.ttl(key) < 0:
            endless.add(key.removeprefix(play.prefix))
    assert endless <= {"fence", "audit", "celery:actions", "celery:turns"}


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
async def test_whatever_happens_every_run_ends_once_and_is_told_once(play, seed):
    await play.sweep()
    play.begin(seed)
    books = Books(play)
    try:
        for number in range(STEPS):
            await play.step()
            await books.check(number)
        await play_to_the_end(play, books)
        await check_the_end(play, books)
    except AssertionError as error:
        error.add_note(f"UMBEL_TEST_SEED={seed}, after {len(play.log)} steps: … {', '.join(play.log[-12:])}")
        raise
    assert Status.SUCCEEDED in (await statuses(play)).values()
