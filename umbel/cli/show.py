"""`umbel show`: the id of a run, a turn or a conversation in; how it stands and why it waits out, as lines or JSON."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from orchestrator.reading import Standing


@click.command()
@click.argument("id", metavar="ID")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, the result whole.")
def show(id: str, *, as_json: bool) -> None:  # noqa: A002 - the word on the command line
    """Show a run, a turn or a conversation: how it stands, why it waits, and what came of it.

    Arguments are masked but for those that their action shows (show=).
    """
    told, why = asyncio.run(_read(id))
    if why:
        click.secho(
            f"umbel: the actions cannot be loaded here, so less is shown: {why}", fg="yellow", err=True
        )
    if as_json:
        from pydantic_core import to_json

        click.echo(to_json(told, indent=2).decode())
        return
    from umbel.cli.show_lines import lines

    for line in lines(told):
        click.echo(line)


async def _read(given: str) -> tuple[Standing, str]:
    from orchestrator import ids, reading
    from umbel.cli.stores import opened, registry_or_why

    ids.kind(given)
    registry, why = registry_or_why()
    async with opened() as store:
        return await reading.read(given, store, registry), why
