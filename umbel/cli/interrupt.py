"""`umbel interrupt`: the id of a turn in; its chain starts no further step, and what it did so far stays done."""

from __future__ import annotations

import asyncio
import json
from typing import Final

import click

from umbel.cli import options

_SAID: Final = {
    "interrupted": "interrupted: it starts no further step",
    "terminal": "had ended before, or is being undone",
    "missing": "no such record",
    "no_chain": "no chain runs in it",
}


@click.command()
@click.argument("turn", metavar="TURN")
@options.by
@options.as_json
@click.pass_context
def interrupt(ctx: click.Context, turn: str, by: str, *, as_json: bool) -> None:
    """Let the chain of a turn start no further step.

    The step that runs now is left to end, and what is done stays done. To stop that step as well, and undo the others:
    `umbel cancel`. Ends with 1 if no chain was interrupted.
    """
    verdict = asyncio.run(_interrupt(turn, by))
    click.echo(json.dumps({"turn": turn, "verdict": verdict}) if as_json else f"{turn}  {_SAID[verdict]}")
    ctx.exit(0 if verdict == "interrupted" else 1)


async def _interrupt(turn: str, by: str) -> str:
    from actions.errors import InvalidId
    from orchestrator import ids
    from umbel.cli.stores import conducting

    if ids.kind(turn) != "turn":
        raise InvalidId(f"{turn[:80]!r} is no turn", fix="A turn's id begins with turn_")
    async with conducting() as conductor:
        verdict = await conductor.interrupt(turn)
        if verdict == "interrupted":
            await conductor.note_deed(turn, "interrupt", by=by, decided=verdict)
        return verdict
