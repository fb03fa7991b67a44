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
    "--port", "-p", type=click.IntRange(1, 65535), help="The port; UMBEL_FLOWER_PORT when not given."
)
def flower(port: int | None) -> None:
    """Start Flower on the loopback interface."""
    from umbel import home, preflight, starting

    settings = preflight.reachable_settings(Path.cwd())
    chosen = port or settings.flower_port
    preflight.check_port(chosen)
    login, is_new = home.login_of(settings)
    click.echo(f"Flower: http://127.0.0.1:{chosen}, {home.told(settings, login, is_new=is_new)}")
    sys.stdout.flush()
    command = starting.flower_command(chosen)
    more = starting.flower_login(login)
    os.execve(command[0], command, starting.environment(settings, more))  # noqa: S606 - no shell is wanted
