"""`umbel up`: settings in, a whole installation on this machine out, until Ctrl-C.

The embedded server (or UMBEL_REDIS_URL), workers for the actions, one for the turns, the HTTP API, Flower. One that
dies is started again; all of them end with this process. What other terminals need stands in the home folder, which one
of these has at a time; what scripts need stands in the ready file.
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Iterator

    from actions.registry import Registry
    from orchestrator.settings import Settings
    from umbel.installation.plan import Plan, Ports
    from umbel.installation.telling import Telling
    from umbel.supervisor import EmbeddedRedis, Family

_PORT = click.IntRange(0, 65535)


@click.command()
@click.option("--workers", "-w", default=1, type=click.IntRange(1, 64), help="Workers for the actions.")
@click.option("--concurrency", "-c", type=click.IntRange(1, 1024), help="Processes of each worker.")
@click.option("--api-port", type=_PORT, help="The API's port; else UMBEL_API_PORT. 0: any free one.")
@click.option(
    "--flower-port",
    "--port",
    "-p",
    type=_PORT,
    help="Flower's port; else UMBEL_FLOWER_PORT. 0: any free one.",
)
@click.option("--api/--no-api", default=True, help="Whether the HTTP API is started.")
@click.option("--flower/--no-flower", default=True, help="Whether Flower is started.")
@click.option(
    "--ready-file",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write URLs, ports, processes and the first key into this file, once all is ready.",
)
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object a line for what happens.")
def up(
    workers: int,
    concurrency: int | None,
    api_port: int | None,
    flower_port: int | None,
    ready_file: Path | None,
    *,
    api: bool,
    flower: bool,
    as_json: bool,
) -> None:
    """Start the embedded server, workers, the HTTP API and Flower, until Ctrl-C.

    The ready file is a JSON object that only you can read. It appears when everything is ready, names other processes
    when one had to be started again, and is gone at the end.
    """
    from orchestrator.settings import load_settings
    from umbel import extras, preflight, starting
    from umbel.cli.progress import spinner

    extras.need("worker", *(("server",) if api else ()))
    from umbel.installation import claim
    from umbel.installation.plan import choose_ports
    from umbel.installation.ready_file import ReadyFile
    from umbel.installation.running import Installation
    from umbel.installation.telling import JsonLines, Lines

    preflight.refuse_hidden(Path.cwd())
    settings = load_settings()
    claim.refuse_second(settings.home)  # first: its ports are taken, and that is not what is wrong
    registry = preflight.load_registry(settings, Path.cwd())
    ports = choose_ports(
        settings,
        api=_chosen(api_port, settings.api_port) if api else None,
        flower=_chosen(flower_port, settings.flower_port) if flower else None,
    )
    telling = JsonLines() if as_json else Lines()
    file = None if ready_file is None else ReadyFile(ready_file)
    with contextlib.ExitStack() as ends:
        ends.enter_context(contextlib.suppress(KeyboardInterrupt))
        ends.enter_context(starting.stops_on_sigterm())
        ends.enter_context(claim.claimed(settings.home))
        if file is not None:
            file.remove()  # one that a killed process left: who waits for it would believe it
        url, server = ends.enter_context(_server(settings))
        plan = _plan(settings, url, registry, ports, workers=workers, concurrency=concurrency)
        ends.enter_context(_shown(plan))
        family = ends.enter_context(_family(telling))
        if file is not None:
            ends.enter_context(file)  # the first thing to go: what it names is about to end
        installation = Installation(plan, server, family, telling)
        with spinner("starting everything"):
            installation.start()
        installation.tell()
        installation.tend(file)


def _chosen(option: int | None, setting: int) -> int:
    """The port that the command line says, 0 too, else the setting."""
    return setting if option is None else option


@contextlib.contextmanager
def _server(settings: Settings) -> Iterator[tuple[str, EmbeddedRedis | None]]:
    """The URL of the server, and the server when it is embedded."""
    from umbel.installation import claim
    from umbel.supervisor import EmbeddedRedis

    if not settings.is_embedded:
        yield settings.store_url, None
        return
    with EmbeddedRedis(settings.home) as server:
        if server.is_shared:
            raise claim.occupied(settings.home)
        yield server.url, server


def _plan(
    settings: Settings, url: str, registry: Registry, ports: Ports, *, workers: int, concurrency: int | None
) -> Plan:
    """What is to run, after a look at the server; the first key is made here."""
    from pydantic import SecretStr

    from umbel import home, preflight
    from umbel.cli.options import user
    from umbel.installation.first_key import first_key
    from umbel.installation.plan import Plan

    complete = settings.model_copy(
        update={
            "redis_url": SecretStr(url),
            "api_port": ports.api or settings.api_port,
            "flower_port": ports.flower or settings.flower_port,
        }
    )
    preflight.check_server(complete)
    login, is_new = home.login_of(settings)
    said = home.told(settings, login, is_new=is_new)
    key = None if ports.api is None else first_key(complete, registry, by=user())
    return Plan(complete, registry, workers, concurrency, ports, login, said, key)


@contextlib.contextmanager
def _shown(plan: Plan) -> Iterator[None]:
    """The env file: what is started by hand beside this, or submits to it, finds everything there."""
    from umbel import home, starting

    more = starting.flower_login(plan.login) if plan.ports.flower else {}
    if plan.api_url is not None and plan.key is not None:
        more |= {starting.CLIENTS_URL: plan.api_url, starting.CLIENTS_KEY: plan.key}
    with home.env_file(plan.settings, more):
        yield


@contextlib.contextmanager
def _family(telling: Telling) -> Iterator[Family]:
    """The children; says that they are being stopped, since that may take as long as their runs' grace."""
    from umbel.supervisor import Family

    with Family() as family:
        try:
            yield family
        finally:
            telling.stopping()
