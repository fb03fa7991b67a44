"""What the benchmark runs: actions that do nothing or wait, so that only the way to them and back is measured."""

from __future__ import annotations

import asyncio

from actions.definition import action
from actions.limits import Lock, RateLimit
from actions.policy import Retry

NOTE = "BENCH_NOTE"
"""The action of W1, and of each call of W2."""
CONTINUED = "BENCH_CONTINUED"
"""What follows the results of a W2 turn."""
GUARDED = "BENCH_GUARDED"
"""The action of W3: under a lock of its room and one limit for all, which never binds."""


@action(NOTE, timeout="30s")
async def note(text: str, count: int, urgent: bool) -> dict[str, int]:  # noqa: FBT001 - a model names all its arguments; async is what is measured
    """Take a note.

    Args:
        text: what to note.
        count: how many times.
        urgent: whether it matters now.
    """
    del text, urgent
    return {"noted": count}


@action(CONTINUED)
async def continued() -> str:
    """Stand for the model's next round."""
    return "continued"


@action(
    GUARDED,
    timeout="30s",
    retry=Retry(3),
    lock=Lock("bench:{room}"),
    rate_limit=RateLimit(1_000_000, per="1s", name="bench"),
)
async def guarded(room: int, count: int, wait_ms: int) -> dict[str, int]:
    """Wait as for an answer from outside.

    Args:
        room: which of them shuts out the others of the same room.
        count: what to answer.
        wait_ms: how long to wait.
    """
    del room
    if wait_ms:
        await asyncio.sleep(wait_ms / 1000)
    return {"noted": count}
