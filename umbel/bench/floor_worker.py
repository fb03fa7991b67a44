"""One worker process of the floor: pops a batch, runs it, records it together with the next pop. Nothing else.

In: ids on the ready list. Out: results in the records. The validation and the handler are what Umbel's workers do;
leases, fences, retries, limits, events and refusals are what is left out.
"""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Final

from pydantic import BaseModel
from pydantic_core import to_json

from orchestrator.settings import load_settings
from umbel.bench.actions import continued, guarded, note
from umbel.bench.raw import Raw

if TYPE_CHECKING:
    from orchestrator.settings import Settings

BATCH: Final = 64
"""Actions that one claim takes; the same figure as the pump's."""
SINGLE: Final = "s"
"""First letter of the ids of the variant that takes one action a round trip."""
MANY: Final = "m"
"""First letter of the ids of the variant that takes batches."""


GUARD: Final = "g"
"""First letter of the ids of those that need a lock and a place under the limit; they run together on the loop."""
ROOM: Final = 500
"""How many of those one worker runs at the same time; the same figure as the pump's."""


class _Guarded(BaseModel):
    room: int
    count: int
    wait_ms: int


class _Note(BaseModel):
    text: str
    count: int
    urgent: bool


async def _handle(arguments: str) -> str:
    """Validate, run, and give the result as it stands in a tool message."""
    if not arguments:
        return to_json(to_json(await continued()).decode()).decode()
    params = _Note.model_validate_json(arguments)
    value = await note(text=params.text, count=params.count, urgent=params.urgent)
    return to_json(to_json(value).decode()).decode()


async def serve(settings: Settings) -> None:
    """Work for ever."""
    who = f"floor:{os.getpid()}"
    async with Raw(settings) as raw:
        await raw.redis.sadd(f"{raw.prefix}workers", who)
        while True:
            first = await raw.pop("ready", 30.0)
            if first is not None:
                work = _work_guarded if first.startswith(GUARD) else _work
                await work(raw, who, first)


async def _handle_guarded(run: str, arguments: str) -> tuple[str, str, str]:
    """Validate, wait, and give what the script `guarded` wants of one that ended."""
    params = _Guarded.model_validate_json(arguments)
    value = await guarded(room=params.room, count=params.count, wait_ms=params.wait_ms)
    return run, to_json(to_json(value).decode()).decode(), str(params.room)


async def _work_guarded(raw: Raw, who: str, first: str) -> None:
    """Take what may start, run it together, record what has ended with the next claim, until nothing is left."""
    flying: set[asyncio.Task[tuple[str, str, str]]] = set()
    taken = await raw.run("guarded", who, BATCH, 1, first)
    while taken or flying:
        flying |= {
            asyncio.create_task(_handle_guarded(*taken[at : at + 2])) for at in range(0, len(taken), 2)
        }
        ended: set[asyncio.Task[tuple[str, str, str]]] = set()
        if flying:
            ended, flying = await asyncio.wait(
                flying, return_when=asyncio.FIRST_COMPLETED, timeout=None if len(taken) < BATCH else 0
            )
        row = [value for task in ended for value in task.result()]
        taken = await raw.run("guarded", who, min(BATCH, ROOM - len(flying)), 0, *row)


async def _work(raw: Raw, who: str, first: str) -> None:
    """Take batches, beginning with one that was popped, until there is nothing left."""
    most = 1 if first.startswith(SINGLE) else BATCH
    taken = await raw.run("step", who, most, 1, first)
    while taken:
        ended: list[str] = []
        for at in range(0, len(taken), 3):
            ended += (taken[at], await _handle(taken[at + 1]), taken[at + 2])
        taken = await raw.run("step", who, most, 0, *ended)


if __name__ == "__main__":
    asyncio.run(serve(load_settings()))
