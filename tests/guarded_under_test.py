"""Actions with limits, locks, clocks and checks, for tests of workers (`UMBEL_ACTIONS`).

Where an attempt has an effect outside it appends a line to a file, as a program outside of ours would see it.
"""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
import time
from pathlib import Path

from actions.definition import action
from actions.directives import Result, SetContext
from actions.errors import ConfigError, Fail, TryAgain
from actions.limits import RateLimit
from actions.policy import Isolation, Retry, Timeouts

MODULE = "guarded_under_test"
"""The name under which workers import this file."""

QUICK = Retry(1, initial="10ms", cap="20ms")


def note(file: str, word: str) -> None:
    """Leave a trace outside."""
    with Path(file).open("a", encoding="utf-8") as out:
        out.write(f"{word}\n")


def notes(file: Path | str) -> list[str]:
    """The traces that were left."""
    return Path(file).read_text(encoding="utf-8").split() if Path(file).exists() else []


@action("LEAVE_A_MARK")
async def leave_a_mark(file: str, word: str, seconds: float) -> str:
    """Wait and leave a trace."""
    await asyncio.sleep(seconds)
    note(file, word)
    return word


@action("HOLD_A_THREAD", timeout="60s")
def hold_a_thread(seconds: float) -> None:
    """Wait in a thread, which nothing stops."""
    time.sleep(seconds)


# Clocks


@action("LINGER", timeout=Timeouts(attempt="200ms"), lock="place:{place}")
def linger(place: str, seconds: float) -> str:
    """Go on in a thread, holding a lock, when the time is over."""
    time.sleep(seconds)
    return "late"


@action("ENTER", timeout="5s", lock="place:{place}")
async def enter(place: str) -> float:
    """Say when it was let in."""
    return time.time()


@action("BEATEN", timeout=Timeouts(attempt="10s", heartbeat="300ms"))
def beaten(beats: int, ctx) -> str:
    """Show life for a while, then no more, in a thread."""
    for _ in range(beats):
        ctx.heartbeat()
        time.sleep(0.1)
    if beats < 6:
        time.sleep(2)
    return "done"


@action("BEATEN_ON_THE_LOOP", timeout=Timeouts(attempt="10s", heartbeat="300ms"))
async def beaten_on_the_loop(beats: int, ctx) -> str:
    """Show life for a while, then no more."""
    for _ in range(beats):
        ctx.heartbeat()
        await asyncio.sleep(0.1)
    if beats < 6:
        await asyncio.sleep(20)
    return "done"


@action("TOTAL", timeout=Timeouts(attempt="30s", total="500ms"), retry=Retry(9, initial="1ms", cap="1ms"))
async def total(ctx) -> float:
    """Use up the total time; each attempt knows how much of it is left."""
    left = ctx.remaining().total_seconds()
    assert left <= 0.5
    await asyncio.sleep(0.2)
    raise TryAgain(reason=f"{left}")


@action("TOTAL_AT_ONCE", timeout=Timeouts(attempt=None, total="300ms"))
async def total_at_once() -> None:
    """Run into the total time within the first attempt."""
    await asyncio.sleep(30)


# Effects that nobody knows


@action("ONCE", timeout="200ms", on_unknown="fail", retry=QUICK)
async def once(file: str) -> None:
    """Take effect, then take too long."""
    note(file, "acted")
    await asyncio.sleep(30)


@action("AGAIN", timeout="200ms", retry=QUICK)
async def again(file: str) -> None:
    """Take effect, then take too long, and be tried again."""
    note(file, "acted")
    await asyncio.sleep(30)


@action("CHECKED", timeout="300ms", on_unknown="check", retry=QUICK)
async def checked(file: str, *, effect: bool = True, quick_from: int = 99, ctx) -> str:
    """Take effect (or not), then take too long, up to an attempt."""
    note(file, "acted" if effect else "idled")
    if ctx.attempt < quick_from:
        await asyncio.sleep(30)
    return f"by the handler at attempt {ctx.attempt}"


