"""`umbel actions`: what the actions are, and what a model is offered of them, in the words of its provider.

In: the modules of UMBEL_ACTIONS, perhaps a state and permissions, or a conversation. Out: a table, JSON, or tools on
stdout; what a provider would refuse on stderr. Redis is asked for a conversation alone.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from umbel.cli.options import as_json as _json

if TYPE_CHECKING:
    from actions.definition import Action
    from actions.registry import Registry
    from actions.tools import Exported

_FORMATS = ("openai", "openai-strict", "anthropic", "gemini", "mcp")
"""Those of `actions.tools`, so that the help imports nothing."""


@click.command()
@click.argument("names", metavar="[NAME]...", nargs=-1)
@click.option("--tools", "form", type=click.Choice(_FORMATS), help="Print tools for this provider, as JSON.")
@click.option("--conversation", metavar="ID", help="Only what a model is offered in this conversation now.")
@click.option("--machine", metavar="NAME", help="Only what a model is offered under this state machine.")
@click.option("--state", metavar="STATE", help="The state of the machine; without it the first one.")
@click.option(
    "--permission", "permissions", metavar="P", multiple=True,
    help="Only what a model is offered on behalf of somebody who may do this; may be repeated. "
    "With --machine alone: on behalf of somebody who may do nothing.",
)  # fmt: skip
@click.option("--check", is_flag=True, help="End with 1 if a provider (without --tools: any) has a problem.")
@_json
@click.pass_context
def actions(
    ctx: click.Context,
    names: tuple[str, ...],
    form: str | None,
    conversation: str | None,
    machine: str | None,
    state: str | None,
    permissions: tuple[str, ...],
    *,
    check: bool,
    as_json: bool,
) -> None:
    """Show the actions, or some by NAME: as a table, or as tools for a model.

    Tools leave out what no model may call. What a provider does not take of an action is told on stderr.
    """
    from umbel.cli.stores import registry_or_refuse

    _refuse_mixed(conversation, machine, state, permissions)
    registry = registry_or_refuse()
    chosen = tuple(dict.fromkeys(map(registry.resolve, names))) if names else registry.actions
    if conversation is not None:
        offered = asyncio.run(_offered_in(conversation, registry))
        chosen = tuple(each for each in chosen if each in offered)
    elif machine or permissions:
        chosen = _allowed(registry, chosen, machine, state, permissions)
    made = _exported(chosen, [form] if form else list(_FORMATS) if check else [])
    _tell_problems(made)
    if made and (left := [each.name for each in chosen if names and not each.offered]):
        click.secho(
            f"umbel: {', '.join(left)}: no model may call it, so it is no tool", fg="yellow", err=True
        )
    if form:
        click.echo(json.dumps(_told(made[0]) if as_json else made[0].tools, indent=2, ensure_ascii=False))
    else:
        _show(chosen, made, as_json=as_json)
    ctx.exit(1 if check and any(each.problems for each in made) else 0)


def _refuse_mixed(
    conversation: str | None, machine: str | None, state: str | None, permissions: Sequence[str]
) -> None:
    if conversation and (machine or state or permissions):
        raise click.UsageError(
            "a conversation has its own state and permissions: give --conversation, or the others"
        )
    if state and not machine:
        raise click.UsageError("a state belongs to a state machine: give --machine too")


def _allowed(
    registry: Registry,
    chosen: Sequence[Action],
    machine: str | None,
    state: str | None,
    permissions: Sequence[str],
) -> tuple[Action, ...]:
    from orchestrator.offers import allowed

    if machine is not None and state is not None:
        known = registry.machine(machine)
        found = known.find(state)
        if found is None:
            raise click.UsageError(f"{machine} has no state {state!r}; it has {', '.join(known.states)}")
        state = found
    offered = allowed(registry, machine=machine, state=state, permissions=permissions)
    return tuple(each for each in chosen if each in offered)


async def _offered_in(conversation: str, registry: Registry) -> list[Action]:
    from orchestrator import ids
    from orchestrator.offers import offered
    from umbel.cli.stores import opened

    ids.check_conversation(conversation)
    async with opened() as store:
        return offered(registry, await store.conversations.read(conversation))


def _exported(chosen: Sequence[Action], forms: Sequence[str]) -> list[Exported]:
    from actions.tools import export

    return [export(chosen, form) for form in forms]


def _tell_problems(made: Sequence[Exported]) -> None:
    from umbel.cli.plain import plain

    for each in made:
        for problem in each.problems:
            click.secho(f"umbel: {each.format}: {plain(str(problem))}", fg="yellow", err=True)


def _told(made: Exported) -> dict[str, Any]:
    problems = [problem.told() for problem in made.problems]
    return {"format": made.format, "tools": made.tools, "problems": problems}


def _show(chosen: Sequence[Action], made: Sequence[Exported], *, as_json: bool) -> None:
    from actions.catalogue import entry
    from umbel.cli import action_lines

    rows = [entry(each) for each in chosen]
    if as_json:
        found = {"problems": {each.format: _told(each)["problems"] for each in made}} if made else {}
        click.echo(json.dumps({"actions": rows, **found}, indent=2, ensure_ascii=False, default=str))
        return
    for line in action_lines.table(rows):
        click.echo(line)
    for each in made:
        click.echo(f"  {each.format:<14}{_count(len(each.problems))}")


def _count(problems: int) -> str:
    if not problems:
        return "fits"
    return f"{problems} problem{'s' if problems > 1 else ''}"
