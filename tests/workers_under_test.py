"""Actions and real Celery workers for the tests that need them."""

from __future__ import annotations

import asyncio
import os
import re
import secrets
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from actions.definition import action
from actions.directives import Result, SetContext
from actions.errors import Fail, Refuse, TryAgain
from actions.policy import Retry
from actions.states import Edge, StateMachine
from umbel.supervisor import Process

if TYPE_CHECKING:
    from orchestrator.settings import Settings

MODULE = "workers_under_test"
"""The name under which workers import this file (`UMBEL_ACTIONS`)."""


@action("ADD", similes=("SUM",), show=("a",))
async def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


@action("TRACE")
async def trace(ctx) -> str:
    """Tell where its request came from."""
    return ctx.traceparent


@action("SLEEP")
async def sleep(seconds: float, note: str = "") -> str:
    """Wait."""
    await asyncio.sleep(seconds)
    return note


@action("BLOCK", timeout="5s")
def block(seconds: float) -> str:
    """Wait in a thread."""
    time.sleep(seconds)
    return "done"


@action("OUTLIVE", timeout="200ms")
def outlive(seconds: float) -> None:
    """Go on in a thread after the time is over."""
    time.sleep(seconds)


@action("BLOCK_BRIEFLY", timeout="300ms")
def block_briefly() -> str:
    """Need a thread, and soon."""
    return "done"


@action("STUBBORN", timeout="200ms")
async def stubborn(seconds: float) -> str:
    """Swallow the cancellation."""
    try:
        await asyncio.sleep(seconds)
    except asyncio.CancelledError:
        await asyncio.sleep(seconds)
    return "late"


@action("NEXT_OF_NOTHING", timeout="5s")
def next_of_nothing() -> None:
    """Raise a StopIteration in a thread."""
    next(iter(()))


@action("BLOCK_THE_LOOP", timeout=None)
async def block_the_loop(seconds: float) -> None:
    """Stop the loop that all others run on."""
    time.sleep(seconds)  # noqa: ASYNC251 - that is the point


@action("KEEP_THE_LOCK", timeout="1s")
def keep_the_lock() -> bool:
    """Match a regular expression that takes for ever, in one call that lets no other thread run."""
    return re.match(r"(a+)+$", "a" * 64 + "!") is not None


@action("NEVER_IN_TIME", timeout="100ms")
async def never_in_time() -> None:
    """Take longer than allowed."""
    await asyncio.sleep(60)


@action("THIRD_TIME_LUCKY", retry=Retry(3, initial="20ms", cap="50ms"))
async def third_time_lucky(ctx) -> int:
    """Succeed at the third attempt."""
    if ctx.attempt < 3:
        raise TryAgain(reason="not yet")
    return ctx.attempt


@action("GIVE_UP")
async def give_up() -> None:
    """Fail with a reason."""
    raise Fail("the shelf is empty")


@action("LEAK")
async def leak() -> None:
    """Raise something with a secret in its text."""
    raise ValueError("password=hunter2")


@action("EXIT")
async def leave_the_program() -> None:
    """Call sys.exit in a handler."""
    sys.exit(3)


@action("KILL_ME")
def kill_me() -> None:
    """Kill the process that runs it."""
    os.kill(os.getpid(), 9)


@action("REMEMBER")
async def remember(key: str, value: int) -> Result:
    """Write the conversation's context."""
    return Result({"kept": key}, (SetContext(key, value),))


@action("GUARDED")
async def guarded(answer: str) -> Result:
    """Leave a trace in the context whenever it runs."""
    return Result("ran", (SetContext(f"ran.{answer}", value=True),))


@guarded.validate
async def may_run(params, ctx):
    """Answer in each way that a validator may; an answer that is not here breaks it."""
    answers = {
        "yes": True,
        "nothing": None,
        "no": False,
        "refuse": Refuse("the shop is closed"),
        "pass": {"pass": True, "reason": "fine"},
        "fail": {"pass": False, "reason": "no ticker"},
    }
    return answers[params.answer]


MACHINE = StateMachine(
    "door",
    initial="OPEN",
    states={"OPEN": {"ADD", "REMEMBER"}, "SHUT": {"SLEEP"}, "LOCKED": set()},
    transitions=(
        Edge("OPEN", "SHUT", when="late", priority=1),
        Edge("OPEN", "LOCKED", when="very_late", priority=2),
    ),
    conditions={
        "late": lambda context: context.get("hour", 0) >= 20,
        "very_late": lambda context: context.get("hour", 0) >= 23,
    },
)


class Worker(Process):
    """A worker that is killed when its test is over; tests of an orderly end ask for that themselves."""

    def __exit__(self, *error: object) -> None:
        if self.is_alive:
            self.kill()
        super().__exit__(*error)


def settings_of(valkey: str, home: Path, *modules: str, **more: object) -> Settings:
    """Settings of a namespace that nobody else uses, for workers with the actions of these modules."""
    from orchestrator.settings import Settings

    name = f"t{secrets.token_hex(6)}"
    given = {
        "redis_url": valkey,
        "home": home,
        "namespace": name,
        "celery_prefix": f"{name}:",
        "actions": modules,
    }
    return Settings.model_validate(given | more)


def start_worker(
    settings: Settings,
    name: str = "one",
    *,
    queues: str = "actions,turns",
    concurrency: int = 1,
    extra_path: Path | None = None,
) -> Process:
    """Start a real Celery worker in the settings' namespace; returns at once."""
    paths = [Path(__file__).parent, Path(__file__).parent.parent, *([extra_path] if extra_path else [])]
    env = (
        dict(os.environ)
        | settings.environ()
        | {
            "UMBEL_ACTIONS": ",".join(settings.actions or (MODULE,)),
            "PYTHONPATH": os.pathsep.join(map(str, paths)),
            "C_FORCE_ROOT": "1",
        }
    )
    argv = [
        Path(sys.executable).with_name("celery"), "-A", "workers.main", "worker", "-Q", queues,
        "-c", str(concurrency), "-n", f"{name}@%h", "--without-mingle", "--without-gossip",
    ]  # fmt: skip
    worker = Worker(f"worker {name}", argv, env=env, log=settings.home / "logs" / f"{name}.log")
    worker.start()
    return worker


async def eventually(what: Callable[[], object], within: timedelta = timedelta(seconds=20)) -> object:
    """Wait until `what()` (sync or async) gives something true, and return it."""
    limit = time.monotonic() + within.total_seconds()
    while True:
        found = what()
        if asyncio.iscoroutine(found):
            found = await found
        if found:
            return found
        if time.monotonic() > limit:
            raise AssertionError(f"not within {within}: {what}")
        await asyncio.sleep(0.01)
