"""Several children that belong together: processes in, all of them alive (or all of them stopped) out.

One that ends by itself is started again, with a wait that doubles while it keeps ending; they stop
together, the last started first, within the longest grace among them.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Self

from umbel.supervisor.process import Process

_FIRST_WAIT = 0.5
_LONGEST_WAIT = 15.0
_STEADY = 30.0


@dataclass(slots=True)
class _Member:
    process: Process
    restart: bool
    started: float = 0.0
    wait: float = _FIRST_WAIT
    due: float | None = None


class Family:
    """Children under one roof. Call `tend` about once a second; leave the `with` block to stop them all."""

    def __init__(self) -> None:
        self._members: list[_Member] = []

    def add(self, process: Process, *, restart: bool = True) -> Process:
        """Start a child; when it ends by itself, start it again unless `restart` is false."""
        self._members.append(_Member(process.start(), restart, started=time.monotonic()))
        return process

    def __iter__(self) -> Iterator[Process]:
        return (member.process for member in self._members)

    def tend(self) -> list[Process]:
        """Look after everyone once; those that were found to have ended since the last time."""
        now = time.monotonic()
        return [member.process for member in self._members if _tend(member, now)]

    def stop(self) -> None:
        """Stop them all, the last started first; returns when none runs."""
        for member in reversed(self._members):
            member.process.terminate()
        limit = time.monotonic() + max((m.process.grace.total_seconds() for m in self._members), default=0)
        for member in reversed(self._members):
            member.process.stop(within=timedelta(seconds=max(0.0, limit - time.monotonic())))
        self._members.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def _tend(member: _Member, now: float) -> bool:
    """Whether the child has ended since it was last looked at."""
    if member.process.is_alive:
        return False
    if member.due is None:
        if now - member.started > _STEADY:
            member.wait = _FIRST_WAIT
        member.due = now + member.wait
        member.wait = min(member.wait * 2, _LONGEST_WAIT)
        return True
    if member.restart and now >= member.due:
        member.process.start()
        member.started, member.due = now, None
    return False
