"""The same work through Umbel, handed in through its own planning and store, done by real Celery workers.

In: how many. Out: a check of the results, and how long it took. The end is the latest time that a record names as its
end, so that watching for it does not disturb what is measured.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any, Final

from pydantic_core import from_json

from actions.messages import TERMINAL, Payload
from orchestrator.store.incoming import Lead
from orchestrator.submission import Submission, prepare
from umbel.bench.actions import CONTINUED, GUARDED, NOTE
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
    from collections.abc import Callable, Iterable, Sequence

    from orchestrator.assembly import House
    from orchestrator.store.records import RunView

BATCH: Final = 64
"""Runs of one submit, the same as the floor's."""
IN_FLIGHT: Final = 32
"""Replies that one producer process posts at the same time."""
_LIMIT: Final = 30.0
"""Seconds that a stretch may take."""
_LOOK_S: Final = 0.01
"""How often the producer looks whether the last runs have ended."""
_CHUNK: Final = 500


class Ours:
    """Umbel as a producer sees it."""

    def __init__(self, house: House, *, calls: int, ahead_us: int) -> None:
        """Hand in through this house; `ahead_us`: how far the server's clock is ahead of ours."""
        self._house = house
        self._calls = calls
        self._ahead_us = ahead_us
        self._serial = 0

    async def wake(self, pumps: int) -> bool:
        """Give the workers something to do; whether that many pumps are awake afterwards."""
        await (await self.actions(4 * BATCH))()
        connection = self._house.store.connection
        return await connection.redis.zcard(f"{connection.prefix}live") >= pumps

    async def actions(self, count: int, *, batch: int = BATCH) -> Check:
        """W1: submit `count` actions, `batch` a round trip."""
        return await self._stretch(NOTE, count, arguments, batch)

    async def guarded(self, count: int, *, rooms: int, wait_ms: int) -> Check:
        """W3: submit `count` actions, each under the lock of its room and one limit for all."""

        def given(number: int) -> dict[str, Any]:
            return guarded_arguments(number, rooms=rooms, wait_ms=wait_ms)

        return await self._stretch(GUARDED, count, given, BATCH)

    async def _stretch(
        self, action: str, count: int, given: Callable[[int], dict[str, Any]], batch: int
    ) -> Check:
        """Submit calls of an action on the way that `Conductor.submit` takes, `batch` a trip; wait for the last."""
        begun = self._now_us()
        ids: list[str] = []
        for at in range(0, count, batch):
            runs = [
                prepare(Submission(action, given(number)), self._house.registry, self._house.settings.cell)
                for number in range(at, min(at + batch, count))
            ]
            await self._house.store.runs.submit(runs)
            ids += [run.id for run in runs]
        await self._ended(ids[-2 * BATCH :])

        async def check() -> Lap:
            views = await self._ended(ids)
            _check_runs(zip(views, map(result, range(count)), strict=True))
            return _lap(begun, views)

        return check

    async def one_action(self) -> float:
        """W1: seconds from the submit of one action to the moment when we hold its result."""
        began = time.perf_counter()
        run = await self._house.conductor.submit(NOTE, arguments(0), told=True)
        ended = await self._house.conductor.next_end(_LIMIT)
        seconds = time.perf_counter() - began
        if ended is None or (ended.run, ended.result) != (run, result(0)):
            raise WrongResult(f"{run} was answered with {ended}")
        return seconds

    async def prepare(self, count: int) -> list[tuple[int, bytes, str]]:
        """Number, reply and open conversation of each turn."""
        self._serial += count
        opened: list[str] = []
        for at in range(0, count, IN_FLIGHT):
            some = range(min(IN_FLIGHT, count - at))
            opened += await asyncio.gather(*(self._house.conductor.open_conversation() for _ in some))
        numbers = range(self._serial - count, self._serial)
        return [
            (number, reply(number, self._calls), conversation)
            for number, conversation in zip(numbers, opened, strict=True)
        ]

    async def turns(self, prepared: Sequence[tuple[int, bytes, str]]) -> Check:
        """W2: post the replies, some of them in flight at the same time."""
        pending = iter(prepared)
        posted: dict[str, str] = {}

        async def post_some() -> None:
            for _, body, conversation in pending:
                posted[conversation] = await self._post(conversation, body)

        begun = self._now_us()
        await asyncio.gather(*(post_some() for _ in range(min(IN_FLIGHT, len(prepared)))))
        await asyncio.sleep(_LOOK_S)  # a look at once would stand in the way of a single turn
        await self._ended(list(posted.values())[-2 * IN_FLIGHT :])

        async def check() -> Lap:
            views = await self._ended(list(posted.values()))
            _check_runs((view, "continued") for view in views)
            for number, _, conversation in prepared:
                check_conversation(await self._house.conductor.messages(conversation), number, self._calls)
            return _lap(begun, views)

        return check

    async def one_turn(self) -> float:
        """W2: seconds from the post of one reply to the recorded result of its continuation."""
        check = await self.turns(await self.prepare(1))
        return (await check()).seconds

    async def _post(self, conversation: str, body: bytes) -> str:
        """Post a reply; return the id of the run that continues."""
        then = Lead(lane="actions", payload=Payload(CONTINUED).encode(), max_rounds=2)
        posted = await self._house.conductor.post_reply(conversation, body, then=then)
        return f"run_{posted.turn[5:]}.1.next"

    async def _ended(self, ids: Sequence[str]) -> list[RunView]:
        """Wait until all these runs are terminal; all of them, in this order."""
        limit = time.monotonic() + _LIMIT
        views: list[RunView] = []
        for at in range(0, len(ids), _CHUNK):
            views += await self._terminal(ids[at : at + _CHUNK], limit)
        return views

    async def _terminal(self, ids: Sequence[str], limit: float) -> list[RunView]:
        while True:
            views = await self._house.store.runs.read_all(ids)
            ended = [view for view in views if view is not None and view.status in TERMINAL]
            if len(ended) == len(ids):
                return ended
            if time.monotonic() > limit:
                raise WrongResult(
                    f"only {len(ended)} of {len(ids)} runs ended within {_LIMIT:g} s of waiting"
                )
            await asyncio.sleep(_LOOK_S)

    def _now_us(self) -> int:
        """The time on the server's clock."""
        return time.time_ns() // 1000 + self._ahead_us


def _lap(begun: int, views: Sequence[RunView]) -> Lap:
    return Lap(len(views), (max(view.since_us for view in views) - begun) / 1e6)


def _check_runs(views: Iterable[tuple[RunView, object]]) -> None:
    """Raise WrongResult unless each ran once and answered what was expected."""
    for view, expected in views:
        if (view.status, view.attempts, from_json(view.result or "null")) != ("succeeded", 1, expected):
            raise WrongResult(f"{view.id} is {view.status} after {view.attempts} attempts with {view.result}")
