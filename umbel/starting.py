"""How our processes are started: settings in; command lines, environments and signs of life out.

Used by `umbel up`, `worker`, `flower` and `demo`, so that all four start the same programs in the same way as
a person does by hand: Celery's own command line, and everything else in the environment.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import sys
import sysconfig
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from types import FrameType
from typing import Final

from actions.registry import Registry
from orchestrator import turns
from orchestrator.settings import PREFIX, Settings
from umbel.supervisor import Process

HOUSE: Final = Path(__file__).resolve().parent.parent
"""The folder that holds our packages."""
TURNS: Final = turns.QUEUE
"""The queue of the runs that lead turns."""
CLIENTS_KEY: Final = f"{PREFIX}API_KEY"
"""The variable with the key that a client of the API shows: nothing that workers or their handlers need."""
CLIENTS_URL: Final = f"{PREFIX}API_URL"
"""The variable that tells a client where the API is."""

_READY: Final = re.compile(rb"(\S+@\S+) ready\.")


def queues_of(registry: Registry) -> list[str]:
    """The queues of these actions, `actions` first: outside calls come there."""
    others = {action.queue for action in registry.actions} - {"actions", TURNS}
    return ["actions", *sorted(others)]


def environment(settings: Settings, more: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of a child: ours, with exactly these settings in it, and without a key to the API."""
    known = {PREFIX + name.upper() for name in Settings.model_fields} | {CLIENTS_KEY}
    ours = {name: value for name, value in os.environ.items() if name not in known}
    return ours | _python_path() | settings.environ() | dict(more or {})


def worker_command(
    settings: Settings, *, name: str, queues: Iterable[str], concurrency: int | None = None
) -> list[str]:
    """The command line of one Celery worker, as a person would write it."""
    return [
        *_celery("worker"),
        "-Q",
        ",".join(queues),
        "-c",
        f"{concurrency or settings.concurrency}",
        "-n",
        name if "@" in name else f"{name}@%h",
        "-l",
        settings.log_level,
        "--without-mingle",
        "--without-gossip",
    ]


def api_command() -> list[str]:
    """The command line of the HTTP API; where it listens is in the environment, as all settings are."""
    return [sys.executable, "-m", "umbel", "api"]


def flower_command(port: int) -> list[str]:
    """The command line of Flower on the loopback interface; its login is in the environment (`flower_login`)."""
    return [*_celery("flower"), "--address=127.0.0.1", f"--port={port}"]


def flower_login(login: str) -> dict[str, str]:
    """What tells Flower who may open it: in the environment, since anybody can read a command line."""
    return {"FLOWER_BASIC_AUTH": login}


def wait_until_ready(signs: Iterable[Sign], within: timedelta = timedelta(seconds=30)) -> None:
    """Wait for workers that were started just now.

    Raises:
        OperatorError: one has ended, or is not ready in time; the message holds its last lines.
    """
    limit = time.monotonic() + within.total_seconds()
    for sign in signs:
        left = timedelta(seconds=max(0.0, limit - time.monotonic()))
        sign.process.wait_until(lambda sign=sign: sign.node() is not None, left)  # type: ignore[misc]


class Sign:
    """How one sees that a worker is ready: Celery says so in its log, at level info. Make it before the start."""

    def __init__(self, process: Process) -> None:
        self.process = process
        self._after = process.log.stat().st_size if process.log.exists() else 0

    def node(self) -> str | None:
        """The name that Celery gave the worker, once it is ready."""
        with self.process.log.open("rb") as log:
            log.seek(self._after)
            found = _READY.search(log.read())
        return found[1].decode() if found else None


@contextlib.contextmanager
def stops_on_sigterm() -> Iterator[None]:
    """Let SIGTERM and SIGHUP end the block as Ctrl-C does, so that what it started is stopped in order."""

    def stop(number: int, _frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    watched = (signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, stop) for number in watched}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _celery(command: str) -> Sequence[str]:
    return (sys.executable, "-m", "celery", "-A", "workers.main", command)


def _python_path() -> dict[str, str]:
    """Let children find our packages in a checkout that is not installed."""
    if HOUSE in {Path(sysconfig.get_path(kind)).resolve() for kind in ("purelib", "platlib")}:
        return {}
    known = os.environ.get("PYTHONPATH", "")
    paths = [str(HOUSE), *(path for path in known.split(os.pathsep) if path and path != str(HOUSE))]
    return {"PYTHONPATH": os.pathsep.join(paths)}
