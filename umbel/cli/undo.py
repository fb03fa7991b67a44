"""`umbel undo`: undos that failed for the last time and rest until a person looks at them; ids in, tried again out.

Ends with 1 when one of the runs has no undo that rests as failed.
"""

from __future__ import annotations

import asyncio
import dataclasses
import json
from typing import TYPE_CHECKING, Final

import click

from umbel.cli import options

if TYPE_CHECKING:
    from orchestrator.dead_calls import StuckCall

_SAID: Final = {
    "retried": "its undo is tried again",
    "not_stuck": "no undo of it rests as failed",
    "missing": "no such run",
}
_LIMIT: Final = 100


@click.group()
def undo() -> None:
    """Show undos that failed, and try them again."""


@undo.command("list", short_help="Show which there are.")
@click.option("--limit", type=click.IntRange(1), default=_LIMIT, show_default=True, help="At most so many.")
@options.as_json
def list_(*, limit: int, as_json: bool) -> None:
    """Show the runs of failed chains whose effect could not be undone."""
    found = asyncio.run(_found(limit))
    if as_json:
        from pydantic_core import to_json

        click.echo(to_json([dataclasses.asdict(each) for each in found], indent=2).decode())
        return
    from umbel.cli.dead_lines import stuck

    if not found:
        click.echo("None.")
    for each in found:
        click.echo("\n".join(stuck(each)))


@undo.command(short_help="Try them again.")
@click.argument("runs", metavar="RUN...", nargs=-1, required=True)
@options.by
@options.as_json
@click.pass_context
def retry(ctx: click.Context, runs: tuple[str, ...], by: str, *, as_json: bool) -> None:
    """Try the undo of these runs again, with the retries and the timeout that their actions declare."""
    told = asyncio.run(_retried(runs, by))
    if as_json:
        click.echo(json.dumps(told))
    else:
        for run, verdict in told.items():
            click.echo(f"{run}  {_SAID[verdict]}")
    ctx.exit(0 if set(told.values()) == {"retried"} else 1)


async def _found(limit: int) -> list[StuckCall]:
    from umbel.cli.stores import conducting, registry_or_why

    async with conducting(registry_or_why()[0]) as conductor:
        return await conductor.stuck_undos(limit=limit)


async def _retried(runs: tuple[str, ...], by: str) -> dict[str, str]:
    """All ids are looked at before the first is tried again."""
    from actions.errors import InvalidId
    from orchestrator.decisions import check_run
    from umbel.cli.stores import conducting

    for run in runs:
        try:
            check_run(run)
        except InvalidId:
            fix = "A run's id begins with run_; no undo was tried again"
            raise InvalidId(f"{run[:80]!r} is no run", fix=fix) from None
    async with conducting() as conductor:
        return {run: await conductor.retry_undo(run, by=by) for run in runs}
