"""What `umbel up` says: events of an installation in; lines for people, or a JSON object a line for programs, out.

No secret is said, but Flower's password when it was made just now. Where the first key of the API is kept is said, and
how to use it without showing it.
"""

from __future__ import annotations

import json
import shlex
import signal
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

import click

from umbel import home, starting
from umbel.installation.example import Example, template

if TYPE_CHECKING:
    from umbel.installation.plan import Plan

_WIDTH: Final = 9


class Telling(Protocol):
    """Who is told what happens."""

    def ready(self, plan: Plan, commands: Mapping[str, str], *, embedded: bool) -> None:
        """Everything runs, by these plain commands."""

    def ended(self, name: str, code: int | None, log: Path) -> None:
        """A program has ended by itself and will be started again."""

    def restarted(self, name: str, pid: int) -> None:
        """It was."""

    def warn(self, text: str) -> None:
        """Something is not as it should be."""

    def stopping(self) -> None:
        """All of it is being stopped."""


class Lines:
    """Lines for the person at the terminal."""

    def __init__(self) -> None:
        """Begin to count the seconds."""
        self._began = time.monotonic()

    def ready(self, plan: Plan, commands: Mapping[str, str], *, embedded: bool) -> None:
        """Which commands it runs, where everything is, and last, where eyes rest, what to do next."""
        for name, text in _rows(plan, embedded=embedded).items():
            click.echo(f"  {click.style(f'{name:<{_WIDTH}}', fg='cyan')}{text}")
        env = shlex.quote(str(plan.settings.home / home.ENV_FILE))
        click.echo(f"\nThese commands run; in another terminal, first: . {env}")
        for line in commands.values():
            click.echo(f"  {line}")
        own = bool(plan.settings.actions)
        example = Example.of(plan.registry, own=own)
        yours = template(plan.registry) if own else None
        click.echo("\nTo submit a run from there:")
        click.echo(f"  {example.submit()}")
        click.echo(f"  {example.celery()}")
        if yours is not None and yours != example.submit():
            click.echo(f"  {yours}   # with values of yours")
        took = f"{time.monotonic() - self._began:.0f} s"
        click.echo(f"\nready in {took}; Ctrl-C stops everything, what was accepted is kept.")
        if plan.api_url is not None:
            curl = example.curl(plan.api_url, plan.settings.home / home.API_HEADER_FILE)
            click.echo(f"  {curl}")

    def ended(self, name: str, code: int | None, log: Path) -> None:
        """Say so in yellow, on stderr."""
        self.warn(f"{name} {_how(code)} and is started again ({log})")

    def restarted(self, name: str, pid: int) -> None:
        """Say so."""
        _say(f"{name} runs again (process {pid})")

    def warn(self, text: str) -> None:
        """Say so in yellow, on stderr."""
        _say(click.style(f"umbel: {text}", fg="yellow"), err=True)

    def stopping(self) -> None:
        """Say so: it may take as long as the grace of runs."""
        _say("Stopping …")


class JsonLines:
    """A JSON object a line, each with `what` it tells; secrets stand in the ready file only."""

    def ready(self, plan: Plan, commands: Mapping[str, str], *, embedded: bool) -> None:
        """Where everything is."""
        folder = plan.settings.home
        _line(
            "ready",
            api=plan.api_url,
            flower=plan.flower_url,
            redis=plan.settings.redacted_url,
            embedded=embedded,
            actions=[action.name for action in plan.registry.actions],
            commands=dict(commands),
            env=str(folder / home.ENV_FILE),
            key=None if plan.key is None else str(folder / home.API_KEY_FILE),
            logs=str(folder / "logs"),
        )

    def ended(self, name: str, code: int | None, log: Path) -> None:
        """With its exit code, negative when a signal ended it."""
        _line("ended", name=name, code=code, log=str(log))

    def restarted(self, name: str, pid: int) -> None:
        """With its new process."""
        _line("restarted", name=name, pid=pid)

    def warn(self, text: str) -> None:
        """With the text."""
        _line("warning", text=text)

    def stopping(self) -> None:
        """The last line."""
        _line("stopping")


def _line(what: str, **told: Any) -> None:
    _say(json.dumps({"what": what, **told}))


def _say(text: str, *, err: bool = False) -> None:
    """Write a line, if somebody still reads: work goes on where the terminal or the pipe has gone."""
    with suppress(OSError):
        click.echo(text, err=err)


def _rows(plan: Plan, *, embedded: bool) -> dict[str, str]:
    settings = plan.settings
    names = ", ".join(action.name for action in plan.registry.actions)
    queues = ", ".join(starting.queues_of(plan.registry))
    key = settings.home / home.API_KEY_FILE
    return {
        "Redis": f"{settings.redacted_url} ({'embedded' if embedded else 'yours'})",
        "actions": names if settings.actions else f"{names}; yours: UMBEL_ACTIONS=mypackage.actions",
        "workers": f"{plan.workers} for {queues}; one for {starting.TURNS}",
        "API": f"{plan.api_url}, what it offers: {plan.api_url}/docs, key in {key}"
        if plan.api_url
        else "not started",
        "Flower": f"{plan.flower_url}, {plan.login_told}" if plan.flower_url else "not started",
        "model": settings.model_url or "none: set UMBEL_MODEL_URL to let a model lead conversations",
        "logs": str(settings.home / "logs"),
    }


def _how(code: int | None) -> str:
    """How a program ended, in words."""
    if code is None or code >= 0:
        return f"ended with {code}"
    try:
        return f"was ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"was ended by signal {-code}"
