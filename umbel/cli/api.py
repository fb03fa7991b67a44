"""`umbel api`: settings in, one process of the HTTP API in the foreground out, until Ctrl-C or SIGTERM.

Its first line says where it listens, once it answers; its log goes to stderr. More of them may run side by side behind
a load balancer: all they know stands in the store.
"""

from __future__ import annotations

import asyncio
import logging
import resource
import sys
from contextlib import suppress
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

if TYPE_CHECKING:
    from actions.registry import Registry
    from orchestrator.settings import Settings

_FILES: Final = 65_536
"""Open files that are enough for every stream that may be allowed."""


@click.command()
@click.option("--host", help="The address to listen on; UMBEL_API_HOST when not given.")
@click.option(
    "--port", "-p", type=click.IntRange(0, 65535), help="The port, 0 for any free one; else UMBEL_API_PORT."
)
@click.option("--insecure", is_flag=True, help="Without keys, for everybody on this machine; loopback only.")
def api(host: str | None, port: int | None, *, insecure: bool) -> None:
    """Start one process of the HTTP API.

    Requests need a key: `umbel keys create`. Told to stop, it refuses new work, ends streams and waits, and gives
    what is in flight UMBEL_GRACE to end; told twice, it ends at once.
    """
    from umbel import extras, preflight

    extras.need("server")
    settings = preflight.reachable_settings(Path.cwd())
    where = settings.api_host if host is None else host
    if insecure:
        _check_insecure(where)
    registry = preflight.load_registry(settings, Path.cwd())
    _take_files()
    asyncio.run(
        _serve(settings, registry, where, settings.api_port if port is None else port, insecure=insecure)
    )


async def _serve(settings: Settings, registry: Registry, host: str, port: int, *, insecure: bool) -> None:
    from actions.errors import PortInUse
    from orchestrator.api.app import create_app
    from orchestrator.api.serving import Served
    from orchestrator.assembly import build

    house = build(settings, registry)
    try:
        try:
            served = Served(
                create_app(house, insecure=insecure),
                host=host,
                port=port,
                grace_s=settings.grace.total_seconds(),
            )
        except OSError as error:
            raise PortInUse(
                f"the API cannot listen on {host}:{port}: {error.strerror or error}",
                fix="Set UMBEL_API_HOST and UMBEL_API_PORT, or --host and --port, to others",
            ) from None
        _log(settings.log_level)
        await served.run(lambda: _tell(host, served.port, insecure=insecure))
    finally:
        await house.close()


def _take_files() -> None:
    """Take as many open files as this user may have: each stream is one, and shells give 1,024 unless asked."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _FILES if hard == resource.RLIM_INFINITY else min(_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _log(level: str) -> None:
    """Write our log to stderr; what the server beneath tells of each connection and each start, we tell ourselves."""
    logging.basicConfig(
        stream=sys.stderr, level=level.upper(), format="%(asctime)s %(levelname)s %(name)s %(message)s"
    )
    for noisy in ("uvicorn.error", "httpx"):
        logging.getLogger(noisy).setLevel(logging.ERROR)


def _tell(host: str, port: int, *, insecure: bool) -> None:
    shown = f"[{host}]" if ":" in host else host
    click.echo(f"umbel api: http://{shown}:{port}")
    if insecure:
        warning = "umbel api: INSECURE: everybody on this machine may do everything here, without a key"
        click.secho(warning, fg="red", err=True)


def _check_insecure(host: str) -> None:
    """Raise ConfigError if others than this machine could come in without a key."""
    from actions.errors import ConfigError

    try:
        loopback = host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        loopback = False
    if not loopback:
        raise ConfigError(
            f"--insecure and the address {host!r:.80} do not go together: others than this machine could come in",
            fix="Leave --insecure out and make a key (umbel keys create), or listen on 127.0.0.1",
        )
