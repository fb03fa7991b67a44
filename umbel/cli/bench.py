"""`umbel bench`: measures Umbel and the raw Redis floor side by side, prints the ratios.

In: what to measure and how much. Out: a table, or one JSON document on stdout. Whatever the figures say, it ends with
exit code 0: they are for people to judge.
"""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rich.console import Console

    from umbel.bench.figures import Workload
    from umbel.bench.rounds import Results, Sizes

_PARTS = ("w1", "w2", "w3", "floor")


@click.command()
@click.option("--quick", is_flag=True, help="About half a minute instead of two: fewer of everything.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of tables.")
@click.option(
    "--only",
    type=click.Choice(_PARTS),
    multiple=True,
    help="w1: actions; w2: turns; w3: locks and limits; floor: the floor without Umbel. May be given several times.",
)
@click.option(
    "--actions-per-turn",
    "calls",
    type=click.IntRange(1, 64),
    default=8,
    show_default=True,
    help="Calls in each W2 reply.",
)
@click.option("--rounds", type=click.IntRange(1, 99), help="Times that each figure is taken.  [default: 3]")
@click.option("--events", is_flag=True, help="Let the workers send an event of each run, as for Flower.")
def bench(
    *, quick: bool, as_json: bool, only: tuple[str, ...], calls: int, rounds: int | None, events: bool
) -> None:
    """Measure against the raw Redis floor.

    The floor is the least that any durable design does: two Python processes, hiredis, three short scripts. Both
    sides do the same work at the same server in one run, so that the ratio means something on any machine.
    """
    from dataclasses import replace

    from rich.console import Console

    from umbel import extras

    extras.need("worker")
    from umbel.bench.figures import Workload
    from umbel.bench.report import document, show
    from umbel.bench.rounds import FULL, QUICK

    sizes = QUICK if quick else FULL
    if rounds is not None:
        sizes = replace(sizes, rounds=rounds)
    workloads = [workload for workload in Workload if workload in only] or list(Workload)
    console = Console(stderr=True)
    results = asyncio.run(
        _run(console, sizes, workloads, calls=calls, with_ours="floor" not in only, events=events)
    )
    if as_json:
        click.echo(json.dumps(document(results, calls=calls, mode="quick" if quick else "full"), indent=2))
    else:
        show(results, Console(), calls=calls)


async def _run(
    console: Console, sizes: Sizes, workloads: list[Workload], *, calls: int, with_ours: bool, events: bool
) -> Results:
    """Set the stage, measure with a progress bar on stderr, take everything down."""
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    from orchestrator.settings import load_settings
    from umbel.bench.rounds import measure, stretches
    from umbel.bench.stage import set_up

    columns = (BarColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, refresh_per_second=4) as bar:
        task = bar.add_task(
            "starting the server and the workers", total=stretches(sizes, workloads, with_ours=with_ours) + 1
        )

        def told(line: str) -> None:
            bar.update(task, advance=1, description=line)

        async with set_up(load_settings(), calls=calls, with_ours=with_ours, events=events) as stage:
            return await measure(stage, sizes, workloads, told)
