"""Which of the dead a command means: ids, or a filter, never both; and the same work on each, with a progress bar.

In: the words of a command line. Out: ids, and for each what became of it.
"""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from umbel.cli import options
from umbel.cli.completing import action_names

if TYPE_CHECKING:
    from actions.registry import Registry
    from orchestrator.conductor import Conductor
    from orchestrator.dead_calls import Which

F = TypeVar("F", bound=Callable[..., Any])
_BAR: Final = 20
"""From so many on there is a progress bar."""
_STATUSES: Final = ("dead", "failed", "timed_out")


@dataclass(frozen=True, slots=True)
class Filter:
    """What the options of `filtered` say."""

    status: tuple[str, ...] = ()
    action: tuple[str, ...] = ()
    since: datetime | None = None
    before: datetime | None = None
    error: str = ""
    tenant: str | None = None
    everything: bool = False

    @property
    def given(self) -> bool:
        """Whether one of them was given."""
        return self != Filter()

    def which(self, registry: Registry) -> Which:
        """The same, as the conductor understands it."""
        from actions.errors import UnknownAction
        from orchestrator.dead_calls import Which

        def registered(name: str) -> str:
            try:
                return registry.resolve(name).name
            except UnknownAction:  # it may have been taken out of the code since: its dead are still there
                return name

        return Which(
            status=self.status or _STATUSES,
            actions={registered(name) for name in self.action},
            since=self.since,
            before=self.before,
            error=self.error,
            tenant=self.tenant,
        )


def filtered(command: F) -> F:
    """Give a command the options of a filter; they come as `status`, `action`, … and `everything`."""
    for option in reversed(
        (
            click.option("--status", type=click.Choice(_STATUSES), multiple=True, help="How they ended."),
            click.option(
                "--action",
                metavar="NAME",
                multiple=True,
                shell_complete=action_names,
                help="Which action, by any of its names.",
            ),
            options.since,
            options.before,
            click.option(
                "--error", metavar="TEXT", default="", help="What stands in their error, or its code."
            ),
            click.option("--tenant", help="Whose they are."),
            click.option("--all", "everything", is_flag=True, help="All that there are."),
        )
    ):
        command = option(command)
    return command


def check(runs: Sequence[str], given: Filter) -> None:
    """Find ids beside a filter, or neither: both could mean more than was meant."""
    if runs and given.given:
        raise click.UsageError("name runs, or say which ones with options; not both")
    if not runs and not given.given:
        raise click.UsageError("which ones? Name runs, give a filter such as --action NAME, or say --all")


async def chosen(conductor: Conductor, runs: Sequence[str], given: Filter, registry: Registry) -> list[str]:
    """The ids that are meant, each once."""
    if runs:
        return list(dict.fromkeys(runs))
    return [each.run for each in await conductor.dead(given.which(registry))]


def confirm(question: str, *, yes: bool, unasked: str = "--yes") -> None:
    """Ask the person at the terminal; `unasked` are the options with which a script does without.

    What nobody said yes to is not done: without a terminal there is nobody to ask, and what stands in a pipe is no
    answer.
    """
    if yes:
        return
    if not _is_terminal():
        raise click.UsageError(
            f"nothing was done: there is no terminal to ask at ({question}); "
            f"give {unasked} if nobody is to be asked"
        )
    click.confirm(question, abort=True, err=True)


async def each_of(
    runs: Sequence[str], work: Callable[[str], Awaitable[str]], label: str
) -> dict[str, dict[str, str]]:
    """Do the work for each run; what came out of it, or the error that it ended with.

    An error of one does not stop the others.
    """
    from actions.errors import StoreUnavailable, UmbelError

    told: dict[str, dict[str, str]] = {}
    with _progress(runs, label) as going:
        for run in going:
            try:
                told[run] = {"done": await work(run)}
            except StoreUnavailable:
                raise
            except UmbelError as error:
                told[run] = {"error": " ".join(str(error).split()), "code": error.code}
    return told


def _is_terminal() -> bool:
    return sys.stdin is not None and not sys.stdin.closed and sys.stdin.isatty()


def _is_watched() -> bool:
    return sys.stderr.isatty()


def _progress(runs: Sequence[str], label: str) -> AbstractContextManager[Iterable[str]]:
    if len(runs) < _BAR or not _is_watched():
        return nullcontext(runs)
    return click.progressbar(runs, label=label, file=sys.stderr)
