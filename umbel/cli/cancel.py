"""`umbel cancel`: ids of runs, turns or conversations in; a line for each out that says what became of it.

Ends with 0 when each of them has ended or is ending, with 1 when there is no record of one, or one is being undone.
"""

from __future__ import annotations

import asyncio
import json
from typing import Final

import click

from umbel.cli import options

EX_REFUSED: Final = 1
_DONE: Final = {"cancelled", "cancelling"}
_REFUSED: Final = {"missing", "undoing"}
_SAID: Final = {
    "cancelled": "cancelled",
    "cancelling": "cancelling: its handlers are being stopped",
    "terminal": "had ended before",
    "undoing": "is being undone: that cannot be cancelled",
    "missing": "no such record",
}


@click.command()
@click.argument("ids", metavar="ID...", nargs=-1, required=True)
@options.by
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object: each id and what became of it.")
@click.pass_context
def cancel(ctx: click.Context, ids: tuple[str, ...], by: str, *, as_json: bool) -> None:
    """Cancel runs, turns and conversations.

    A run that waits ends at once and never starts. One that runs is asked to stop within a second, and what it says
    after that changes nothing. A turn (turn_…) is cancelled with all its runs, and a conversation (conv_…) with its
    live turn and those that wait behind it. What a handler did outside stays done, but for a chain: the steps of it
    that are complete are undone.
    """
    told = asyncio.run(_cancel_all(ids, by))
    if as_json:
        click.echo(json.dumps(told))
    else:
        for each, verdict in told.items():
            click.echo(f"{each}  {_SAID[verdict]}")
    ctx.exit(EX_REFUSED if _REFUSED.intersection(told.values()) else 0)


async def _cancel_all(given: tuple[str, ...], by: str) -> dict[str, str]:
    """All ids are looked at before the first is cancelled."""
    from actions.errors import InvalidId
    from orchestrator import ids
    from umbel.cli.stores import conducting

    wrong: list[str] = []
    for each in given:
        try:
            ids.kind(each)
        except InvalidId:
            wrong.append(each)
    if wrong:
        names = ", ".join(repr(each[:80]) for each in wrong)
        raise InvalidId(
            f"{names} {'is no id' if len(wrong) == 1 else 'are no ids'}",
            fix="Ids begin with run_, turn_ or conv_; nothing was cancelled",
        )
    async with conducting() as conductor:
        told: dict[str, str] = {}
        for each in given:
            told[each] = await conductor.cancel(each)
            if told[each] in _DONE:
                await conductor.note_deed(each, "cancel", by=by, decided=told[each])
        return told
