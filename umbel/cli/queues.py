"""`umbel queues`: nothing in; how each queue stands and whether a worker serves it, as a table or as JSON, out."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

import click

from umbel.cli import options

if TYPE_CHECKING:
    from orchestrator.store.queues import QueueStanding

EX_INTERRUPTED: Final = 130


@click.command()
@click.option("--watch", is_flag=True, help="Show it again and again, until Ctrl-C.")
@click.option(
    "--every",
    type=options.Span(),
    metavar="TIME",
    default="1s",
    show_default=True,
    help="How often, with --watch.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object; with --watch one a line.")
@click.pass_context
def queues(ctx: click.Context, every: float, *, watch: bool, as_json: bool) -> None:
    """Show how the queues stand: what is ready, runs and waits, and whether a worker serves them.

    `oldest` is how long the first run has been ready. A worker is alive if it was heard of within ten seconds.
    """
    try:
        asyncio.run(_show(every if watch else None, as_json=as_json))
    except KeyboardInterrupt:
        ctx.exit(EX_INTERRUPTED)


async def _show(every: float | None, *, as_json: bool) -> None:
    from umbel.cli.stores import opened

    async with opened() as store:
        while True:
            found = await store.queues.standing()
            if as_json:
                told = {"queues": [document(each) for each in found]}
                click.echo(json.dumps(told, indent=None if every else 2))
            else:
                if every and sys.stdout.isatty():
                    click.clear()
                click.echo("\n".join(lines(found)))
            if not every:
                return
            await asyncio.sleep(every)


def document(each: QueueStanding) -> dict[str, Any]:
    """One queue as JSON; `alive`: whether a worker serves it."""
    return {**dataclasses.asdict(each), "alive": is_alive(each)}


def is_alive(each: QueueStanding) -> bool:
    """Whether a worker that serves it was heard of lately."""
    from orchestrator.store.queues import ALIVE_S

    return each.seen_s is not None and each.seen_s < ALIVE_S


def lines(found: list[QueueStanding]) -> Iterator[str]:
    """A table, and what to do about queues that nobody serves."""
    from umbel.cli.table import table

    if not found:
        yield "None: no worker serves one, and nothing waits. `umbel worker` starts a worker."
        return
    yield from table(("queue", "ready", "running", "waiting", "oldest", "worker"), map(_row, found))
    if any(each.partial for each in found):
        yield "More runs wait than could be looked at: the column `waiting` tells of the first of them."
    if orphans := [each.queue for each in found if not is_alive(each)]:
        yield click.style(
            f"Nobody serves {', '.join(orphans)}: umbel worker -Q {','.join(orphans)}", fg="yellow"
        )


def _row(each: QueueStanding) -> tuple[Any, ...]:
    from umbel.cli.limit_tables import seconds
    from umbel.cli.plain import plain

    waits = sorted(each.waiting.items(), key=lambda pair: (-pair[1], pair[0]))
    seen = "none" if each.seen_s is None else f"none for {seconds(each.seen_s)}"
    return (
        plain(each.queue),
        f"{each.ready:,}",
        f"{each.running:,}",
        ", ".join(f"{count:,} {why}" for why, count in waits) or "-",
        "-" if each.oldest_ready_s is None else seconds(each.oldest_ready_s),
        ("alive", "green") if is_alive(each) else (seen, "red"),
    )
