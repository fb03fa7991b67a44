"""The scenario of the HTTP service: its Redis is killed, stopped and filled up while others submit and listen."""

from __future__ import annotations

import asyncio
import itertools
import logging
import os
import random
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from actions.errors import StoreUnavailable
from actions.registry import Registry
from asking_under_test import timed
from faults.load import Load
from faults.playing import Form, scenario
from faults.plays_links import kill_and_start
from faults.stage import Stage
from listening_under_test import Site, site
from orchestrator import keyring

IN_TIME_S = 5.0
"""Seconds within which each request is answered, from when it goes out."""
LISTENERS = 12
"""Conversations that are listened to."""


@dataclass(frozen=True, slots=True)
class _Posted:
    turn: str


class OverHttp:
    """What the load asks for, asked for over HTTP."""

    def __init__(self, port: int, key: str) -> None:
        """Ask the service on this port, with this key."""
        self._port = port
        self._key = key
        self.refused = 0
        """Requests that heard 503."""

    async def submit(self, action: str, arguments: dict[str, Any], *, run: str, told: bool) -> str:
        """Submit a run under a key; its id."""
        return str((await self._post("/v1/runs", run, {"action": action, "arguments": arguments}))["run"])

    async def open_conversation(self, id: str) -> str:  # noqa: A002
        """Open a conversation under a key; its id."""
        return str((await self._post("/v1/conversations", id, {}))["conversation"])

    async def post_reply(self, conversation: str, body: dict[str, Any], *, key: str) -> _Posted:
        """Post a reply under a key."""
        told = await self._post(f"/v1/conversations/{conversation}/replies", key, body)
        return _Posted(told["turn"])

    async def _post(self, path: str, key: str, body: dict[str, Any]) -> dict[str, Any]:
        answer, seconds = await timed(self._port, "POST", path, self._key, body, Idempotency_Key=key)
        assert seconds < IN_TIME_S, f"an answer took {seconds:.1f} s"
        if answer.status_code == 503:
            assert "retry-after" in answer.headers
            self.refused += 1
            raise StoreUnavailable(answer.json()["detail"])
        assert answer.status_code in {201, 202}, answer.text
        return dict(answer.json())


@scenario()
async def service(stage: Stage, form: Form) -> None:
    """Redis is killed, stopped for a second and for six, and full, while runs come over HTTP and are followed."""
    with hushed("umbel.api", "orchestrator.stream_reader"):  # each refusal has a line
        await _serve(stage, form)


@contextmanager
def hushed(*names: str) -> Iterator[None]:
    """Let these loggers tell errors only, for as long as this lasts: other tests of the process listen to them."""
    loggers = [logging.getLogger(name) for name in names]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        for logger, level in zip(loggers, before, strict=True):
            logger.setLevel(level)


async def _serve(stage: Stage, form: Form) -> None:
    stage.out_of_touch = True
    stage.every_end_told = False  # who submits over HTTP has no list of ends
    await stage.command("CONFIG", "SET", "appendfsync", "always")
    await stage.start("one", "two")
    await stage.awake()
    async with site(stage.settings, Registry.from_modules(stage.settings.actions)) as here:
        asking = OverHttp(here.served.port, here.key)
        stage.load = Load(asking, "service")  # type: ignore[arg-type]
        feeding = asyncio.create_task(stage.load.feed(form.mix(17), form.runs, form.seconds))
        dice, is_over = form.dice(17), asyncio.Event()
        listening = asyncio.create_task(_listen(here, stage, dice, is_over))
        for hurt in itertools.cycle((_killed, _stopped, _full, _killed, _stopped_long)):
            await asyncio.sleep(form.pause / 2)
            if feeding.done():
                break
            stage.hurt()
            await hurt(stage)
            stage.healed()
        await feeding
        await stage.settle(60)
        is_over.set()
        await listening
        assert asking.refused, "nothing was refused: nothing was hurt"
        await keyring.revoke(here.store, here.key.split("_")[1], by="the faults")


async def _killed(stage: Stage) -> None:
    await asyncio.to_thread(kill_and_start, stage)
    await stage.command("CONFIG", "SET", "appendfsync", "always")


async def _stopped(stage: Stage, seconds: float = 1.0) -> None:
    assert stage.server.process is not None
    pid = stage.server.process.pid
    os.kill(pid, signal.SIGSTOP)
    await asyncio.sleep(seconds)
    os.kill(pid, signal.SIGCONT)


async def _stopped_long(stage: Stage) -> None:
    await _stopped(stage, 6.0)


async def _full(stage: Stage) -> None:
    await stage.command("CONFIG", "SET", "maxmemory", "1mb")
    await asyncio.sleep(1)
    await stage.command("CONFIG", "SET", "maxmemory", "0")


async def _listen(here: Site, stage: Stage, dice: random.Random, is_over: asyncio.Event) -> None:
    """Listen to the first conversations that there are, and judge what was heard."""
    while len(stage.load.rounds) < LISTENERS and not is_over.is_set():  # noqa: ASYNC110 - nobody tells when
        await asyncio.sleep(0.05)
    talks = list(stage.load.rounds)[:LISTENERS]
    heard = await asyncio.gather(*(_hear(here, stage, talk, dice, is_over) for talk in talks))
    for talk, ids in zip(talks, heard, strict=True):
        kept = [event.id for event in await here.store.events.read(talk, count=5_000)]
        assert ids == list(dict.fromkeys(kept)), f"{talk}: what was heard is not what happened"


async def _hear(
    here: Site, stage: Stage, talk: str, dice: random.Random, is_over: asyncio.Event
) -> list[str]:
    """The ids of all entries that somebody hears who drops out again and again."""
    ids: list[str] = []
    last = ""
    while not is_over.is_set() or last != await _last(stage, talk):
        async with here.listen(f"/v1/conversations/{talk}/events", after=last) as listener:
            if listener.status != 200:
                assert listener.status == 503, listener.status
                await asyncio.sleep(0.2)
                continue
            try:
                async with asyncio.timeout(0.1 + 2 * dice.random()):
                    await listener.to_the_end(within_s=60)
            except TimeoutError:
                pass
        assert {each.event for each in listener.messages} <= {"changes"}, "a reset, though nothing was lost"
        ids += [each.id for each in listener.messages]
        last = listener.last
    return ids


async def _last(stage: Stage, talk: str) -> str:
    found = await stage.command(
        "XREVRANGE", f"{stage.house.store.connection.prefix}ev:{talk}", "+", "-", "COUNT", "1"
    )
    return str(found[0][0]) if found else ""
