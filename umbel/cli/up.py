"""`umbel up`: settings in, a whole installation on this machine out, until Ctrl-C.

The embedded server (or UMBEL_REDIS_URL), workers for the actions, one for the turns, Flower. One that dies is
started again; all of them end with this process. What other terminals need stands in a file of the home folder.
"""

from __future__ import annotations

import contextlib
import json
import shlex
import time
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from actions.registry import Registry
    from orchestrator.settings import Settings
    from umbel.supervisor import EmbeddedRedis, Family, Process

_TEND_EVERY_S: Final = 0.5
_SPARE: Final = timedelta(seconds=5)
"""What a worker has to end in, beyond the grace that its runs have."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to run."""

    settings: Settings
    """How it was started; the server's URL is in it."""
    registry: Registry
    """The actions."""
    workers: int
    """How many workers for the actions."""
    concurrency: int | None
    """Processes of each; None: as the settings say."""
    flower: int | None
    """Flower's port; None: no Flower."""
    login: str
    """Who may open Flower, as user:password."""
    login_told: str
    """What is said of that."""


@click.command()
@click.option("--workers", "-w", default=1, type=click.IntRange(1, 64), help="Workers for the actions.")
@click.option("--concurrency", "-c", type=click.IntRange(1, 1024), help="Processes of each worker.")
@click.option("--port", "-p", type=click.IntRange(1, 65535), help="Flower's port; else UMBEL_FLOWER_PORT.")
@click.option("--flower/--no-flower", default=True, help="Whether Flower is started.")
def up(workers: int, concurrency: int | None, port: int | None, *, flower: bool) -> None:
    """Start the embedded server, workers and Flower, until Ctrl-C."""
    from pydantic import SecretStr

    from orchestrator.settings import load_settings
    from umbel import home, preflight, starting

    preflight.refuse_hidden(Path.cwd())
    settings = load_settings()
    registry = preflight.load_registry(settings, Path.cwd())
    flower_port = (port or settings.flower_port) if flower else None
    if flower_port:
        preflight.check_port(flower_port)
    login, is_new = home.login_of(settings)
    said = home.told(settings, login, is_new=is_new)
    with (
        starting.stops_on_sigterm(),
        contextlib.suppress(KeyboardInterrupt),
        _server(settings) as (url, server),
    ):
        complete = settings.model_copy(update={"redis_url": SecretStr(url)})
        preflight.check_server(complete)
        plan = Plan(complete, registry, workers, concurrency, flower_port, login, said)
        with _family() as family, home.env_file(complete):
            _start(plan, family)
            _tell(plan, server)
            _tend(family, server)


@contextlib.contextmanager
def _server(settings: Settings) -> Iterator[tuple[str, EmbeddedRedis | None]]:
    """The URL of the server, and the server when it is embedded."""
    from actions.errors import ConfigError
    from umbel.supervisor import EmbeddedRedis

    if not settings.is_embedded:
        yield settings.store_url, None
        return
    with EmbeddedRedis(settings.home) as server:
        if server.is_shared:
            raise ConfigError(
                "another umbel runs for this home folder",
                where=str(settings.home),
                fix=f". {settings.home}/env, then `umbel worker --name two`, adds a worker; or set UMBEL_HOME anew",
            )
        yield server.url, server


@contextlib.contextmanager
def _family() -> Iterator[Family]:
    """The children; says that they are being stopped, since that may take as long as their runs' grace."""
    from umbel.supervisor import Family

    with Family() as family:
        try:
            yield family
        finally:
            click.echo("Stopping …")


def _start(plan: Plan, family: Family) -> None:
    """Start everything at once, and wait until the workers are ready."""
    from umbel import starting

    queues = starting.queues_of(plan.registry)
    served = {f"worker-{number + 1}": queues for number in range(plan.workers)} | {"turns": [starting.TURNS]}
    signs = []
    for name, theirs in served.items():
        command = starting.worker_command(
            plan.settings, name=name, queues=theirs, concurrency=plan.concurrency
        )
        process = _process(plan.settings, name, command)
        signs.append(starting.Sign(process))
        family.add(process)
    if plan.flower:
        command = starting.flower_command(plan.flower)
        family.add(_process(plan.settings, "flower", command, starting.flower_login(plan.login)))
    if plan.settings.log_level in {"debug", "info"}:  # with less, workers do not say when they are ready
        starting.wait_until_ready(signs)


def _process(
    settings: Settings, name: str, command: list[str], more: Mapping[str, str] | None = None
) -> Process:
    from umbel import starting
    from umbel.supervisor import Process

    return Process(
        name,
        command,
        log=settings.home / "logs" / f"{name}.log",
        env=starting.environment(settings, more),
        cwd=Path.cwd(),
        grace=settings.grace + _SPARE,
    )


def _tell(plan: Plan, server: EmbeddedRedis | None) -> None:
    """Where everything is, and what to do next."""
    from umbel import starting
    from umbel.home import ENV_FILE

    settings = plan.settings
    owner = "yours" if server is None else "embedded"
    names = ", ".join(action.name for action in plan.registry.actions)
    queues = ", ".join(starting.queues_of(plan.registry))
    rows = {
        "Redis": f"{settings.redacted_url} ({owner})",
        "actions": names if settings.actions else f"{names}; yours: UMBEL_ACTIONS=mypackage.actions",
        "workers": f"{plan.workers} for {queues}; one for {starting.TURNS}",
        "Flower": f"http://127.0.0.1:{plan.flower}, {plan.login_told}" if plan.flower else "not started",
        "model": settings.model_url or "none: set UMBEL_MODEL_URL to let a model lead conversations",
        "logs": str(settings.home / "logs"),
    }
    for name, text in rows.items():
        click.echo(f"  {click.style(f'{name:<9}', fg='cyan')}{text}")
    click.echo("\nIn another terminal, to submit a run:")
    click.echo(f"  . {shlex.quote(str(settings.home / ENV_FILE))}")
    click.echo(f"  celery -A workers.main call {_example(plan.registry, settings)}")
    click.echo("\nCtrl-C stops everything; what was accepted is kept.")


def _example(registry: Registry, settings: Settings) -> str:
    """A call of the first action of the user's own, with values of the right kinds."""
    from actions.schema import parameters_schema

    action = registry.actions[0] if settings.actions else registry.resolve("NONE")
    schema = parameters_schema(action)
    samples = {"string": "text", "integer": 1, "number": 1.5, "boolean": True, "array": [], "object": {}}
    values = {
        name: samples.get(str(schema["properties"][name].get("type")), "text")
        for name in schema.get("required", [])
    }
    return f"{action.name} --kwargs {shlex.quote(json.dumps(values))}" if values else action.name


def _tend(family: Family, server: EmbeddedRedis | None) -> None:
    """Look after everything until interrupted: whatever ends by itself is started again."""
    while True:
        time.sleep(_TEND_EVERY_S)
        if server is not None and server.process is not None and not server.process.is_alive:
            _note_end(server.process)
            server.start()
        for process in family.tend():
            _note_end(process)


def _note_end(process: Process) -> None:
    text = f"umbel: {process.name} ended with {process.returncode} and is started again ({process.log})"
    click.secho(text, fg="yellow", err=True)