@checked.check
async def was_it_done(params, ctx):
    """Look outside."""
    note(params.file, "checked")
    return "by the check" if "acted" in notes(params.file) else None


@action("CHECK_BREAKS", timeout="200ms", on_unknown="check", retry=QUICK)
async def check_breaks(file: str, *, slowly: bool = False) -> None:
    """Take too long, and have a check that breaks or takes too long as well."""
    note(file, "acted")
    await asyncio.sleep(30)


@check_breaks.check
async def broken_check(params, ctx):
    """Break."""
    note(params.file, "checked")
    if params.slowly:
        await asyncio.sleep(30)
    raise OSError("the other side is away")


async def effect(file: str, word: str) -> str:
    """Take effect; the first time wait then for the end of its worker."""
    note(file, word)
    if len(notes(file)) == 1:
        await asyncio.sleep(60)
    return "by the handler"


@action("DIES_RETRY", timeout="90s")
async def dies_retry(file: str, word: str) -> str:
    """Run again after a death."""
    return await effect(file, word)


@action("DIES_FAIL", timeout="90s", on_unknown="fail")
async def dies_fail(file: str, word: str) -> str:
    """End at a death."""
    return await effect(file, word)


@action("PREPARES_FOR_LONG", timeout="90s", on_unknown="fail")
async def prepares_for_long(file: str) -> None:
    """Take effect at last."""
    note(file, "acted")


@prepares_for_long.preprocess
async def long_preparation(params, ctx):
    """Take long, without any effect."""
    note(params["file"] + ".prepares", "once")
    await asyncio.sleep(60)


@action("DIES_CHECK", timeout="90s", on_unknown="check")
async def dies_check(file: str, word: str) -> str:
    """Find out after a death."""
    return await effect(file, word)


@dies_check.check
async def did_it_die_before(params, ctx):
    """Look outside: what was written as `nothing` took no effect."""
    return None if params.word == "nothing" else notes(params.file)


# Errors that no retry mends


@action("MISCONFIGURED", retry=QUICK)
async def misconfigured(ctx) -> None:
    """Need what is not there."""
    raise ConfigError(f"attempt {ctx.attempt}")


# Processors


@action("SHOUT", retry=QUICK)
async def shout(text: str, times: int = 1) -> Result:
    """Say something."""
    return Result(text * times, (SetContext("said", text),))


@shout.preprocess
async def louder(params, ctx):
    """Replace the arguments; some do not fit, some break it."""
    if params["text"] == "break":
        raise KeyError("secret")
    if params["text"] == "misfit":
        return {**params, "times": "many"}
    return {**params, "text": params["text"].upper()}


@shout.postprocess
def marked(value, ctx):
    """Replace the value."""
    if value == "BREAK AFTER":
        raise KeyError("secret")
    return {"said": value, "by": ctx.action}


@action("COUNT", output=int)
def count(text: str) -> int:
    """Count letters in a thread, with processors that are sync too."""
    return len(text)


@count.preprocess
def stripped(params, ctx):
    """Strip the text."""
    return {"text": params["text"].strip()}


# Rate limits


@action("METERED", rate_limit=RateLimit(100, "1h", key="{account}", cost="{tokens}"))
async def metered(account: str, tokens: int, used: int, *, fails: bool = False, ctx) -> str:
    """Reserve tokens and settle with what was used."""
    ctx.spent(used)
    if fails:
        raise Fail("after spending")
    return "spent"


@action("BUSY_SIGNAL", rate_limit=RateLimit(1_000, "1s", key="{line}"), retry=QUICK)
async def busy_signal(line: str, after: str | None = "30s", *, cool: bool = True) -> None:
    """Be told to wait, for everybody."""
    raise TryAgain(after=after, reason="busy", cool=cool)


