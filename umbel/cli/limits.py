"""`umbel limits`: what rate limits there are and how they stand; other numbers for them while everything runs.

In: a limit's name, perhaps one of its keys, and numbers. Out: tables, or one JSON object. Workers follow at once: the
numbers stand in the store, and whoever waits looks again.
"""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import click

from umbel.cli import limit_tables as tables
from umbel.cli import options

if TYPE_CHECKING:
    from umbel.cli.limit_names import Known

_key = click.option("--key", help="One key only: ann, or TAKE_ORDER:ann (then NAME may be left out).")
_all = click.option("--all", "whole", is_flag=True, help="Show every key, not just the 50 busiest.")
_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")


class LimitsGroup(click.Group):
    """A group in which what is no sub-command is the name of a limit to list."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Read `umbel limits NAME` as `umbel limits list NAME`."""
        known = args[0] in self.commands or args[0].startswith("-")
        return super().resolve_command(ctx, args if known else ["list", *args])


@click.group(cls=LimitsGroup, invoke_without_command=True, subcommand_metavar="[NAME | COMMAND [ARGS]...]")
@_all
@_json
@click.pass_context
def limits(ctx: click.Context, *, whole: bool, as_json: bool) -> None:
    """Show rate limits and locks, and change limits while everything runs.

    With the NAME of a limit: that one alone.
    """
    if ctx.invoked_subcommand is None:
        ctx.invoke(show, name=None, whole=whole, as_json=as_json)


@limits.command("list", short_help="Show all limits, or one.")
@click.argument("name", required=False)
@_all
@_json
def show(name: str | None, *, whole: bool, as_json: bool) -> None:
    """Show what is declared, what was changed, and how it stands: of all limits and locks, or of one limit.

    `used` counts the starts (or units) that count at this moment, `next start in` is the time until one more is free.
    """
    told = asyncio.run(_look(name))
    if as_json:
        click.echo(json.dumps(told, indent=2))
    else:
        tables.show(told, whole=whole)


@limits.command("set", short_help="Give a limit other numbers.", options_metavar="[OPTIONS]")
@click.argument("words", metavar="[NAME] NUMBERS", nargs=-1, required=True)
@_key
@click.option("--burst", type=click.IntRange(1), help="Units at once, for a limit that is declared with one.")
@click.option("--cost", type=click.IntRange(1), help="Units that each run takes, in place of its own.")
@click.option("--force", is_flag=True, help="Also if no action that can be loaded here has such a limit.")
@options.by
@_json
def change(
    words: tuple[str, ...],
    key: str | None,
    burst: int | None,
    cost: int | None,
    by: str,
    *,
    force: bool,
    as_json: bool,
) -> None:
    """Give a limit other numbers, or one of its keys alone (which counts more than those of the limit).

    NUMBERS are starts (or units) and a window: 50/1s, 200/10m, 1000/1d; 0/1s lets nobody start.
    """
    from umbel.cli import limit_names as names

    if len(words) > 2:  # noqa: PLR2004 - a name and numbers
        raise click.UsageError(f"{' '.join(words)} is too much: write [NAME] NUMBERS, such as exchange 50/1s")
    name, full = names.name_and_key(words[0] if len(words) > 1 else None, key)
    n, window = names.numbers(words[-1])
    known = names.known()
    names.check(name, full, n, burst, cost, known, force=force)
    asyncio.run(_set(name, full, n, window, burst, cost, by))
    _explain(known)
    said = f"{n} in {tables.span(window)}" + (f", {burst} at once" if burst else "")
    _confirm(full or name, said, as_json=as_json)


@limits.command("unset", short_help="Let the declared numbers hold again.")
@click.argument("name", required=False)
@_key
@options.by
@_json
@click.pass_context
def restore(ctx: click.Context, name: str | None, key: str | None, by: str, *, as_json: bool) -> None:
    """Let the declared numbers hold again. Ends with 1 if nothing was changed."""
    from umbel.cli import limit_names as names

    name, full = names.name_and_key(name, key)
    found = asyncio.run(_unset(name, full, by))
    _confirm(full or name, "as declared" if found else "was not changed", as_json=as_json)
    ctx.exit(0 if found else 1)


async def _set(
    name: str, key: str | None, n: int, window: Any, burst: int | None, cost: int | None, by: str
) -> None:
    from orchestrator.limit_changes import told
    from umbel.cli.stores import opened

    async with opened() as store:
        seconds = window.total_seconds()
        line = told(name, key, by=by, numbers=f"{n}/{seconds:g}s")
        await store.limits.set(
            name, n=n, per_us=round(seconds * 1_000_000), burst=burst or 0, cost=cost, key=key, line=line
        )


async def _unset(name: str, key: str | None, by: str) -> bool:
    from orchestrator.limit_changes import told
    from umbel.cli.stores import opened

    async with opened() as store:
        found = any(each.field == (key or name) for each in await store.limits.changed())
        await store.limits.unset(name, key=key, line=told(name, key, by=by))
        return found


async def _look(name: str | None) -> dict[str, Any]:
    from umbel.cli import limit_names as names
    from umbel.cli.stores import opened

    known = names.known()
    async with opened() as store:
        changed = [
            each for each in await store.limits.changed() if name is None or names.is_of(each.field, name)
        ]
        standing = await store.limits.standing(name, declared=known.numbers)
        locks = await store.locks.standing() if name is None else []
    if name is not None and not (changed or standing):
        names.check_name(name, known)
    wanted = [each for each in known.limits if name is None or names.is_of(name, each[1].name)]
    return {
        "declared": None if known.why else [tables.declared_row(*each) for each in wanted],
        "why": known.why,
        "changed": [
            tables.changed_row(each, known=bool(known.why) or each.field.partition(":")[0] in known.numbers)
            for each in changed
        ],
        "standing": [tables.standing_row(each) for each in standing],
        "locks": None if name else [tables.lock_row(each) for each in locks],
    }


def _explain(known: Known) -> None:
    if known.why:
        text = f"umbel: the actions cannot be loaded here, so the name was not checked: {known.why}"
        click.secho(text, fg="yellow", err=True)


def _confirm(field: str, said: str, *, as_json: bool) -> None:
    click.echo(json.dumps({"limit": field, "now": said}) if as_json else f"{field}  {said}")
