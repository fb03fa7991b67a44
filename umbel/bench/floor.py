"""The floor's producer: hands in the same work as `ours` in the barest way.

In: how many. Out: a check of the results, and how long it took by the server's clock.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

from pydantic_core import from_json, to_json

from umbel.bench.floor_worker import BATCH, GUARD, MANY, SINGLE
from umbel.bench.side import Check, Lap
from umbel.bench.workload import (
    WrongResult,
    arguments,
    check_conversation,
    guarded_arguments,
    reply,
    result,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from umbel.bench.raw import Raw

_LIMIT: Final = 60.0
"""Seconds that a stretch may take."""
_CHUNK: Final = 500


class Floor:
    """The floor as a producer sees it."""

    def __init__(self, raw: Raw, *, calls: int, ahead_us: int) -> None:
        """Hand in over this connection; `ahead_us`: how far the server's clock is ahead of ours."""
        self._raw = raw
        self._calls = calls
        self._posts = max(1, BATCH // calls)
        self._ahead_us = ahead_us
        self._serial = 0

    async def actions(self, count: int, *, batch: int = BATCH) -> Check:
        """W1: submit `count` actions, `batch` a round trip; 1: the workers take one a trip as well."""
        given = [arguments(number) for number in range(count)]
        return await self._stretch(MANY if batch > 1 else SINGLE, given, batch)

    async def guarded(self, count: int, *, rooms: int, wait_ms: int) -> Check:
        """W3: submit `count` actions, each under the lock of its room and one limit for all."""
        given = [guarded_arguments(number, rooms=rooms, wait_ms=wait_ms) for number in range(count)]
        return await self._stretch(GUARD, given, BATCH)

    async def _stretch(self, letter: str, given: Sequence[dict[str, Any]], batch: int) -> Check:
        """Submit actions with these arguments, `batch` a round trip; wait for the last."""
        ids = [f"{letter}{number}" for number in self._numbers(len(given))]
        begun = await self._begin(len(given))
        for at in range(0, len(given), batch):
            row: list[str | bytes] = []
            for run, told in zip(ids[at : at + batch], given[at : at + batch], strict=True):
                row += (run, to_json(told))
            await self._raw.run("submit", *row)
        lap = await self._end(begun, len(given))

        async def check() -> Lap:
            await self._check_runs(ids)
            return lap

        return check

    async def one_action(self) -> float:
        """W1: seconds from the submit of one action to the moment when we hold the news of its result."""
        [number] = self._numbers(1)
        await self._begin(1)
        began = time.perf_counter()
        await self._raw.run("submit", f"{MANY}{number}", to_json(arguments(0)))
        await self._raw.pop("finished", _LIMIT)
        return time.perf_counter() - began

    async def prepare(self, count: int) -> list[tuple[int, bytes]]:
        """Number and reply of each turn; the floor's conversations need no opening."""
        return [(number, reply(number, self._calls)) for number in self._numbers(count)]

    async def turns(self, prepared: Sequence[tuple[int, bytes]]) -> Check:
        """W2: post the replies, as many a trip as make a batch of calls."""
        begun = await self._begin(len(prepared))
        for at in range(0, len(prepared), self._posts):
            await self._raw.run_many("post", [_post(*turn) for turn in prepared[at : at + self._posts]])
        lap = await self._end(begun, len(prepared))

        async def check() -> Lap:
            await self._check_turns([number for number, _ in prepared])
            return lap

        return check

    async def one_turn(self) -> float:
        """W2: seconds from the post of one reply to the recorded result of its continuation."""
        check = await self.turns(await self.prepare(1))
        return (await check()).seconds

    def _numbers(self, count: int) -> list[int]:
        """Numbers that were not used before."""
        self._serial += count
        return list(range(self._serial - count, self._serial))

    async def _begin(self, count: int) -> int:
        """Set the countdown; return the time on the server's clock, µs."""
        await self._raw.redis.set(f"{self._raw.prefix}left", count)
        return time.time_ns() // 1000 + self._ahead_us

    async def _end(self, begun: int, count: int) -> Lap:
        """Wait for the countdown's end."""
        told = await self._raw.pop("finished", _LIMIT)
        if told is None:
            raise WrongResult(f"the floor did not end its {count} within {_LIMIT:g} s")
        return Lap(count, (int(told) - begun) / 1e6)

    async def _check_runs(self, ids: Sequence[str]) -> None:
        """Each has its result."""
        for at in range(0, len(ids), _CHUNK):
            pipeline = self._raw.redis.pipeline(transaction=False)
            for run in ids[at : at + _CHUNK]:
                pipeline.hget(f"{self._raw.prefix}r:{run}", "r")
            for number, told in enumerate(await pipeline.execute(), at):
                if from_json(from_json(told)) != result(number):
                    raise WrongResult(f"the floor's action {number} has the result {told}")

    async def _check_turns(self, numbers: Sequence[int]) -> None:
        """Each conversation has its results in order, and its continuation ran."""
        for number in numbers:
            pipeline = self._raw.redis.pipeline(transaction=False)
            pipeline.lrange(f"{self._raw.prefix}m:conv{number}", 0, -1)
            pipeline.hget(f"{self._raw.prefix}r:{MANY}c{number}", "s")
            messages, status = await pipeline.execute()
            check_conversation([from_json(message) for message in messages], number, self._calls)
            if status != "succeeded":
                raise WrongResult(f"the floor's turn {number} has a continuation that is {status}")


def _post(number: int, body: bytes) -> list[str | bytes | int]:
    """Read a reply and make the arguments of the script `post` out of it."""
    calls: list[dict[str, Any]] = from_json(body)["choices"][0]["message"]["tool_calls"]
    message = to_json({"role": "assistant", "content": None, "tool_calls": calls})
    row: list[str | bytes | int] = [f"conv{number}", number, message]
    for position, call in enumerate(calls):
        from_json(
            call["function"]["arguments"]
        )  # a producer has to know that it is JSON before it accepts it
        head = f'{{"role":"tool","tool_call_id":{to_json(call["id"]).decode()},"content":'
        row += (f"{MANY}{number}.{position}", call["function"]["arguments"], head)
    return row
