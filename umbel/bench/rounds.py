"""What is measured, in which order: a stage and sizes in, samples of both sides out.

For each figure the floor runs first and Umbel right after it, round after round, so that a neighbour on the machine
who comes and goes meets both.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Final

from umbel.bench import meters
from umbel.bench.figures import (
    FIGURES,
    W3_ROOMS,
    W3_RUNS,
    W3_WAIT_MS,
    Figure,
    Pair,
    Sample,
    Workload,
    percentile,
)
from umbel.bench.ours import BATCH
from umbel.bench.stage import WORKERS

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from umbel.bench.side import Check, Side
    from umbel.bench.stage import Stage


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is measured."""

    rounds: int
    """Times that each figure is taken."""
    actions: int
    """W1 actions in batches."""
    singles: int
    """W1 actions one by one."""
    idle_actions: int
    """W1 actions that are waited for, one at a time."""
    turns: int
    """W2 turns."""
    idle_turns: int
    """W2 turns that are waited for, one at a time."""
    guarded: int
    """W3 actions under a lock and a limit that do not wait."""


FULL: Final = Sizes(
    rounds=3, actions=50_000, singles=5_000, idle_actions=300, turns=4_000, idle_turns=100, guarded=20_000
)
QUICK: Final = Sizes(
    rounds=3, actions=8_000, singles=1_000, idle_actions=200, turns=500, idle_turns=60, guarded=4_000
)


@dataclass(slots=True)
class Results:
    """All that was measured."""

    pairs: list[Pair]
    """One for each figure."""
    server: str = ""
    """What the server calls itself."""
    memory_mib: dict[str, float] = field(default_factory=dict[str, float])
    """PSS after the work: of a worker's parent and of its one child, and of one floor worker."""


async def measure(
    stage: Stage, sizes: Sizes, workloads: Sequence[Workload], told: Callable[[str], None]
) -> Results:
    """Take every figure; `told` hears a line before each stretch, see `stretches`.

    Raises:
        WrongResult: something that was measured did not do its work.
    """
    results = Results([Pair(figure) for figure in FIGURES if figure.workload in workloads], stage.server)
    for number in range(1, sizes.rounds + 1):
        for pair in results.pairs:
            line = f"round {number} of {sizes.rounds}: {pair.figure.title}"
            told(f"{line}, floor")
            pair.floor.append(await _take(pair.figure, stage, stage.floor, stage.floor_pids, sizes))
            if stage.ours is not None:
                told(f"{line}, Umbel")
                await stage.ours.wake(WORKERS)
                pair.ours.append(await _take(pair.figure, stage, stage.ours, stage.worker_pids, sizes))
    results.memory_mib = _memory(stage)
    return results


def stretches(sizes: Sizes, workloads: Sequence[Workload], *, with_ours: bool) -> int:
    """How many lines `measure` tells."""
    return sizes.rounds * sum(figure.workload in workloads for figure in FIGURES) * (1 + with_ours)


async def _take(figure: Figure, stage: Stage, side: Side, pids: Sequence[int], sizes: Sizes) -> Sample:
    match figure.key:
        case "w1_idle":
            return _times([await side.one_action() for _ in range(sizes.idle_actions)])
        case "w2_idle":
            return _times([await side.one_turn() for _ in range(sizes.idle_turns)])
        case "w1_batched":
            run = partial(side.actions, sizes.actions, batch=BATCH)
        case "w1_single":
            run = partial(side.actions, sizes.singles, batch=1)
        case "w3":
            run = partial(side.guarded, W3_RUNS, rooms=W3_ROOMS, wait_ms=W3_WAIT_MS)
        case "guards":
            run = partial(side.guarded, sizes.guarded, rooms=sizes.guarded, wait_ms=0)
        case _:
            run = partial(side.turns, await side.prepare(sizes.turns))
    return await _loaded(stage, pids, run, figure)


async def _loaded(
    stage: Stage, pids: Sequence[int], run: Callable[[], Awaitable[Check]], figure: Figure
) -> Sample:
    """Run a stretch between two readings; the check of its results stands outside them."""
    before = await meters.read(stage.raw, pids)
    check = await run()
    load = (await meters.read(stage.raw, pids)).since(before)
    lap = await check()
    return Sample(lap.rate if figure.unit == "/s" else lap.seconds, count=lap.count, load=load)


def _times(seconds: list[float]) -> Sample:
    return Sample(percentile(seconds, 0.5) * 1000, percentile(seconds, 0.99) * 1000)


def _memory(stage: Stage) -> dict[str, float]:
    found = {"floor worker": meters.pss_mib(stage.floor_pids[:1])}
    for parent in stage.worker_pids[:1]:
        _, *children = meters.family(parent)
        found |= {"worker parent": meters.pss_mib([parent]), "worker process": meters.pss_mib(children)}
    return found
