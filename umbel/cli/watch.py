"""`umbel watch`: the id of a run, a turn or a conversation in; what happens to it, as it happens, out, until it ends.

Ends with 0 when it ended well (succeeded, done, completed), with 1 when it did not, with 130 after Ctrl-C.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

import click

if TYPE_CHECKING:
    from orchestrator.standings import Standing
    from orchestrator.store.store import Store

EX_INTERRUPTED: Final = 130
WELL: Final = frozenset({"succeeded", "done", "completed", "injected"})
"""Statuses of a good end."""


@click.command()
@click.argument("id", metavar="ID")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object a line.")
@click.pass_context
def watch(ctx: click.Context, id: str, *, as_json: bool) -> None:  # noqa: A002 - the word on the command line
    """Watch a run, a turn or a conversation: how it stands, then each change, until it has ended.

    A conversation goes on until it is completed or removed. Ctrl-C ends the watching and nothing else.
    """
    try:
        last = asyncio.run(_watch(id, as_json=as_json))
    except KeyboardInterrupt:
        ctx.exit(EX_INTERRUPTED)
    ctx.exit(0 if last is None or last.status in WELL else 1)


async def _watch(given: str, *, as_json: bool) -> Standing | None:
    """Print what is told; how it stood at the end, None if it was removed."""
    from umbel.cli import follow_lines
    from umbel.cli.stores import opened, registry_or_why
    from umbel.following import Change, following, has_ended

    registry, _ = registry_or_why()
    names: dict[str, str] = {}
    last: Standing | None = None
    async with opened() as store, following(given, store, registry) as events:
        async for told in events:
            if not isinstance(told, Change):
                last = told
                names |= follow_lines.names_in(told)
            if as_json:
                click.echo(follow_lines.as_json(told))
            elif isinstance(told, Change):
                names |= await _name(told.what.get("run"), names, store)
                click.echo(follow_lines.line_of(told, names))
            else:
                click.echo("\n".join(follow_lines.summary(told)))
    return last if last is not None and has_ended(last) else None


async def _name(run: str | None, known: dict[str, str], store: Store) -> dict[str, str]:
    """The action of a run that was not heard of before."""
    from actions.errors import StoreUnavailable, UnreadableRecord
    from actions.messages import Payload

    if run is None or run in known:
        return {}
    try:
        view = await store.runs.read(run)
        return {} if view is None else {run: Payload.decode(view.payload).action}
    except (StoreUnavailable, UnreadableRecord):  # a line without a name is better than none
        return {}
