"""`umbel flower`: settings in, Flower on the loopback interface out, with a login.

It becomes Celery (exec). Without UMBEL_FLOWER_AUTH the login is made once and kept in the home folder.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click


@click.command()
@click.option(
    "--port",
    "-p",
    type=click.IntRange(0, 65535),
    help="The port, 0 for any free one; else UMBEL_FLOWER_PORT.",
)
def flower(port: int | None) -> None:
    """Start Flower on the loopback interface."""
    from umbel import extras, home, preflight, starting
    from umbel.installation.plan import choose_ports

    extras.need("worker")
    settings = preflight.reachable_settings(Path.cwd())
    wanted = settings.flower_port if port is None else port
    chosen = choose_ports(settings, api=None, flower=wanted).flower or wanted
    login, is_new = home.login_of(settings)
    click.echo(f"Flower: http://127.0.0.1:{chosen}, {home.told(settings, login, is_new=is_new)}")
    sys.stdout.flush()
    command = starting.flower_command(chosen)
    more = starting.flower_login(login)
    os.execve(command[0], command, starting.environment(settings, more))  # noqa: S606 - no shell is wanted
