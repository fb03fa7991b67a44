"""`python benchmarks/streams.py`: event streams and waits of one API process, beside a server that does the least.

In: how many clients. Out: a table (or one JSON document) of the time from a write to Redis to the client's bytes, and
of what the server's process needs. All of them share this machine; only the ratios mean something elsewhere.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import resource
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from streams_client import Client, Row

from actions.messages import Payload
from orchestrator.settings import Settings
from orchestrator.store.incoming import Finish, NewRun
from orchestrator.store.store import Store
from umbel.bench.meters import cpu_seconds, pss_mib
from umbel.supervisor import EmbeddedRedis

_NUMBER = re.compile(rb"turn_(\d+)")
FLOOR = Path(__file__).with_name("streams_floor.py")


@dataclass
class Bench:
    """The server under test and the store behind it."""

    store: Store
    port: int
    pid: int

    async def redis_cpu(self) -> float:
        """CPU seconds of Redis so far."""
        told = await self.store.connection.redis.info("cpu")
        return float(told["used_cpu_user"] + told["used_cpu_sys"])

    async def write(self, stream: str, number: int) -> None:
        """One step, as the scripts write it."""
        key = f"{self.store.connection.prefix}ev:{stream}"
        told = f'[{{"turn":"turn_{number}","status":"live"}}]'
        await self.store.connection.ask(
            ["XADD", key, "MAXLEN", "~", 1000, "*", "at", int(time.time() * 1000), "e", told]
        )

    async def connect(self, paths: list[str], heard: Callable[[bytes, float], None]) -> list[Client]:
        """Clients that are all being served."""
        loop, made = asyncio.get_running_loop(), []
        for at in range(0, len(paths), 50):
            some = [
                loop.create_connection(lambda path=path: Client(path, heard), "127.0.0.1", self.port)
                for path in paths[at : at + 50]
            ]
            made += [client for _, client in await asyncio.gather(*some)]
        async with asyncio.timeout(60):
            await asyncio.gather(*(client.is_open for client in made))
        return made

    async def streams(self, what: str, clients: int, streams: int, writes: int, pause: float) -> Row:
        """Clients spread over so many conversations; `writes` steps, one each `pause` seconds."""
        names = [f"conv_b{at}" for at in range(streams)]
        for name in names:
            await self.store.conversations.open(name)
        row, sent, due = Row(what, clients), {}, asyncio.Event()
        expected = writes * clients // streams

        def heard(data: bytes, now: float) -> None:
            row.samples.extend((now - sent[int(n)]) * 1e3 for n in _NUMBER.findall(data) if int(n) in sent)
            if len(row.samples) >= expected:
                due.set()

        before = pss_mib([self.pid])
        paths = [f"/v1/conversations/{names[at % streams]}/events" for at in range(clients)]
        connected = await self.connect(paths, heard)
        await asyncio.sleep(1)
        row.pss_kib = (pss_mib([self.pid]) - before) * 1024 / clients
        cpu, redis = cpu_seconds(self.pid), await self.redis_cpu()
        first = time.monotonic_ns() % 1_000_000_000
        for at in range(writes):
            sent[first + at] = time.monotonic()
            await self.write(names[at % streams], first + at)
            await asyncio.sleep(pause)
        async with asyncio.timeout(60):
            await due.wait()
        row.cpu_ms = (cpu_seconds(self.pid) - cpu) * 1e3 / expected
        row.redis_ms = (await self.redis_cpu() - redis) * 1e3 / writes
        for client in connected:
            assert client.transport is not None
            client.transport.abort()
        prefix = self.store.connection.prefix
        await self.store.connection.ask(["DEL", *(f"{prefix}ev:{name}" for name in names)])
        await asyncio.sleep(1)
        return row

    async def waits(self, what: str, clients: int, runs: int) -> Row:
        """Clients that wait for the ends of so many runs."""
        names = [f"run_b{runs}x{at}" for at in range(runs)]
        await self.store.runs.submit([NewRun(name, "bench", Payload("NONE").encode()) for name in names])
        row, ended, over = Row(what, clients), {}, asyncio.Event()

        def heard(data: bytes, now: float) -> None:
            if (run := re.search(rb'"run":"(\w+)"', data)) is None:
                return  # the head came alone
            row.samples.append((now - ended[run[1].decode()]) * 1e3)
            if len(row.samples) == clients:
                over.set()

        before = pss_mib([self.pid])
        paths = [f"/v1/runs/{names[at % runs]}?wait=50s" for at in range(clients)]
        connecting = asyncio.create_task(self.connect(paths, heard))
        await asyncio.sleep(8)
        row.pss_kib = (pss_mib([self.pid]) - before) * 1024 / clients
        cpu, redis = cpu_seconds(self.pid), await self.redis_cpu()
        while claimed := (await self.store.runs.claim("b", [("bench", 10)])).runs:
            now = time.monotonic()
            ended.update({run.id: now for run in claimed})
            ends = [Finish(run.id, run.fence, "succeeded", "1") for run in claimed]
            await self.store.runs.finish("b", ends)
            await asyncio.sleep(0.05)
        async with asyncio.timeout(60):
            await over.wait()
        row.cpu_ms = (cpu_seconds(self.pid) - cpu) * 1e3 / clients
        row.redis_ms = (await self.redis_cpu() - redis) * 1e3 / runs
        for client in await connecting:
            assert client.transport is not None
            client.transport.abort()
        return row


@asynccontextmanager
async def serving(settings: Settings, store: Store, argv: list[str]) -> Any:
    """A server's process; its first line of output ends with its port."""
    more = {"PYTHONPATH": str(FLOOR.parent.parent), "UMBEL_LOG_LEVEL": "error"}
    env = dict(os.environ) | settings.environ() | more
    process = await asyncio.create_subprocess_exec(*argv, stdout=asyncio.subprocess.PIPE, env=env)
    try:
        assert process.stdout is not None
        port = int((await process.stdout.readline()).decode().strip().rpartition(":")[2])
        yield Bench(store, port, process.pid)
    finally:
        process.terminate()
        await process.wait()


