"""Scenarios of processes: killed, stopped, restarted, blocked and poisoned while they work."""

from __future__ import annotations

import asyncio
import itertools
import signal
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Final

from faults.load import Wish
from faults.playing import Form, scenario
from faults.stage import Stage

INNOCENTS: Final = 100
"""Runs beside each poisonous one."""
TAKEN_OVER_S: Final = 13.0
"""Seconds after which the runs of a stopped worker (lease: 10 s) are in other hands, and not yet at their end."""


@scenario()
async def killed(stage: Stage, form: Form) -> None:
    """Workers, and single processes of their pools, are killed at random; who is in charge starts them again."""
    dice = form.dice(7)
    await stage.start("one", "two")
    await stage.awake()
    feeding = asyncio.create_task(stage.load.feed(form.mix(1), form.runs, form.seconds))
    while not feeding.done():
        await asyncio.sleep(form.pause * dice.uniform(0.6, 1.4))
        pids = sorted(await asyncio.to_thread(stage.busy))
        if pids and dice.random() < 0.6:
            one = frozenset({dice.choice(pids)})
            stage.hurt(one)
            stage.signal(one, signal.SIGKILL)
            continue
        name = dice.choice([name for name in stage.workers if stage.children(name) & set(pids)] or ["one"])
        stage.hurt(stage.children(name))
        await asyncio.to_thread(stage.workers[name].kill)
        await stage.start(name)
    await feeding


@scenario(lease_ms=10_000, renew_ms=3_000)
async def stood_still(stage: Stage, form: Form) -> None:
    """A worker is stopped (SIGSTOP) with runs and locks in its hands, and comes back when others have them."""
    stage.out_of_touch = True
    await stage.start("one", "two")
    await stage.awake()
    feeding = asyncio.create_task(stage.load.feed(form.mix(2), form.runs, form.seconds))
    await asyncio.sleep(form.seconds / 8)
    for seconds in sorted({TAKEN_OVER_S, form.stopped}):
        await _stand_still(stage, seconds)
        await stage.load.feed(form.mix(3), form.runs // 10, 3)  # it has to be seen at work again
    await feeding


async def _stand_still(stage: Stage, seconds: float) -> None:
    """Stop a worker that holds locks. Where it comes back after `TAKEN_OVER_S` others are at work on its runs."""
    for desk in "defghijk":
        await stage.load.ask(Wish("LOCKED", ({"desk": desk, "ms": 4_000},)))
    name = await stage.busiest()
    everyone = stage.children(name) | {stage.workers[name].pid}
    stage.hurt(everyone)
    stage.signal(everyone, signal.SIGSTOP)
    stage.stopped += [(pid, time.time() * 1000) for pid in everyone]
    await asyncio.sleep(seconds)
    stage.signal(everyone, signal.SIGCONT)
    stage.healed()


@scenario(stuck_ms=2_000)
async def blocked(stage: Stage, form: Form) -> None:
    """Handlers block the loop of their process until it gives itself up; what stood beside them goes on elsewhere."""
    await stage.start("one", "two")
    await stage.awake()
    blockers = max(1, form.runs // 300)
    wishes = _sprinkled(form.mix(4), form.runs // blockers, lambda: Wish("BLOCKING", ({"seconds": 60.0},)))
    await stage.load.feed(wishes, form.runs, form.seconds)


@scenario()
async def poisoned(stage: Stage, form: Form) -> None:
    """Of a hundred runs that come together one kills each process that takes it: it ends dead, and nobody else."""
    await stage.start("one", "two")
    await stage.awake()
    poison = Wish("POISON", ({},), frozenset({"dead"}))
    waves = form.runs // INNOCENTS
    for wave in range(waves):
        innocents = _sprinkled(form.mix(50 + wave), INNOCENTS, lambda: poison)
        await stage.load.feed(innocents, INNOCENTS + 1, 0.5)
        await asyncio.sleep(form.seconds / waves)


@scenario(grace=timedelta(milliseconds=300))
async def rolled(stage: Stage, form: Form) -> None:
    """Under load one worker after another is asked to stop, in less time than its runs need, and started again."""
    stage.nobody_died = True
    await stage.start("one", "two", "three")
    await stage.awake()
    names = list(stage.workers)
    feeding = asyncio.create_task(
        stage.load.feed(form.mix(6), form.runs, max(form.seconds, 4.0 * len(names)))
    )
    for turn, name in enumerate(itertools.cycle(names)):
        await asyncio.sleep(form.pause / 4)
        if feeding.done() and turn >= len(names):
            break
        worker = stage.workers[name]
        stage.hurt(stage.children(name))
        worker.terminate()
        assert await asyncio.to_thread(worker.wait, timedelta(seconds=30)) == 0, f"{name}: {worker.tail()}"
        await stage.start(name)
        await stage.awake()
    await feeding


def _sprinkled(wishes: Iterator[Wish], every: int, other: Callable[[], Wish]) -> Iterator[Wish]:
    """Now and then another wish."""
    for number in itertools.count(1):
        yield other() if number % every == every // 2 else next(wishes)
