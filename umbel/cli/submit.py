"""`umbel submit`: the name of an action and its arguments in; the id of a durable run out, or its end.

With --wait it ends with 0 when the run succeeded, with 1 when it ended otherwise, with 75 when the time was over: then
the run goes on, as it does after Ctrl-C (130).
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import click

from umbel.cli import options
from umbel.cli.arguments import pair, whole
from umbel.cli.completing import action_names
from umbel.cli.watch import EX_INTERRUPTED, WELL

if TYPE_CHECKING:
    from orchestrator.conductor import Conductor
    from orchestrator.standings import RunStanding

EX_TEMPFAIL: Final = 75


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What is to be submitted, as `Conductor.submit` takes it."""

    action: str
    arguments: dict[str, Any]
    more: dict[str, Any]


@click.command()
@click.argument("action", shell_complete=action_names)
@click.argument("pairs", metavar="[NAME=JSON]...", nargs=-1)
@click.option("--arguments", metavar="JSON", help="All arguments: an object, or @FILE, or - for stdin.")
@click.option("--key", help="An idempotency key: the same key and request are one run.")
@click.option("--principal", metavar="NAME", help="On whose behalf it runs.")
@click.option(
    "--permission", "permissions", metavar="WORD", multiple=True, help="What that principal may do."
)
@click.option("--tenant", default="", help="Whose share of the workers it uses.")
@click.option("--delay", metavar="TIME", help="Do not start it before: 30s, 5m.")
@click.option("--deadline", metavar="TIME", help="How long all of it may take, waiting included.")
@click.option("--timeout", metavar="TIME", help="How long each attempt may take, if that is less than usual.")
@click.option(
    "--retries", type=click.IntRange(0), help="How often it is tried again, instead of as declared."
)
@click.option("--wait", is_flag=True, help="Wait for its end and show it.")
@click.option("--within", type=options.Span(), metavar="TIME", help="Wait no longer than this (with --wait).")
@options.as_json
@click.pass_context
def submit(
    ctx: click.Context,
    /,
    action: str,
    pairs: tuple[str, ...],
    arguments: str | None,
    retries: int | None,
    within: float | None,
    *,
    wait: bool,
    as_json: bool,
    **more: Any,
) -> None:
    """Submit a call of an ACTION, without a conversation.

    Its arguments are JSON, or a bare word where a text is wanted: `umbel submit TAKE_ORDER item=tea quantity=2`. It
    becomes a run that is done whether or not anybody waits for it: `umbel watch`, `show` and `cancel` take its id.
    """
    if pairs and arguments is not None:
        raise click.UsageError("give --arguments, or NAME=JSON; not both")
    if within is not None and not wait:
        raise click.UsageError("--within says how long to --wait")
    if arguments is not None:
        chosen = whole(arguments)
    else:
        chosen = dict(pair(each, "", partial(_takes_text, action)) for each in pairs)
    given = {name: value for name, value in more.items() if value not in (None, ())}
    wanted = _Wanted(action, chosen, given if retries is None else given | {"retry": retries})
    run, told = _submitted(ctx, wanted, within, wait=wait)
    if not wait:
        click.echo(
            json.dumps({"run": run}) if as_json else f"{run}  submitted; to follow it: umbel watch {run}"
        )
        return
    _show(run, told, as_json=as_json)
    ctx.exit(EX_TEMPFAIL if told is None else 0 if told.status in WELL else 1)


def _submitted(
    ctx: click.Context, wanted: _Wanted, within: float | None, *, wait: bool
) -> tuple[str, RunStanding | None]:
    """The run's id and, if it was waited for, how it ended; None: the time was over."""
    run: list[str] = []
    try:
        return asyncio.run(_submit(wanted, within, run, wait=wait))
    except KeyboardInterrupt:
        if not run:
            raise
        click.echo(
            f"\n{run[0]}  goes on; to follow it: umbel watch {run[0]}; to stop it: umbel cancel {run[0]}",
            err=True,
        )
        ctx.exit(EX_INTERRUPTED)


async def _submit(
    wanted: _Wanted, within: float | None, run: list[str], *, wait: bool
) -> tuple[str, RunStanding | None]:
    from orchestrator.conductor import Conductor
    from orchestrator.settings import load_settings
    from umbel.cli.stores import opened, registry_or_refuse

    registry = registry_or_refuse()
    async with opened() as store:
        run.append(await _recorded(Conductor(load_settings(), registry, store), wanted))
        if not wait:
            return run[0], None
        from umbel.cli.run_progress import ended

        return run[0], await ended(run[0], store, registry, within)


async def _recorded(conductor: Conductor, wanted: _Wanted) -> str:
    """Submit it; what the command line lacks is said."""
    from actions.errors import ForbiddenAction

    try:
        with _unknown_explained():
            return await conductor.submit(wanted.action, wanted.arguments, **wanted.more)
    except ForbiddenAction as error:
        raise ForbiddenAction(f"{error} (--permission WORD says what the principal may do)") from None


@contextmanager
def _unknown_explained() -> Iterator[None]:
    from actions.errors import UnknownAction
    from umbel.cli.stores import unset_actions

    try:
        yield
    except UnknownAction as error:
        raise UnknownAction(f"{error}{unset_actions()}") from None


def _takes_text(action: str, name: str) -> bool:
    """Whether a text fits the parameter of this name."""
    from actions.schema import parameters_schema
    from umbel.cli.stores import registry_or_refuse

    with _unknown_explained():
        known = registry_or_refuse().resolve(action)
    node = parameters_schema(known).get("properties", {}).get(name, {})
    branches = [node, *node.get("anyOf", ()), *node.get("oneOf", ())]
    return any(branch.get("type") == "string" for branch in branches)


def _show(run: str, told: RunStanding | None, *, as_json: bool) -> None:
    from pydantic_core import to_json

    from umbel.cli.follow_lines import summary
    from umbel.cli.layout import pair as line
    from umbel.cli.layout import short
    from umbel.cli.run_lines import logged

    if as_json:
        click.echo(
            json.dumps({"run": run, "status": None}) if told is None else to_json(told, indent=2).decode()
        )
        return
    if told is None:
        click.echo(f"{run}  has not ended yet; it goes on: umbel watch {run}")
        return
    click.echo("\n".join(summary(told)))
    click.echo("\n".join([line("result", short(told.result)), *logged(told.result)]))