async def measure(clients: int, writes: int) -> list[Row]:
    """All rows, the floor's first."""
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="streams-") as folder, EmbeddedRedis(Path(folder)) as redis:
        given = {"redis_url": redis.url, "home": Path(folder), "namespace": "bench"}
        settings = Settings.model_validate(given)
        store = Store(settings)
        floor = [sys.executable, str(FLOOR)]
        ours = [sys.executable, "-m", "umbel", "api", "--port", "0", "--insecure"]
        cases: list[Callable[[Bench], Awaitable[Row]]] = [
            lambda it: it.streams("all on one conversation", clients, 1, max(20, writes // 20), 0.3),
            lambda it: it.streams("each on its own", clients, clients, writes, 0.005),
        ]
        for case in cases:
            for name, argv in (("floor", floor), ("umbel", ours)):
                async with serving(settings, store, argv) as bench:
                    row = await case(bench)
                    row.what = f"{row.what}, {name}"
                    rows.append(row)
        async with serving(settings, store, ours) as bench:
            rows.append(await bench.waits("waits, each for its own run", clients, clients))
            rows.append(await bench.waits("waits, all for one run", clients, 1))
        await store.close()
    return rows


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, default=1_000)
    parser.add_argument("--writes", type=int, default=2_000, help="steps, where each has a stream of its own")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    rows = [row.told() for row in asyncio.run(measure(given.clients, given.writes))]
    if given.json:
        print(json.dumps(rows, indent=2))
        return
    print(f"{'':38} {'clients':>7} {'p50 ms':>8} {'p99 ms':>8} {'CPU µs':>8} {'Redis µs':>9} {'KiB':>6}")
    for row in rows:
        print(
            f"{row['what']:38} {row['clients']:7} {row['p50_ms']:8} {row['p99_ms']:8} {row['cpu_us']:8}"
            f" {row['redis_us']:9} {row['kib']:6}"
        )


if __name__ == "__main__":
    main()
