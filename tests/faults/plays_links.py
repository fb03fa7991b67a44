"""Scenarios of the server and of the ways to it: killed, cut, stalled, half-open; nudges doubled and dropped."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Final
from urllib.parse import urlsplit

from faults.link import Link
from faults.load import Wish
from faults.playing import Form, scenario
from faults.stage import QUEUES, Stage

LATE_S: Final = 3.6
"""Seconds of a stall after which a worker is late: its runs (lease: 3 s) are in other hands, and running."""


@scenario()
async def server_killed(stage: Stage, form: Form) -> None:
    """The server is killed and started again on its append-only file, which is on disk at each answer."""
    stage.out_of_touch = True
    stage.every_end_told = False  # an end may be on its way to the submitter when the server dies
    await stage.command("CONFIG", "SET", "appendfsync", "always")
    await stage.start("one", "two")
    await stage.awake()
    feeding = asyncio.create_task(stage.load.feed(form.mix(11), form.runs, form.seconds))
    while not feeding.done():
        await asyncio.sleep(form.pause * 2)
        stage.hurt()
        await asyncio.to_thread(kill_and_start, stage)
        stage.healed()
        await stage.command("CONFIG", "SET", "appendfsync", "always")
    await feeding


def kill_and_start(stage: Stage) -> None:
    """Kill the server and start it again."""
    assert stage.server.process is not None
    stage.server.process.kill()
    stage.server.stop()
    stage.server.start()


@scenario()
async def clients_killed(stage: Stage, form: Form) -> None:
    """The server closes every connection but ours, again and again."""
    await stage.start("one", "two")
    await stage.awake()
    feeding = asyncio.create_task(stage.load.feed(form.mix(12), form.runs, form.seconds))
    stage.every_end_told = False
    while not feeding.done():
        await asyncio.sleep(form.pause / 4)
        stage.hurt()
        await stage.command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        stage.healed()
    await feeding


@scenario(lease_ms=10_000, renew_ms=3_000)
async def half_open(stage: Stage, form: Form) -> None:
    """One worker's connections go dead without a word (both ways, or the answers alone); new ones are sound.

    The lease is the usual one, so that a worker which comes back in time still has what it had.
    """
    async with _linked(stage, "one", "two") as links:
        feeding = asyncio.create_task(stage.load.feed(form.mix(13), form.runs, form.seconds))
        for number in itertools.count():
            await asyncio.sleep(form.pause)
            if feeding.done():
                break
            link = await _ending_on(stage, links)
            coming = asyncio.create_task(_come(stage, range(20, 620, 20)))
            await asyncio.sleep(0.01)
            stage.hurt()
            link.swallow(requests=number % 2 == 1)
            await coming
        await feeding
        await stage.settle(60)


@scenario()
async def stalled(stage: Stage, form: Form) -> None:
    """One worker's link stands still, for less and for more than a lease (3 s), and then passes all on."""
    async with _linked(stage, "one", "two") as links:
        feeding = asyncio.create_task(stage.load.feed(form.mix(14), form.runs, form.seconds))
        for seconds in itertools.cycle((LATE_S, 0.5, 5.5)):
            await asyncio.sleep(form.pause / 2)
            if feeding.done():
                break
            link = await _ending_on(stage, links)
            stage.hurt()
            link.hold()
            await asyncio.sleep(seconds)
            link.release()
            stage.healed()
        await feeding
        await stage.settle(60)


async def _ending_on(stage: Stage, links: dict[str, Link]) -> Link:
    """The link of a worker in which many runs come to their end at this moment, so that some of it is on the way."""
    await _come(stage, range(200, 500, 10))
    await asyncio.sleep(0.2)
    return links[await stage.busiest()]


async def _come(stage: Stage, lengths: Iterable[int]) -> None:
    """Ask for runs of these lengths (ms), one right after another."""
    for ms in lengths:
        await stage.load.ask(Wish("SLOWER", ({"ms": ms},)))


@asynccontextmanager
async def _linked(stage: Stage, *names: str) -> AsyncIterator[dict[str, Link]]:
    """Workers whose connections all go through a link of their own; they end before it does."""
    stage.out_of_touch = True
    port = urlsplit(stage.server.url).port or 0
    async with contextlib.AsyncExitStack() as stack:
        links = {name: await stack.enter_async_context(Link(port)) for name in names}
        for name, link in links.items():
            await stage.start(name, port=link.port)
        await stage.awake()
        yield links
        await stage.stop_all()


@scenario(linger_ms=100)
async def nudges_doubled(stage: Stage, form: Form) -> None:
    """Each nudge arrives twice."""
    await _in_waves(stage, form, seed=15, copies=2)


@scenario(linger_ms=100)
async def nudges_dropped(stage: Stage, form: Form) -> None:
    """Each nudge is lost, for ever; nothing tells the workers of the next wave."""
    await _in_waves(stage, form, seed=16, copies=0)


async def _in_waves(stage: Stage, form: Form, *, seed: int, copies: int) -> None:
    """Waves of load before which the workers fall asleep: only then is there anything to nudge."""
    await stage.start("one", "two")
    await stage.awake()
    waves = max(2, round(form.seconds / 10))
    async with _postman(stage) as postman:
        postman.copies = copies
        for wave in range(waves):
            await stage.asleep()
            if not copies:
                stage.hurt()
            await stage.load.feed(form.mix(seed + wave), form.runs // waves, form.seconds / waves / 2)
            await stage.settle(60)
        assert postman.letters, "no nudge was seen"


class _Postman:
    """Stands between the store's scripts and Celery's queues."""

    copies = 1
    """How often he delivers what he is given."""
    letters = 0
    """How many nudges he was given."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._prefix = stage.house.store.connection.prefix
        self._homes: dict[str, str] = {}
        self.is_over = False

    async def _tell(self, queue: str, key: str) -> None:
        """Tell the scripts where nudges for a queue go."""
        await self._stage.command("HSET", f"{self._prefix}env:{queue}", "key", key)

    def _own(self, queue: str) -> str:
        return f"{self._prefix}diverted:{queue}"

    async def divert(self) -> None:
        """Let nudges come to him; again and again, for a worker that starts late tells the scripts the straight way."""
        for queue in QUEUES:
            if queue not in self._homes:
                self._homes[queue] = await self._stage.command("HGET", f"{self._prefix}env:{queue}", "key")
            await self._tell(queue, self._own(queue))

    async def deliver(self) -> None:
        """Until it is over."""
        for number in itertools.count():
            if self.is_over:
                return
            if number % 20 == 0:
                await self.divert()
            for queue, home in self._homes.items():
                if letter := await self._stage.command("RPOP", self._own(queue)):
                    self.letters += 1
                    for _ in range(self.copies):
                        await self._stage.command("LPUSH", home, letter)
            await asyncio.sleep(0.005)

    async def go_home(self) -> None:
        """Leave the straight way as it was."""
        for queue, home in self._homes.items():
            await self._tell(queue, home)
            await self._stage.command("DEL", self._own(queue))


@asynccontextmanager
async def _postman(stage: Stage) -> AsyncIterator[_Postman]:
    """Let the scripts' nudges go by a list of his, as long as this lasts."""
    postman = _Postman(stage)
    await postman.divert()
    delivering = asyncio.create_task(postman.deliver())
    try:
        yield postman
    finally:
        postman.is_over = True
        await delivering
        await postman.go_home()
