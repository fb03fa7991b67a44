"""`umbel limits`: what rate limits there are and how they stand; other numbers for them while everything runs.

In: a limit's name, perhaps one of its keys, and numbers. Out: tables, or one JSON object. Workers follow at once: the
numbers stand in the store, and whoever waits looks again.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from umbel.cli import limit_tables as tables

if TYPE_CHECKING:
    from actions.limits import RateLimit
    from orchestrator.settings import Settings
    from orchestrator.store.limits import Limits

_COST_HELP: Final = "Units that each run takes, in place of its own."
_key = click.option(
    "--key", help="One key only, as `umbel limits` shows it; the limit's name may be left out."
)
_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")


@click.group(invoke_without_command=True)
@_json
@click.pass_context
def limits(ctx: click.Context, *, as_json: bool) -> None:
    """Show rate limits, and change them while everything runs."""
    if ctx.invoked_subcommand is None:
        ctx.invoke(show, name=None, as_json=as_json)


@limits.command("list")
@click.argument("name", required=False)
@_json
def show(name: str | None, *, as_json: bool) -> None:
    """Show what is declared, what was changed, and how it stands: of all limits, or of one."""
    told = asyncio.run(_look(name))
    if as_json:
        click.echo(json.dumps(told, indent=2))
    else:
        tables.show(told)


@limits.command("set")
@click.argument("name")
@click.option(
    "-n", "--n", "n", type=click.IntRange(0), required=True, help="Starts or units in each window; 0: none."
)
@click.option("--per", required=True, help='The window: "1s", "1m", "1h", "1d" and the like.')
@click.option("--burst", type=click.IntRange(1), help="Units at once, for a limit that is declared with one.")
@click.option("--cost", type=click.IntRange(1), help=_COST_HELP)
@_key
@_json
def change(
    name: str, n: int, per: str, burst: int | None, cost: int | None, key: str | None, *, as_json: bool
) -> None:
    """Give a limit other numbers, or one of its keys alone (which counts more than those of the limit)."""
    from actions.errors import ConfigError
    from actions.policy import duration

    window = duration(per)
    if window < timedelta(milliseconds=1):
        raise ConfigError(f"a window of {per!r} is too short", where="--per", fix="Give 1ms or more")
    if burst is not None and burst > n:
        raise ConfigError(
            f"a burst of {burst} is more than the {n} of a window", where="--burst", fix="Give less"
        )
    full = _full(name, key)
    known = _declared(name)
    _check_exact(n, known)

    async def work(store: Limits) -> None:
        per_us = window // timedelta(microseconds=1)
        await store.set(name, n=n, per_us=per_us, burst=burst or 0, cost=cost, key=full)

    asyncio.run(_with_limits(work))
    _warn_unknown(name, known)
    _confirm(
        full or name,
        f"{n} in {tables.span(window)}" + (f", {burst} at once" if burst else ""),
        as_json=as_json,
    )


@limits.command("unset")
@click.argument("name")
@_key
@_json
@click.pass_context
def restore(ctx: click.Context, name: str, key: str | None, *, as_json: bool) -> None:
    """Let the declared numbers hold again. Ends with 1 if nothing was changed."""
    full = _full(name, key)

    async def work(store: Limits) -> bool:
        found = any(each.field == (full or name) for each in await store.changed())
        await store.unset(name, key=full)
        return found

    found = asyncio.run(_with_limits(work))
    _confirm(full or name, "as declared" if found else "was not changed", as_json=as_json)
    ctx.exit(0 if found else 1)


def _full(name: str, key: str | None) -> str | None:
    """A key as the store has it: the limit's name first."""
    if key is None or key == name or key.startswith(f"{name}:"):
        return key
    return f"{name}:{key}"


async def _with_limits(work: Callable[[Limits], Any]) -> Any:
    async with _limits() as store:
        return await work(store)


@asynccontextmanager
async def _limits() -> AsyncIterator[Limits]:
    from orchestrator.store.store import Store

    store = Store(_settings())
    try:
        yield store.limits
    finally:
        await store.close()


def _settings() -> Settings:
    from orchestrator.settings import load_settings
    from umbel.face import with_server

    return with_server(load_settings())


def _declared(name: str | None = None) -> list[tuple[str, RateLimit]] | None:
    """Action and limit, for each of this name that is declared; None if the actions cannot be loaded here."""
    from actions.errors import UmbelError
    from orchestrator.settings import load_settings
    from umbel import preflight

    try:
        registry = preflight.load_registry(load_settings(), Path.cwd())
    except UmbelError:  # an operator's machine need not have them
        return None
    found = [(action.name, limit) for action in registry.actions for limit in action.rate_limits]
    return [each for each in found if name in {None, each[1].name}]


async def _look(name: str | None) -> dict[str, Any]:
    async with _limits() as store:
        changed = [each for each in await store.changed() if name is None or _is_of(each.field, name)]
        standing = await store.standing(name)
    known = _declared(name)
    return {
        "declared": None if known is None else [tables.declared_row(*each) for each in known],
        "changed": [tables.changed_row(each) for each in changed],
        "standing": [tables.standing_row(each) for each in standing],
    }


def _is_of(field: str, name: str) -> bool:
    return field == name or field.startswith(f"{name}:")


def _check_exact(n: int, known: list[tuple[str, RateLimit]] | None) -> None:
    from actions.errors import ConfigError
    from actions.limits import REMEMBERED

    if n > REMEMBERED and any(limit.exact for _, limit in known or ()):
        raise ConfigError(
            f"an exact limit counts no more than {REMEMBERED} starts",
            where="--n",
            fix="Take fewer in a shorter window, or declare the limit with a burst",
        )


def _warn_unknown(name: str, known: list[tuple[str, RateLimit]] | None) -> None:
    if known is not None and not known:
        text = f"umbel: no action that can be loaded here has a limit {name}; look for a slip of the pen"
        click.secho(text, fg="yellow", err=True)


def _confirm(field: str, said: str, *, as_json: bool) -> None:
    click.echo(json.dumps({"limit": field, "now": said}) if as_json else f"{field}  {said}")
