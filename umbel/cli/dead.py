"""`umbel dead`: runs that ended dead, failed or timed out: look at them, run them again, or take them off the list.

In: ids, or a filter. Out: lines, or JSON. A replay is a new run, made of the stored record. Ends with 1 when something
could not be done for one of them.
"""

from __future__ import annotations

import asyncio
import dataclasses
import json
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final

import click

from umbel.cli import options, selection
from umbel.cli.arguments import pair, whole

if TYPE_CHECKING:
    from actions.registry import Registry
    from orchestrator.conductor import Conductor
    from orchestrator.dead_calls import DeadCall

_yes = click.option("--yes", is_flag=True, help="Do not ask before doing it to all that match.")
_runs = click.argument("runs", metavar="[RUN]...", nargs=-1)
_LIMIT: Final = 100


@click.group()
def dead() -> None:
    """Give runs a second chance that ended dead, failed or timed out."""


@dead.command("list", short_help="Show which there are.")
@selection.filtered
@click.option("--limit", type=click.IntRange(1), default=_LIMIT, show_default=True, help="At most so many.")
@options.as_json
def list_(*, limit: int, as_json: bool, **given: Any) -> None:
    """Show the dead, oldest first; the options narrow the list."""
    which = selection.Filter(**given)
    found = asyncio.run(_found(which, None if which.everything else limit + 1))
    shown = found if which.everything else found[:limit]
    if as_json:
        _json([dataclasses.asdict(each) for each in shown])
        return
    from umbel.cli.dead_lines import row

    if not shown:
        click.echo("None.")
    for each in shown:
        click.echo(row(each))
    if len(found) > len(shown):
        click.secho(f"and more: --limit, or --all, shows them; these are the first {limit}", err=True)


@dead.command(short_help="Show one of them.")
@click.argument("run")
@options.as_json
def show(run: str, *, as_json: bool) -> None:
    """Show one of the dead: what was called and why it ended."""
    each = asyncio.run(_one(run))
    if as_json:
        _json(dataclasses.asdict(each))
        return
    from umbel.cli.dead_lines import lines

    click.echo("\n".join(lines(each)))


@dead.command(short_help="Run them again, as new runs.")
@_runs
@selection.filtered
@click.option("--new-key", is_flag=True, help="Give the handler a new key: services outside take it for new.")
@_yes
@options.by
@options.as_json
@click.pass_context
def replay(
    ctx: click.Context,
    /,
    runs: tuple[str, ...],
    by: str,
    *,
    new_key: bool,
    yes: bool,
    as_json: bool,
    **given: Any,
) -> None:
    """Run some of the dead again: the RUNs that are named, or all that match the options.

    Each becomes a new run with the same arguments (or those of `umbel dead edit`), on behalf of the same principal; its
    handler gets the same key as before. If it belonged to a conversation, its result is told there in a note. An action
    that runs only in a chain cannot be replayed: start the chain anew.
    """

    async def work(conductor: Conductor, run: str) -> str:
        return await conductor.replay(run, by=by, new_key=new_key)

    _do(ctx, runs, given, work, "replay", yes=yes, as_json=as_json)


@dead.command(short_help="Give one other arguments, for its replay.")
@click.argument("run")
@click.option("--arguments", metavar="JSON", help="All its arguments: an object, or @FILE, or - for stdin.")
@click.option("--set", "single", metavar="NAME=JSON", multiple=True, help="One argument; the others stay.")
@options.by
@options.as_json
def edit(run: str, arguments: str | None, single: tuple[str, ...], by: str, *, as_json: bool) -> None:
    """Give one of the dead other arguments, which its replay is made with.

    They are checked as those of a new call are. The record of what was asked for stays as it is.
    """
    if (arguments is None) == (not single):
        both = " once or more, not both" if single else " once or more"
        raise click.UsageError(f"give --arguments, or --set{both}")
    chosen = whole(arguments) if arguments is not None else dict(map(pair, single))
    asyncio.run(_edit(run, chosen, by, merge=arguments is None))
    click.echo(
        json.dumps({"run": run, "edited": True})
        if as_json
        else f"{run}  edited; `umbel dead replay {run}` runs it so. Its handler gets the key of before: a service that "
        "knows the key may refuse the change or answer with what it did then; with --new-key it gets a new one"
    )


