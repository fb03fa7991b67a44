"""`umbel list`: a filter in; the newest runs that it means out, as a table or as JSON, and how to see more."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import click

from umbel.cli import options
from umbel.cli.completing import action_names

if TYPE_CHECKING:
    from orchestrator.listing import RunPage
    from orchestrator.standings import RunStanding

_LIMIT: Final = 50
_STATUSES: Final = (
    "blocked", "ready", "waiting", "running", "cancelling", "succeeded", "failed", "timed_out", "cancelled",
    "expired", "refused", "denied", "dead",
)  # fmt: skip
"""`actions.messages.Status`, which is not imported for `--help`."""


@click.command("list")
@click.option(
    "--status", type=click.Choice(_STATUSES), multiple=True, help="How they stand; may be repeated."
)
@click.option(
    "--action",
    metavar="NAME",
    default="",
    shell_complete=action_names,
    help="Which action, by any of its names.",
)
@click.option("--conversation", metavar="ID", default="", help="Of which conversation.")
@click.option("--queue", metavar="NAME", default="", help="Of which queue.")
@click.option("--principal", metavar="NAME", default="", help="On whose behalf.")
@click.option("--tenant", help="Whose; everybody's when not given.")
@options.since
@options.before
@click.option("--limit", type=click.IntRange(1), default=_LIMIT, show_default=True, help="At most so many.")
@click.option("--cursor", metavar="TEXT", default="", help="Where to go on, as the page before said.")
@options.as_json
def list_(limit: int, cursor: str, tenant: str | None, *, as_json: bool, **which: Any) -> None:
    """List runs, the newest first; the options narrow the list.

    `umbel show` tells all there is to say of one of them.
    """
    page = asyncio.run(_pages(tenant, which, limit, cursor))
    if as_json:
        from pydantic_core import to_json

        click.echo(to_json({"runs": page.runs, "next": page.next or None}, indent=2).decode())
        return
    from umbel.cli.table import table

    if not page.runs:
        click.echo("None.")
    else:
        columns = ("run", "action", "status", "recorded", "took", "principal", "why")
        click.echo("\n".join(table(columns, map(_row, page.runs))))
    if page.next:
        click.secho(f"and more: --limit shows them, or: --cursor {page.next}", err=True)


async def _pages(tenant: str | None, which: dict[str, Any], limit: int, cursor: str) -> RunPage:
    """As many as are wanted: a page of the store may hold fewer and still have a next one."""
    from orchestrator.listing import RunFilter, RunPage
    from umbel.cli.progress import spinner
    from umbel.cli.stores import conducting, registry_or_why

    registry, _ = registry_or_why()
    found: list[RunStanding] = []
    async with conducting(registry) as conductor:
        with spinner("looking through the runs"):
            while True:
                page = await conductor.list_runs(
                    tenant, RunFilter(**which), limit=limit - len(found), cursor=cursor
                )
                found += page.runs
                cursor = page.next
                if not cursor or len(found) >= limit:
                    return RunPage(tuple(found), cursor)


def _row(run: RunStanding) -> tuple[Any, ...]:
    from umbel.cli.colours import colour
    from umbel.cli.layout import moment_or_none
    from umbel.cli.plain import plain

    return (
        run.run,
        plain(run.action),
        (run.status, colour(run.status)),
        moment_or_none(run.created) or "-",
        _took(run),
        plain(run.principal or "-"),
        plain(_why(run)),
    )


def _took(run: RunStanding) -> str:
    """From its first attempt to its end; of one that lives, for how long its status has been so."""
    from umbel.cli.limit_tables import seconds

    if run.result is None and not run.result_omitted:
        return f"for {seconds(max(0.0, (datetime.now(UTC) - run.since).total_seconds()))}"
    return "-" if run.began is None else seconds(max(0.0, (run.since - run.began).total_seconds()))


def _why(run: RunStanding) -> str:
    """Why it waits, or with which code it ended."""
    if run.status in {"waiting", "ready", "blocked"}:
        return (
            "a person's approval" if run.approval == "wanted" and run.status == "blocked" else run.why or ""
        )
    code = run.result.get("code") if isinstance(run.result, dict) and run.status != "succeeded" else None
    return str(code) if code is not None and code != run.status else ""
