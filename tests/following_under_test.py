"""A stand-in for a worker: runs of a namespace are claimed and finished, in a thread, while a command looks on.

A command has a loop of its own and blocks; what it waits for has to come from elsewhere.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from orchestrator.store.incoming import Finish
from orchestrator.store.store import Store
from workers_under_test import eventually

if TYPE_CHECKING:
    from orchestrator.settings import Settings
    from orchestrator.store.records import Claimed


@contextmanager
def aside(settings: Settings, work: Callable[[Store], Awaitable[Any]]) -> Iterator[None]:
    """Do this in a thread during the block; what it raises is raised at its end."""
    failed: list[BaseException] = []

    async def do() -> None:
        store = Store(settings)
        try:
            await work(store)
        finally:
            await store.close()

    def run() -> None:
        try:
            asyncio.run(do())
        except BaseException as error:  # noqa: BLE001 - handed over to the test
            failed.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        thread.join(30)
        assert not thread.is_alive()
    if failed:
        raise failed[0]


async def claimed(store: Store, queue: str = "actions") -> Claimed:
    """The next run of a queue, once there is one."""
    found: list[Claimed] = []

    async def some() -> bool:
        found.extend((await store.runs.claim("pump", [(queue, 1)])).runs)
        return bool(found)

    await eventually(some)
    return found[0]


async def finish(store: Store, run: Claimed, status: str, result: Any) -> None:
    """End a run that was claimed."""
    await store.runs.finish("pump", [Finish(run.id, run.fence, status, json.dumps(result))])