@dead.command(short_help="Take them off the list.")
@_runs
@selection.filtered
@_yes
@options.by
@options.as_json
@click.pass_context
def discard(
    ctx: click.Context, /, runs: tuple[str, ...], by: str, *, yes: bool, as_json: bool, **given: Any
) -> None:
    """Take some of the dead off the list: the RUNs that are named, or all that match the options.

    Their records are kept as long as those of other runs, but nobody can replay them any more.
    """
    from actions.errors import UnknownRecord

    async def work(conductor: Conductor, run: str) -> str:
        if not await conductor.discard(run, by=by):
            raise UnknownRecord(f"there is no dead run {run[:80]}")
        return "discarded"

    _do(ctx, runs, given, work, "discard", yes=yes, as_json=as_json)


def _do(
    ctx: click.Context,
    /,
    runs: tuple[str, ...],
    given: dict[str, Any],
    work: Callable[[Conductor, str], Awaitable[str]],
    verb: str,
    *,
    yes: bool,
    as_json: bool,
) -> None:
    """Do it to those that are meant, and tell what became of each."""
    from umbel.cli.stores import registry_or_refuse, registry_or_why, unset_actions

    which = selection.Filter(**given)
    selection.check(runs, which)
    registry = registry_or_refuse() if verb == "replay" else registry_or_why()[0]
    told = asyncio.run(_done(runs, which, registry, work, verb, yes=yes))
    if as_json:
        _json(told)
    else:
        for run, outcome in told.items():
            if "error" in outcome:
                hint = unset_actions() if outcome["code"] == "unknown_action" else ""
                click.secho(f"{run}  {outcome['error']}{hint}", fg="red", err=True)
            else:
                click.echo(f"{run}  {'replayed as ' if verb == 'replay' else ''}{outcome['done']}")
        if not told:
            click.echo("None.")
    ctx.exit(1 if any("error" in outcome for outcome in told.values()) else 0)


async def _done(
    runs: tuple[str, ...],
    which: selection.Filter,
    registry: Registry,
    work: Callable[[Conductor, str], Awaitable[str]],
    verb: str,
    *,
    yes: bool,
) -> dict[str, dict[str, str]]:
    from umbel.cli.dead_lines import counted
    from umbel.cli.stores import conducting

    async with conducting(registry) as conductor:
        meant = await selection.chosen(conductor, runs, which, registry)
        if meant and not runs:
            selection.confirm(f"{verb.capitalize()} {counted(meant, 'run', 'runs')}?", yes=yes)
        return await selection.each_of(meant, lambda run: work(conductor, run), verb)


async def _found(given: selection.Filter, limit: int | None) -> list[DeadCall]:
    from umbel.cli.stores import conducting, registry_or_why

    registry, _ = registry_or_why()
    async with conducting(registry) as conductor:
        return await conductor.dead(given.which(registry), limit=limit)


async def _one(run: str) -> DeadCall:
    from umbel.cli.stores import conducting, registry_or_why

    async with conducting(registry_or_why()[0]) as conductor:
        return await conductor.dead_one(run)


async def _edit(run: str, arguments: dict[str, Any], by: str, *, merge: bool) -> None:
    from actions.errors import UnknownAction
    from umbel.cli.stores import conducting, registry_or_refuse, unset_actions

    async with conducting(registry_or_refuse()) as conductor:
        try:
            await conductor.edit(run, arguments, by=by, merge=merge)
        except UnknownAction as error:
            raise UnknownAction(f"{error}{unset_actions()}") from None


def _json(told: Any) -> None:
    from pydantic_core import to_json

    click.echo(to_json(told, indent=2).decode())
