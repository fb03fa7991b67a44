"""The server and the processes of one measurement: settings in, everything running and warm out.

Keys live in a namespace of their own, which is removed at the end; the embedded server has a folder of its own. The
floor's workers and Umbel's run beside each other all the time, so that both sides meet the same machine: idle ones
sleep on Redis.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
import sys
import time
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from pydantic import SecretStr

from actions.errors import OperatorError
from orchestrator.assembly import build
from umbel.bench.floor import Floor
from umbel.bench.ours import Ours
from umbel.bench.raw import Raw
from umbel.bench.workload import WrongResult
from umbel.supervisor import EmbeddedRedis, Family, Process

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from orchestrator.settings import Settings

WORKERS: Final = 2
"""Worker processes of each side."""
_READY_S: Final = 30.0


@dataclass(frozen=True, slots=True)
class Stage:
    """Both sides, ready to be measured."""

    raw: Raw
    """A bare connection, for readings."""
    floor: Floor
    """The floor's producer."""
    floor_pids: tuple[int, ...]
    """The floor's workers."""
    ours: Ours | None
    """Umbel's producer; None when only the floor is measured."""
    worker_pids: tuple[int, ...]
    """Celery's parent processes."""
    server: str
    """What the server calls itself, and its version."""


@asynccontextmanager
async def set_up(settings: Settings, *, calls: int, with_ours: bool, events: bool) -> AsyncIterator[Stage]:
    """Start everything, warm it up; stop and remove everything afterwards.

    Raises:
        OperatorError: the server or a worker does not start.
    """
    own = settings.model_copy(
        update={
            "namespace": f"bench{secrets.token_hex(4)}",
            "celery_prefix": f"bench{secrets.token_hex(4)}:",
            "actions": ("umbel.bench.actions",),
            "concurrency": 1,
            "events": events,
            "home": settings.home / "bench" / str(os.getpid()),
        }
    )
    async with AsyncExitStack() as stack:
        stack.push(_tidy(own))
        if own.is_embedded:
            server = stack.enter_context(EmbeddedRedis(own.home))
            own = own.model_copy(update={"redis_url": SecretStr(server.url)})
        raw = await stack.enter_async_context(Raw(own))
        if settings.redis_url is not None:
            stack.push_async_callback(_clear, raw, own)
        else:  # a rewrite of the file in the middle would hit one side and spare the other
            await raw.redis.config_set("auto-aof-rewrite-percentage", 0)
        family = stack.enter_context(Family())
        floor_workers = [family.add(_floor_worker(own, number), restart=False) for number in range(WORKERS)]
        workers = [family.add(_worker(own, number), restart=False) for number in range(WORKERS * with_ours)]
        ahead = await raw.clock_ahead_us()
        floor = Floor(raw, calls=calls, ahead_us=ahead)
        ours = None
        if with_ours:
            house = build(own)
            stack.push_async_callback(house.close)
            ours = Ours(house, calls=calls, ahead_us=ahead)
        await _warm(raw, floor, ours, [*floor_workers, *workers])
        about = await raw.redis.info("server")
        name = about.get("server_name", "redis")
        yield Stage(
            raw,
            floor,
            tuple(worker.pid for worker in floor_workers),
            ours,
            tuple(worker.pid for worker in workers),
            f"{name} {about.get(f'{name}_version', about['redis_version'])}",
        )


def _floor_worker(settings: Settings, number: int) -> Process:
    return Process(
        f"floor worker {number}",
        [sys.executable, "-m", "umbel.bench.floor_worker"],
        log=settings.home / "logs" / f"floor-{number}.log",
        env={**os.environ, **settings.environ()},
        grace=timedelta(seconds=0.2),
    )


def _worker(settings: Settings, number: int) -> Process:
    """The command of the README, with what it says at its start left out."""
    return Process(
        f"worker {number}",
        [
            sys.executable, "-m", "celery", "-A", "workers.main", "worker", "-Q", "actions", "-c", "1",
            "-n", f"bench{number}@%h", "--without-mingle", "--without-gossip",
            *(["-E"] if settings.events else []),
        ],
        log=settings.home / "logs" / f"worker-{number}.log",
        env={**os.environ, **settings.environ()},
    )  # fmt: skip


async def _warm(raw: Raw, floor: Floor, ours: Ours | None, processes: list[Process]) -> None:
    """Wait until every process serves, then let each side work a little."""
    limit = time.monotonic() + _READY_S
    while await raw.redis.scard(f"{raw.prefix}workers") < WORKERS:
        await _look_after(processes, limit)
    await (await floor.actions(500))()
    if ours is None:
        return
    try:
        while not await ours.wake(WORKERS):
            await _look_after(processes, limit)
    except WrongResult as error:
        raise OperatorError(str(error), where=str(processes[-1].log), fix=processes[-1].tail()) from None


async def _look_after(processes: list[Process], limit: float) -> None:
    for process in processes:
        if not process.is_alive:
            raise process.ended_early()
    if time.monotonic() > limit:
        last = processes[-1]
        raise OperatorError(
            f"the workers were not ready within {_READY_S:g} s", where=str(last.log), fix=last.tail()
        )
    await asyncio.sleep(0.05)


def _tidy(settings: Settings) -> Callable[..., None]:
    """Removes the folder; after a failure its logs stay."""

    def tidy(failed: type[BaseException] | None, *_: object) -> None:
        shutil.rmtree(settings.home / "redis", ignore_errors=True)
        if failed is None:
            shutil.rmtree(settings.home, ignore_errors=True)
            with suppress(OSError):  # another run has its folder beside ours
                settings.home.parent.rmdir()

    return tidy


async def _clear(raw: Raw, settings: Settings) -> None:
    """Leave nothing on a server that is not ours."""
    await raw.clear(f"{settings.namespace}*")
    await raw.clear(f"{settings.celery_prefix}*")
