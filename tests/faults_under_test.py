"""Actions for the fault tests. Each notes its start and its end in the history, and says its tag and its fence."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from typing import TYPE_CHECKING, Any, Final

from actions.definition import action
from actions.directives import AppendContext, Result
from actions.errors import TryAgain
from actions.limits import Lock, RateLimit
from actions.policy import Retry
from faults.history import effect_of, noted

if TYPE_CHECKING:
    from actions.context import ActionContext

MODULE: Final = "faults_under_test"
"""The name under which workers import this file (`UMBEL_ACTIONS`)."""


def said(ctx: ActionContext, tag: str) -> dict[str, Any]:
    """What a handler says back: by this the checker knows whose result it is, and of which claim."""
    return {"tag": tag, "fence": ctx.fence}


@action("PLAIN")
async def plain(tag: str, ms: int, ctx) -> dict[str, Any]:
    """Wait on the loop."""
    with noted(ctx):
        await asyncio.sleep(ms / 1000)
        return said(ctx, tag)


@action("THREAD")
def thread(tag: str, ms: int, ctx) -> dict[str, Any]:
    """Wait in a thread."""
    with noted(ctx):
        time.sleep(ms / 1000)
        return said(ctx, tag)


@action("FLAKY", retry=Retry(2, initial="50ms", cap="200ms"))
async def flaky(tag: str, ctx) -> dict[str, Any]:
    """Succeed at the third attempt."""
    with noted(ctx):
        await asyncio.sleep(0.02)
        if ctx.attempt < 3:
            raise TryAgain(reason="not yet")
        return said(ctx, tag)


@action("OVERTIME", timeout="200ms")
async def overtime(tag: str, ctx) -> dict[str, Any]:
    """Take longer than allowed."""
    with noted(ctx):
        await asyncio.sleep(60)
        return said(ctx, tag)


@action("SEEN")
async def seen(tag: str, ms: int, ctx) -> Result:
    """Leave a trace in the conversation's context."""
    with noted(ctx):
        await asyncio.sleep(ms / 1000)
        return Result(said(ctx, tag), (AppendContext("seen", tag),))


@action("LOCKED", lock=Lock("desk:{desk}"))
async def locked(tag: str, desk: str, ms: int, ctx) -> dict[str, Any]:
    """Hold a lock for a while."""
    with noted(ctx, locks=((f"desk:{desk}", 1),)):
        await asyncio.sleep(ms / 1000)
        return said(ctx, tag)


@action("LOCKED_THREAD", lock=Lock("desk:{desk}"))
def locked_thread(tag: str, desk: str, ms: int, ctx) -> dict[str, Any]:
    """Hold the same lock in a thread."""
    with noted(ctx, locks=((f"desk:{desk}", 1),)):
        time.sleep(ms / 1000)
        return said(ctx, tag)


@action("LOCKED_FLAKY", lock=Lock("desk:{desk}"), retry=Retry(2, initial="50ms", cap="200ms"))
async def locked_flaky(tag: str, desk: str, ctx) -> dict[str, Any]:
    """Hold the same lock, once for each attempt."""
    with noted(ctx, locks=((f"desk:{desk}", 1),)):
        await asyncio.sleep(0.02)
        if ctx.attempt < 3:
            raise TryAgain(reason="not yet")
        return said(ctx, tag)


@action("GHOST", lock=Lock("desk:{desk}"), timeout="100ms")
def ghost(tag: str, desk: str, ctx) -> dict[str, Any]:
    """Go on in a thread after the time is over, with the lock."""
    with noted(ctx, locks=((f"desk:{desk}", 1),)):
        time.sleep(0.4)
        return said(ctx, tag)


@action("CROWDED", lock=Lock("bench:{bench}", places=3))
async def crowded(tag: str, bench: str, ms: int, ctx) -> dict[str, Any]:
    """Take one of three places."""
    with noted(ctx, locks=((f"bench:{bench}", 3),)):
        await asyncio.sleep(ms / 1000)
        return said(ctx, tag)


@action("LIMITED", rate_limit=RateLimit(3, per="1s", key="{door}", name="door"))
async def limited(tag: str, door: str, ctx) -> dict[str, Any]:
    """Start at most three times in any second."""
    with noted(ctx, limits=((f"door:{door}", 3, 1_000),)):
        await asyncio.sleep(0.01)
        return said(ctx, tag)


@action("FLOWING", rate_limit=RateLimit(8, per="1s", burst=4, name="tap"))
async def flowing(tag: str, ctx) -> dict[str, Any]:
    """Start at a steady rate, with a burst."""
    with noted(ctx, limits=(("tap", 8, 1_000),)):
        return said(ctx, tag)


@action("GUARDED", lock=Lock("desk:{desk}"), rate_limit=RateLimit(10, per="1s", name="gate"))
async def guarded(tag: str, desk: str, ms: int, ctx) -> dict[str, Any]:
    """Hold a lock and keep within a limit."""
    with noted(ctx, locks=((f"desk:{desk}", 1),), limits=(("gate", 10, 1_000),)):
        await asyncio.sleep(ms / 1000)
        return said(ctx, tag)


@action("SLOWER")
async def slower(tag: str, ms: int, ctx) -> dict[str, Any]:
    """Take longer when tried again, so that what comes late from an earlier attempt meets this one at work."""
    with noted(ctx):
        await asyncio.sleep(ms / 1000 if ctx.attempt == 1 else 1.5)
        return said(ctx, tag)


@action("ISOLATED", isolated=True)
def isolated(tag: str, ms: int, ctx) -> dict[str, Any]:
    """Wait in a process of its own."""
    with noted(ctx):
        time.sleep(ms / 1000)
        return said(ctx, tag)


@action("ONCE", on_unknown="fail")
async def once(tag: str, ms: int, ctx) -> dict[str, Any]:
    """Never begin twice, whatever happens."""
    with noted(ctx):
        await asyncio.sleep(ms / 1000)
        return said(ctx, tag)


@action("CHECKED", on_unknown="check")
async def checked(tag: str, ms: int, ctx) -> dict[str, Any]:
    """Take effect at the start, and hear afterwards whether that was so."""
    with noted(ctx, effect=True):
        await asyncio.sleep(ms / 1000)
        return said(ctx, tag)


@checked.check
async def took_effect(params, ctx) -> dict[str, Any] | None:
    """What the attempt would have said that took effect."""
    fence = effect_of(ctx.run_id)
    return None if fence is None else {"tag": params.tag, "fence": fence}


@action("POISON")
async def poison(tag: str, ctx) -> dict[str, Any]:
    """Kill the process that runs it, each time."""
    with noted(ctx):
        os.kill(os.getpid(), signal.SIGKILL)
        return said(ctx, tag)


@action("BLOCKING", timeout=None)
async def blocking(tag: str, seconds: float, ctx) -> dict[str, Any]:
    """Stop the loop that all others run on, at the first attempt."""
    with noted(ctx):
        if ctx.attempt == 1:
            time.sleep(seconds)  # noqa: ASYNC251 - that is the point
        return said(ctx, tag)
