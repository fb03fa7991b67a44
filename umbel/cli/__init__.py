"""The command `umbel`: words from a terminal in, a sub-command's work and an exit code out.

Sub-commands are found by name in a table and imported when called, so that `umbel --help` is quick and
never imports Celery. An expected error (`UmbelError`) is one red line on stderr and its exit code, never a
traceback; anything else is one line and exit code 70 (EX_SOFTWARE), its traceback behind `--debug`.
"""

from __future__ import annotations

import traceback
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

import click

from umbel import __version__

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

EX_SOFTWARE = 70
EX_CONFIG = 78
_DEBUG = "umbel.debug"


@dataclass(frozen=True, slots=True)
class Entry:
    """Where a sub-command lives, and its line in the help."""

    module: str
    attribute: str
    help: str


SECTIONS: dict[str, dict[str, Entry]] = {
    "Start": {
        "up": Entry("umbel.cli.up", "up", "Start a server, workers, the API and Flower, until Ctrl-C."),
        "demo": Entry("umbel.cli.demo", "demo", "Lead three conversations on real workers, and watch."),
        "api": Entry("umbel.cli.api", "api", "Start one process of the HTTP API."),
        "worker": Entry("umbel.cli.worker", "worker", "Start one Celery worker."),
        "flower": Entry("umbel.cli.flower", "flower", "Start Flower on the loopback interface."),
    },
    "Work": {
        "submit": Entry(
            "umbel.cli.submit", "submit", "Submit a call of an action, and wait for it if told to."
        ),
        "list": Entry("umbel.cli.list", "list_", "List runs, the newest first."),
        "show": Entry("umbel.cli.show", "show", "Show a run, a turn or a conversation, and why it waits."),
        "watch": Entry("umbel.cli.watch", "watch", "Watch a run, a turn or a conversation until it ends."),
        "cancel": Entry("umbel.cli.cancel", "cancel", "Cancel runs, turns and conversations."),
        "interrupt": Entry("umbel.cli.interrupt", "interrupt", "Let a chain start no further step."),
        "parse": Entry("umbel.cli.parse", "parse", "Read replies as JSON lines, print the calls in them."),
    },
    "Decide": {
        "approvals": Entry("umbel.cli.approvals", "approvals", "Show what waits for a person's approval."),
        "approve": Entry("umbel.cli.approvals", "approve", "Let a run start that waits for approval."),
        "deny": Entry("umbel.cli.approvals", "deny", "End a run that waits for approval."),
        "dead": Entry(
            "umbel.cli.dead", "dead", "Show what died or failed; run it again, edited or as it was."
        ),
        "undo": Entry("umbel.cli.undo", "undo", "Show undos that failed, and try them again."),
    },
    "Look after": {
        "actions": Entry(
            "umbel.cli.actions", "actions", "Show the actions, or as tools for a model's provider."
        ),
        "queues": Entry(
            "umbel.cli.queues", "queues", "Show what is ready, runs and waits, and who serves it."
        ),
        "keys": Entry("umbel.cli.keys", "keys", "Make, list and revoke keys of the HTTP API."),
        "limits": Entry(
            "umbel.cli.limits", "limits", "Show limits and locks, and change limits while everything runs."
        ),
        "audit": Entry("umbel.cli.audit", "audit", "Show who asked for what, and what was decided."),
        "doctor": Entry("umbel.cli.doctor", "doctor", "Check this machine, the settings and the server."),
        "bench": Entry("umbel.cli.bench", "bench", "Measure against the raw Redis floor."),
        "completion": Entry(
            "umbel.cli.completion", "completion", "Print what lets a shell complete commands."
        ),
    },
}
"""The sub-commands as the help lists them."""
COMMANDS: dict[str, Entry] = {name: entry for section in SECTIONS.values() for name, entry in section.items()}
"""The sub-commands by name."""


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

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Offer the sub-commands out of the table, without importing one; options as any command does."""
        from click.shell_completion import CompletionItem

        found = [
            CompletionItem(name, help=entry.help)
            for name, entry in COMMANDS.items()
            if name.startswith(incomplete)
        ]
        return found + click.Command.shell_complete(self, ctx, incomplete)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click calls it so
        """List the sub-commands out of the table, without importing one."""
        longest = max(map(len, COMMANDS))
        for title, entries in SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl([(name.ljust(longest), entry.help) for name, entry in entries.items()])

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
            from umbel.extras import missing

            if isinstance(error, ImportError) and (known := missing(error)) is not None:
                _say(ctx, error, str(known))
                raise click.exceptions.Exit(known.exit_code) from None
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