@action("FETCH", rate_limit=RateLimit(1_000, "1s", key="{line}"), timeout="5s")
async def fetch(line: str, url: str, ctx) -> int:
    """Ask another server."""
    return (await ctx.http.request("GET", url)).status


# Results


@action("LONG_STORY")
async def long_story(length: int) -> str:
    """Return a long text."""
    return "x" * length


# Isolated


@action("BOXED", isolated=True, show=("word",))
def boxed(word: str = "", *, ctx) -> dict[str, object]:
    """Say where it runs."""
    print(f"printed {word}")  # noqa: T201 - what it prints must not disturb what its process says
    return {"word": word, "pid": os.getpid(), "run": ctx.run_id, "left": ctx.remaining() is not None}


@action("BOXED_ON_A_LOOP", isolated=True, timeout="60s")
async def boxed_on_a_loop(seconds: float = 0.0) -> Result:
    """Wait on the loop of its process, and return a directive."""
    await asyncio.sleep(seconds)
    return Result(os.getpid(), (SetContext("boxed", value=True),))


@action("BOXED_SPINS", isolated=True, timeout="500ms", retry=QUICK)
def boxed_spins(file: str) -> None:
    """Start a process of its own and keep the interpreter's lock for ever."""
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    note(file, f"{os.getpid()} {child.pid}")
    re.match(r"(a+)+$", "a" * 64 + "!")


@action("BOXED_KEEPS_THE_LOCK", isolated=True, timeout="60s")
def boxed_keeps_the_lock() -> None:
    """Let no other thread of its process run."""
    re.match(r"(a+)+$", "a" * 64 + "!")


@action("BOXED_BEATS", isolated=True, timeout=Timeouts(attempt="20s", heartbeat="500ms"))
def boxed_beats(beats: int, ctx) -> str:
    """Show life for a while, then no more."""
    for _ in range(beats):
        ctx.heartbeat()
        time.sleep(0.1)
    if beats < 10:
        time.sleep(20)
    return "done"


@action("BOXED_HUNGRY", isolated=Isolation(memory="200MB"), timeout="20s", retry=QUICK)
def boxed_hungry(megabytes: int) -> int:
    """Take memory."""
    return len(bytearray(megabytes * 2**20)) // 2**20


@action("BOXED_DIES", isolated=True, timeout="20s", retry=QUICK)
def boxed_dies(file: str, how: str) -> None:
    """End its own process."""
    note(file, "acted")
    if how == "kill":
        os.kill(os.getpid(), 9)
    if how == "orphan":  # a child that leaves the group, and holds all that was open
        child = os.fork()
        if child == 0:
            os.setsid()
            time.sleep(60)
            os._exit(0)
        note(f"{file}.orphans", str(child))
    os._exit(3)


@action(
    "BOXED_METERED",
    isolated=True,
    timeout="700ms",
    rate_limit=RateLimit(100, "1h", key="{account}", cost="{tokens}", burst=100),
)
def boxed_metered(account: str, tokens: int, used: int, how: str, ctx) -> None:
    """Reserve tokens, use some, and be stopped."""
    ctx.spent(used - 1)
    ctx.spent(1)
    if how == "exit":
        os._exit(3)
    time.sleep(0 if how == "return" else 30)


@action("BOXED_DIES_ONCE", isolated=True, timeout="20s", on_unknown="check")
def boxed_dies_once(file: str) -> None:
    """Take effect and end its own process."""
    note(file, "acted")
    os._exit(3)


@boxed_dies_once.check
def did_it_act(params, ctx):
    """Look outside, in a thread."""
    return notes(params.file)


@action("BOXED_CHECK_HANGS", isolated=True, timeout="500ms", on_unknown="check")
def boxed_check_hangs(file: str) -> None:
    """Take effect and take too long."""
    note(file, "acted")
    time.sleep(30)


@boxed_check_hangs.check
def hanging_check(params, ctx):
    """Take too long as well."""
    note(params.file, "checked")
    time.sleep(30)
