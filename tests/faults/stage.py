"""What a scenario plays on: a server, Celery workers and a load of its own, and the means to hurt them.

In: a name and a form (how long, how much). Out: a `Case` for the checker and the moments at which something was hurt.
The server's folder and the processes end with the stage. The history is on another server, which nothing hurts.
Several stages share a loop, so what takes long is done in threads.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import time
from collections import defaultdict
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from pydantic import SecretStr

from actions.errors import OperatorError, StoreUnavailable
from actions.messages import TERMINAL
from faults import evidence, history
from faults.case import Case, Fault, Record
from faults.load import Load
from faults.processes import children_of
from umbel.supervisor import EmbeddedRedis, Process
from workers_under_test import start_worker

if TYPE_CHECKING:
    from orchestrator.assembly import House
    from orchestrator.settings import Settings

log: Final = logging.getLogger(__name__)

QUEUES: Final = ("actions", "turns")


class Stage:
    """One scenario's server, workers and load."""

    def __init__(
        self, name: str, settings: Settings, server: EmbeddedRedis, house: House, notes: str
    ) -> None:
        """Use `opening.open_stage`."""
        self.settings = settings
        self.server = server
        self.house = house
        self.load = Load(house.conductor, name.replace("_", ""))
        self.faults: list[Fault] = []
        self.workers: dict[str, Process] = {}
        self.every_end_told = True
        """Whether the submitter's own way to the server is sound; a scenario that hurts it says so."""
        self.stopped: list[tuple[int, float]] = []
        """Processes that a scenario stopped for longer than a lease, and when (ms)."""
        self.nobody_died = False
        """Whether a scenario lets workers end only in order."""
        self.out_of_touch = False
        """Whether a scenario lets workers live without the store for longer than a lease."""
        self._ports: dict[str, int] = {}
        self._notes = notes
        self._told: dict[str, list[tuple[str, str]]] = defaultdict(list)

    # Workers

    async def start(self, *names: str, port: int | None = None) -> None:
        """Start workers of these names; one that ran before is replaced. `port`: that of a link to the server."""
        for name in names:
            if port is not None:
                self._ports[name] = port
            self.workers[name] = await asyncio.to_thread(
                start_worker, self._settings_of(name), name, concurrency=self.settings.concurrency
            )

    def _settings_of(self, name: str) -> Settings:
        port = self._ports.get(name)
        if port is None:
            return self.settings
        url = self.server.url.rpartition(":")[0] + f":{port}/0"
        return self.settings.model_copy(update={"redis_url": SecretStr(url)})

    async def awake(self) -> None:
        """Wait until the workers have their pools and have left their nudge, so that what follows is no start."""
        size = self.settings.concurrency
        await self.until(lambda: all(len(self.children(name)) >= size for name in self.workers), 90)
        await self.until(lambda: self.house.store.runs.has_nudges(QUEUES), 90)

    async def asleep(self) -> None:
        """Wait until no pump is left; one may stay some seconds for what is due soon."""
        live = f"{self.house.store.connection.prefix}live"

        async def none() -> bool:
            return not await self.command("EXISTS", live)

        await self.until(none, 20)

    def children(self, name: str) -> frozenset[int]:
        """The processes of a worker's pool, in which handlers run."""
        return frozenset(children_of(self.workers[name].pid))

    def busy(self) -> frozenset[int]:
        """Those of these processes in which a handler runs."""
        pools = frozenset().union(*(self.children(name) for name in self.workers))
        return pools & history.busy(self._notes, self.settings.namespace)

    async def busiest(self) -> str:
        """A worker in which handlers run, as soon as there is one; the pump that is awake takes what comes."""
        await self.until(lambda: asyncio.to_thread(self.busy), 20)
        pids = await asyncio.to_thread(self.busy)
        return max(self.workers, key=lambda name: len(self.children(name) & pids))

    async def stop_all(self) -> None:
        """Ask all workers to stop, and wait for them."""
        for worker in self.workers.values():
            worker.terminate()
        for worker in self.workers.values():
            await asyncio.to_thread(worker.stop, within=timedelta(seconds=15))

    # Faults

    def hurt(self, pids: frozenset[int] = frozenset()) -> None:
        """Note that something is hurt now: call it just before."""
        self.faults.append(Fault(time.time() * 1000, pids))

    def healed(self) -> None:
        """Note that the last fault is over."""
        self.faults[-1] = replace(self.faults[-1], until_ms=time.time() * 1000)

    def signal(self, pids: frozenset[int], number: signal.Signals) -> None:
        """Send a signal to processes of ours; one that has ended meanwhile is no matter."""
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    # The end

    async def until(self, what: Any, within_s: float) -> bool:
        """Poll until `what()` (sync or async) is true, or the time is over; whether it became true."""
        limit = time.monotonic() + within_s
        while True:
            with contextlib.suppress(OperatorError):
                found = what()
                if await found if asyncio.iscoroutine(found) else found:
                    return True
            if time.monotonic() > limit:
                return False
            await asyncio.sleep(0.1)

    async def command(self, *words: str) -> Any:
        """A plain command to the server under test, repeated until there is an answer."""
        while True:
            try:
                return (await self.house.store.connection.ask(list(words)))[0]
            except StoreUnavailable:
                await asyncio.sleep(0.05)

    async def listen(self) -> None:
        """Hear every end that is told, until cancelled."""
        while True:
            try:
                end = await self.house.store.runs.next_reply(self.house.conductor._mailbox, 1.0)
            except OperatorError as error:
                log.warning("the reader of ends: %s", error)
                await asyncio.sleep(0.05)
                continue
            if end is not None:
                run, status, result = end
                self._told[run].append((status, result))

    async def settle(self, within_s: float) -> bool:
        """Wait until everything that was accepted has ended and was told; what has not is the checker's matter."""
        open_runs = [asked.run for asked in self.load.asked]

        async def all_ended() -> bool:
            nonlocal open_runs
            open_runs = [
                run
                for run, record in (await evidence.records(self.house, open_runs)).items()
                if not _ended(record)
            ]
            return not open_runs

        ended = await self.until(all_ended, within_s)
        return ended and await self.until(lambda: set(self._told) >= self.load.alone, 3)

    async def case(self) -> Case:
        """All that is known now; stops the workers."""
        entries = await asyncio.to_thread(history.read, self._notes, self.settings.namespace)
        records = await evidence.records(self.house, [asked.run for asked in self.load.asked])
        talks = [await evidence.talk(self.house, talk, rounds) for talk, rounds in self.load.rounds.items()]
        await self.stop_all()
        return Case(
            self.load.asked, records, entries, dict(self._told), self.every_end_told,
            frozenset(self.load.alone), talks, await self._endless(), self.stopped, self.nobody_died, self.out_of_touch,
        )  # fmt: skip

    async def _endless(self) -> list[str]:
        """The keys that stand for ever although nobody works any more."""
        found: list[str] = []

        async def none_left() -> bool:
            await self.house.store.runs.tick(QUEUES)
            found[:] = await evidence.endless(self.house)
            return not found

        await self.until(none_left, self.settings.lease_ms / 1000 + 5)
        return found


def _ended(record: Record | None) -> bool:
    return record is not None and record.status in TERMINAL
