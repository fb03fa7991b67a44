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
from umbel.bench.actions import continued, note
from umbel.bench.raw import Raw

if TYPE_CHECKING:
    from orchestrator.settings import Settings

BATCH: Final = 64
"""Actions that one claim takes; the same figure as the pump's."""
SINGLE: Final = "s"
"""First letter of the ids of the variant that takes one action a round trip."""
MANY: Final = "m"
"""First letter of the ids of the variant that takes batches."""


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
                await _work(raw, who, first)


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
