"""`umbel worker`: options in, one Celery worker in the foreground out.

It becomes Celery (exec), so that signals, the exit code and `ps` are those of `celery -A workers.main worker`;
before that it says in one line what would only come as a traceback, or as a wait without end.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click


@click.command()
@click.option(
    "--queues", "-Q", default="", help="Queues, comma separated; all that the actions need, and turns."
)
@click.option("--concurrency", "-c", type=click.IntRange(1, 1024), help="Processes, each with one pump.")
@click.option("--name", "-n", help="Its name in Flower and in logs; unique among all workers.")
def worker(queues: str, concurrency: int | None, name: str | None) -> None:
    """Start one Celery worker.

    The same as `celery -A workers.main worker`, after a look at the settings, your actions and the server.
    """
    from umbel import extras, preflight, starting

    extras.need("worker")
    settings = preflight.reachable_settings(Path.cwd())
    registry = preflight.load_registry(settings, Path.cwd())
    chosen = [queue for queue in (part.strip() for part in queues.split(",")) if queue]
    command = starting.worker_command(
        settings,
        name=name or f"worker-{os.getpid()}",  # the number stays when we become Celery
        queues=chosen or [*starting.queues_of(registry), starting.TURNS],
        concurrency=concurrency,
    )
    sys.stdout.flush()
    os.execve(command[0], command, starting.environment(settings))  # noqa: S606 - no shell is wanted
