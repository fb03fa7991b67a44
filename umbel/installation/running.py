"""Runs what is planned: a plan in; its programs started, ready, looked after, and started again when they die.

The server that comes along is started before (its URL is part of the plan) and outlives the family of the others: they
stop in order, the last started first, and the server after them.
"""

from __future__ import annotations

import os
import time
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from umbel import starting
from umbel.installation import gates
from umbel.installation.plan import API, FLOWER, REDIS, parts, plain_commands
from umbel.supervisor import Process

if TYPE_CHECKING:
    from umbel.installation.plan import Part, Plan
    from umbel.installation.ready_file import ReadyFile
    from umbel.installation.telling import Telling
    from umbel.supervisor import EmbeddedRedis, Family

_TEND_EVERY_S: Final = 0.5
_SPARE: Final = timedelta(seconds=5)
"""What a program has to end in, beyond the grace that runs have."""
_SAY_READY: Final = frozenset({"debug", "info"})
"""With other log levels workers do not say when they are ready; the API knows it all the same."""


class Installation:
    """The programs of one plan."""

    def __init__(self, plan: Plan, server: EmbeddedRedis | None, family: Family, telling: Telling) -> None:
        """Describe it; `start` starts it.

        Args:
            plan: what is to run.
            server: the server that came along, started; None: it is the user's own.
            family: where the children belong; whoever made it stops it.
            telling: who is told.
        """
        self._plan = plan
        self._server = server
        self._family = family
        self._telling = telling
        self._known: dict[str, int] = {}

    @property
    def pids(self) -> dict[str, int]:
        """The processes by name: the programs themselves, not their guards."""
        found = {"umbel": os.getpid()}
        if self._server is not None and self._server.process is not None:
            found[REDIS] = self._server.process.pid
        return found | {process.name: process.pid for process in self._family}

    def start(self) -> None:
        """Start everything at once, and come back when all of it is ready.

        Raises:
            OperatorError: one of them ends, or is not ready in time; the message says why.
        """
        waiting: list[gates.Gate] = []
        for part in parts(self._plan):
            process = self._process(part)
            sign = starting.Sign(process)  # before its start: it looks at what the log says from now on
            self._family.add(process)
            waiting += self._gates(part.name, process, sign)
        gates.wait_for(waiting)

    def tell(self) -> None:
        """Say that all of it runs, and by which commands."""
        commands = plain_commands(self._plan, self._server)
        self._telling.ready(self._plan, commands, embedded=self._server is not None)

    def tend(self, ready_file: ReadyFile | None) -> None:
        """Look after all of it until interrupted: what ends by itself is told and started again.

        The ready file, if there is one, names the new process as soon as all is ready again.
        """
        self._known = self.pids
        if ready_file is not None:
            ready_file.write(self._plan, self._known)
        written = self._known
        while True:
            time.sleep(_TEND_EVERY_S)
            self._tend_once()
            if ready_file is not None and self._known != written and self._is_ready(written):
                ready_file.write(self._plan, self._known)
                written = self._known

    def _tend_once(self) -> None:
        server = self._server
        if server is not None and server.process is not None and not server.process.is_alive:
            self._telling.ended(REDIS, server.process.returncode, server.log)
            server.start()
        for process in self._family.tend():
            self._telling.ended(process.name, process.returncode, process.log)
        now = self.pids
        for name, pid in now.items():
            if pid and pid != self._known.get(name):
                self._telling.restarted(name, pid)
        self._known = now

    def _is_ready(self, before: dict[str, int]) -> bool:
        """Whether those that were started anew since then are there and, if it is the API, serve."""
        if not all(self._known.values()):
            return False
        url = self._plan.api_url
        return url is None or self._known[API] == before[API] or not gates.asked(f"{url}/livez").why

    def _gates(self, name: str, process: Process, sign: starting.Sign) -> list[gates.Gate]:
        """What has to be so before this one is ready."""
        if name == API:
            forgive = self._telling.warn if self._server is None else None
            return [gates.api_gate(process, str(self._plan.api_url), forgive=forgive)]
        if name == FLOWER:
            return [gates.web_gate(process, f"{self._plan.flower_url}/healthcheck")]
        return [gates.worker_gate(sign)] if self._plan.settings.log_level in _SAY_READY else []

    def _process(self, part: Part) -> Process:
        settings = self._plan.settings
        return Process(
            part.name,
            part.command,
            log=settings.home / "logs" / f"{part.name}.log",
            env=starting.environment(settings, part.more),
            cwd=Path.cwd(),
            grace=settings.grace + _SPARE,
        )
