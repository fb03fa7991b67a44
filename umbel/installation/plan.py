"""What is to run: settings, ports and the actions in; each program, and the plain command that it is, out.

No secret stands in a command: passwords, keys and logins are in the environment of a child and, for another terminal,
in the env file of the home folder.
"""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from actions.errors import PortInUse
from orchestrator.settings import PREFIX
from umbel import starting
from umbel.supervisor.ports import LOOPBACK, free_port, trouble

if TYPE_CHECKING:
    from actions.registry import Registry
    from orchestrator.settings import Settings
    from umbel.supervisor import EmbeddedRedis

API: Final = "api"
"""What the HTTP API is called among the programs."""
FLOWER: Final = "flower"
"""What Flower is called."""
REDIS: Final = "redis"
"""What the embedded server is called."""

_ANY_ADDRESS: Final = frozenset({"", "0.0.0.0", "::", "*"})  # noqa: S104 - read, not listened on


@dataclass(frozen=True, slots=True)
class Ports:
    """Where the servers for people and services listen."""

    api: int | None
    """The API's port; None: no API."""
    flower: int | None
    """Flower's port; None: no Flower."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to run."""

    settings: Settings
    """How it was started; the server's URL and the chosen ports are in it."""
    registry: Registry
    """The actions."""
    workers: int
    """How many workers for the actions."""
    concurrency: int | None
    """Processes of each; None: as the settings say."""
    ports: Ports
    """Where API and Flower listen."""
    login: str
    """Who may open Flower, as user:password."""
    login_told: str
    """What is said of that."""
    key: str | None = field(default=None, repr=False)
    """The first key of the API; None: no API."""

    @property
    def api_url(self) -> str | None:
        """Where the API is, for programs on this machine."""
        return None if self.ports.api is None else f"http://{_reachable(self.settings)}:{self.ports.api}"

    @property
    def flower_url(self) -> str | None:
        """Where Flower is."""
        return None if self.ports.flower is None else f"http://{LOOPBACK}:{self.ports.flower}"


@dataclass(frozen=True, slots=True)
class Part:
    """One program of it."""

    name: str
    """What it is called: in the ready file, and by its log."""
    command: tuple[str, ...]
    """Its command line."""
    more: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    """What stands in its environment beside the settings."""


def choose_ports(settings: Settings, *, api: int | None, flower: int | None) -> Ports:
    """The ports that are asked for, any free one for 0; None stays None.

    Raises:
        PortInUse: one is taken, or both are the same; all of that in one line.
    """
    wanted = {
        "the API": (api, settings.api_host, f"{PREFIX}API_PORT"),
        "Flower": (flower, LOOPBACK, f"{PREFIX}FLOWER_PORT"),
    }
    wrong = {
        variable: f"port {port}, meant for {name}, is {why}"
        for name, (port, host, variable) in wanted.items()
        if port and (why := trouble(port, host))
    }
    if not wrong and api and api == flower:
        wrong = {f"{PREFIX}FLOWER_PORT": f"port {api} is meant for both the API and Flower"}
    if wrong:
        raise PortInUse(
            "; ".join(wrong.values()), fix=f"Set {' and '.join(wrong)} to another; 0 takes any free one"
        )
    chosen_api = _any_but(flower) if api == 0 else api
    return Ports(chosen_api, _any_but(chosen_api) if flower == 0 else flower)


def parts(plan: Plan) -> list[Part]:
    """The programs to start, in the order in which they are started."""
    queues = starting.queues_of(plan.registry)
    served = {f"worker-{number + 1}": queues for number in range(plan.workers)} | {"turns": [starting.TURNS]}
    found = [
        Part(
            name,
            tuple(
                starting.worker_command(plan.settings, name=name, queues=theirs, concurrency=plan.concurrency)
            ),
        )
        for name, theirs in served.items()
    ]
    if plan.ports.api is not None:
        found.append(Part(API, tuple(starting.api_command())))
    if plan.ports.flower is not None:
        command = tuple(starting.flower_command(plan.ports.flower))
        found.append(Part(FLOWER, command, starting.flower_login(plan.login)))
    return found


def plain_commands(plan: Plan, server: EmbeddedRedis | None) -> dict[str, str]:
    """By each program's name the line that a person can copy, once the env file was read there."""
    process = server.process if server is not None else None
    told = {} if process is None else {REDIS: shlex.join(process.command)}
    return told | {part.name: _plain(part.command) for part in parts(plan)}


def _plain(command: tuple[str, ...]) -> str:
    """A command line as a person writes it: the scripts beside our Python are on the PATH of the env file."""
    if command[:2] == (sys.executable, "-m") and os.access(
        Path(sys.executable).with_name(command[2]), os.X_OK
    ):
        command = command[2:]
    return shlex.join(command)


def _any_but(taken: int | None) -> int:
    while (port := free_port()) == taken:
        continue
    return port


def _reachable(settings: Settings) -> str:
    """The host part of a URL under which a program on this machine finds the API."""
    host = settings.api_host
    if host in _ANY_ADDRESS:
        return LOOPBACK
    return f"[{host}]" if ":" in host else host
