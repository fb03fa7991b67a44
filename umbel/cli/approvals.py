"""`umbel approvals`, `umbel approve` and `umbel deny`: what waits for a person, and the person's answer.

In: a run's id. Out: what became of it. What is shown are the validated arguments, whole: nothing that a model says
about them. Ends with 0 when it was decided so, with 1 when it could not be.
"""

from __future__ import annotations

import asyncio
import dataclasses
import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

import click

from umbel.cli import options, selection

if TYPE_CHECKING:
    from orchestrator.decisions import Wanted

_SAID: Final = {
    "approved": "approved: it goes on",
    "denied": "denied",
    "changed": "asks for something else by now: look at it again",
    "decided": "waits for no approval (any more)",
    "missing": "no such run",
}
_LIMIT: Final = 100
_NOTHING: Final = "-"
"""No run has this digest: what was not there to be seen is not approved, though it may come a moment later."""


@click.command()
@click.option("--limit", type=click.IntRange(1), default=_LIMIT, show_default=True, help="At most so many.")
@options.as_json
def approvals(*, limit: int, as_json: bool) -> None:
    """Show what waits for a person's approval, with its whole arguments."""
    told = asyncio.run(_wanted(limit))
    if as_json:
        from pydantic_core import to_json

        click.echo(to_json([dataclasses.asdict(each) for each in told], indent=2).decode())
        return
    if not told:
        click.echo("Nothing waits for an approval.")
    for number, each in enumerate(told):
        click.echo("\n".join([*[""][: bool(number)], *lines(each)]))


@click.command()
@click.argument("run", metavar="RUN")
@click.option("--digest", help="Approve only what has this digest: `umbel approvals` shows it.")
@click.option("--yes", is_flag=True, help="Do not ask again.")
@options.by
@options.as_json
@click.pass_context
def approve(ctx: click.Context, run: str, digest: str | None, by: str, *, yes: bool, as_json: bool) -> None:
    """Let a run start that waits for your approval.

    Without --digest its arguments are shown, you are asked once more, and what was shown is what is approved: if the
    run asks for something else in the meantime, nothing happens. Where there is no terminal to ask at, nothing is
    approved without --digest or --yes.
    """
    if digest is None:
        wanted = asyncio.run(_wanted_of(run))
        if wanted is not None:
            click.echo("\n".join(lines(wanted)), err=True)
            selection.confirm("Approve this?", yes=yes, unasked="--digest DIGEST or --yes")
        digest = _NOTHING if wanted is None else wanted.digest
    _tell(ctx, run, asyncio.run(_approve(run, digest, by)), as_json=as_json)


@click.command()
@click.argument("run", metavar="RUN")
@click.option("--reason", help="What the model is told beside that a person denied it.")
@options.by
@options.as_json
@click.pass_context
def deny(ctx: click.Context, run: str, reason: str | None, by: str, *, as_json: bool) -> None:
    """End a run that waits for your approval; the model is told so, and the reason if there is one."""
    if reason is not None and not reason.strip():
        raise click.UsageError("--reason: the model is told this; say why, or leave it out")
    _tell(ctx, run, asyncio.run(_deny(run, reason or "", by)), as_json=as_json)


def lines(each: Wanted) -> Iterator[str]:
    """What a person has to see of it."""
    from umbel.cli.layout import moment
    from umbel.cli.plain import document, plain

    yield f"{each.run}  {plain(each.action)}"
    told = {
        "on behalf of": plain(each.principal) if each.principal else None,
        "tenant": each.tenant,
        "conversation": each.conversation,
        "asked": moment(each.asked),
        "expires": moment(each.expires),
        "digest": each.digest,
    }
    yield from (f"  {name:<15}{text}" for name, text in told.items() if text)
    first, *rest = document(each.arguments, indent=2).splitlines()
    yield f"  {'arguments':<15}{first}"
    yield from (f"  {'':<15}{line}" for line in rest)


def _tell(ctx: click.Context, run: str, verdict: str, *, as_json: bool) -> None:
    click.echo(json.dumps({"run": run, "verdict": verdict}) if as_json else f"{run}  {_SAID[verdict]}")
    ctx.exit(0 if verdict in {"approved", "denied"} else 1)


async def _wanted(limit: int) -> list[Wanted]:
    from umbel.cli.stores import conducting

    async with conducting() as conductor:
        return await conductor.wanted(limit=limit)


async def _wanted_of(run: str) -> Wanted | None:
    from umbel.cli.stores import conducting

    async with conducting() as conductor:
        return await conductor.wanted_of(run)


async def _approve(run: str, digest: str | None, by: str) -> str:
    from umbel.cli.stores import conducting

    async with conducting() as conductor:
        return await conductor.approve(run, by=by, digest=digest)


async def _deny(run: str, reason: str, by: str) -> str:
    from umbel.cli.stores import conducting

    async with conducting() as conductor:
        return await conductor.deny(run, by=by, reason=reason)
