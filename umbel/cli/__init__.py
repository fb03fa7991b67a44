"""The command `umbel`: words from a terminal in, a sub-command's work and an exit code out.

Sub-commands are found by name in a table and imported when called, so that `umbel --help` is quick and
never imports Celery. An expected error (`UmbelError`) is one red line on stderr and its exit code, never a
traceback; anything else is one line and exit code 70 (EX_SOFTWARE), its traceback behind `--debug`.
"""

from __future__ import annotations

import traceback
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import click

from umbel import __version__

EX_SOFTWARE = 70
EX_CONFIG = 78
_DEBUG = "umbel.debug"


@dataclass(frozen=True, slots=True)
class Entry:
    """Where a sub-command lives, and its line in the help."""

    module: str
    attribute: str
    help: str


COMMANDS: dict[str, Entry] = {
    "up": Entry("umbel.cli.up", "up", "Start the embedded server, workers and Flower, until Ctrl-C."),
    "worker": Entry("umbel.cli.worker", "worker", "Start one Celery worker."),
    "demo": Entry("umbel.cli.demo", "demo", "Lead three conversations on real workers, and watch."),
    "show": Entry("umbel.cli.show", "show", "Show a run, a turn or a conversation, and why it waits."),
    "cancel": Entry("umbel.cli.cancel", "cancel", "Cancel runs, turns and conversations."),
    "interrupt": Entry("umbel.cli.interrupt", "interrupt", "Let a chain start no further step."),
    "approvals": Entry("umbel.cli.approvals", "approvals", "Show what waits for a person's approval."),
    "approve": Entry("umbel.cli.approvals", "approve", "Let a run start that waits for approval."),
    "deny": Entry("umbel.cli.approvals", "deny", "End a run that waits for approval."),
    "dead": Entry("umbel.cli.dead", "dead", "Show what died or failed; run it again, edited or as it was."),
    "undo": Entry("umbel.cli.undo", "undo", "Show undos that failed, and try them again."),
    "audit": Entry("umbel.cli.audit", "audit", "Show who asked for what, and what was decided."),
    "limits": Entry(
        "umbel.cli.limits", "limits", "Show limits and locks, and change limits while everything runs."
    ),
    "parse": Entry("umbel.cli.parse", "parse", "Read replies as JSON lines, print the calls in them."),
    "bench": Entry("umbel.cli.bench", "bench", "Measure against the raw Redis floor."),
    "flower": Entry("umbel.cli.flower", "flower", "Start Flower on the loopback interface."),
    "doctor": Entry("umbel.cli.doctor", "doctor", "Check this machine, the settings and the server."),
}


class LazyGroup(click.Group):
    """A group whose sub-commands are imported when called, and whose errors are one line."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in the order of the table: what a newcomer needs first stands first."""
        return [*COMMANDS, *super().list_commands(ctx)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the sub-command."""
        entry = COMMANDS.get(cmd_name)
        if entry is None:
            return super().get_command(ctx, cmd_name)
        command = getattr(import_module(entry.module), entry.attribute)
        if not isinstance(command, click.Command):
            raise TypeError(f"{entry.module}.{entry.attribute} is not a click command")
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the sub-command; for what is none, name the one that is spelt nearly so."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            from difflib import get_close_matches

            near = get_close_matches(args[0], COMMANDS, 1)
            hint = f" Did you mean '{near[0]}'?" if near else ""
            raise click.UsageError(f"{error.message}{hint}", ctx) from None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click calls it so
        """List the sub-commands out of the table, without importing one."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.help) for name, entry in COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> Any:
        """Run the sub-command; turn what it raises into one line and an exit code."""
        _refuse_hidden_packages(ctx)
        from actions.errors import UmbelError

        try:
            return super().invoke(ctx)
        except (click.exceptions.Exit, click.ClickException, click.Abort, KeyboardInterrupt):
            raise
        except UmbelError as error:
            _say(ctx, error, " ".join(str(error).split()))
            raise click.exceptions.Exit(error.exit_code) from None
        except BrokenPipeError:
            raise  # click ends quietly when the reader of our output has gone
        except Exception as error:  # noqa: BLE001 - the edge of the program: nobody above could hear it
            _say(ctx, error, f"unexpected {type(error).__name__}: {error} (--debug shows where)")
            raise click.exceptions.Exit(EX_SOFTWARE) from None


def _refuse_hidden_packages(ctx: click.Context) -> None:
    """Stop before the first import that a user's own `actions.py` would catch."""
    from workers.shadow import complaint

    if line := complaint():
        click.secho(f"umbel: {line}", fg="red", err=True)
        ctx.exit(EX_CONFIG)


def _say(ctx: click.Context, error: BaseException, line: str) -> None:
    if ctx.meta.get(_DEBUG):
        click.echo("".join(traceback.format_exception(error)), err=True, nl=False)
    click.secho(f"umbel: {line}", fg="red", err=True)


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
@click.version_option(__version__, prog_name="umbel")
@click.pass_context
def main(ctx: click.Context, *, debug: bool) -> None:
    """Execute the actions that language models ask for, on Celery and Redis.

    Settings are environment variables: UMBEL_REDIS_URL points at your Redis or Valkey (without it an embedded
    server is used), UMBEL_ACTIONS names the modules with your actions, UMBEL_HOME the data folder.
    """
    ctx.meta[_DEBUG] = debug
