"""What a stretch of work cost: CPU seconds by process, Redis commands by name, memory of a worker.

In: process ids and a bare connection. Out: the difference between two readings. Linux only for CPU of other
processes and memory (/proc); elsewhere those are zero.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from umbel.bench.raw import Raw

_PROC: Final = Path("/proc")
_OURS: Final = frozenset({"info", "ping"})
"""Commands of the measuring itself."""


@dataclass(frozen=True, slots=True)
class Reading:
    """Counters at one moment, or what they grew by between two."""

    producer: float = 0.0
    """CPU seconds of this process."""
    workers: float = 0.0
    """CPU seconds of the workers, parents and children."""
    server: float = 0.0
    """CPU seconds of Redis, by its own account."""
    scripts: float = 0.0
    """Seconds that Redis spent inside scripts."""
    commands: Counter[str] = field(default_factory=Counter[str])
    """Calls by command, those inside scripts too."""

    def since(self, earlier: Reading) -> Reading:
        """What was used between an earlier reading and this one."""
        return Reading(
            self.producer - earlier.producer,
            self.workers - earlier.workers,
            self.server - earlier.server,
            self.scripts - earlier.scripts,
            self.commands - earlier.commands,
        )

    @property
    def cpu(self) -> float:
        """CPU seconds of all together."""
        return self.producer + self.workers + self.server


async def read(raw: Raw, workers: Sequence[int]) -> Reading:
    """Read all counters now; `workers` are the ids of their parent processes."""
    cpu: dict[str, Any] = await raw.redis.info("cpu")
    stats: dict[str, dict[str, float]] = await raw.redis.info("commandstats")
    named = {name.removeprefix("cmdstat_"): told for name, told in stats.items()}
    return Reading(
        producer=time.process_time(),
        workers=sum(cpu_seconds(each) for worker in workers for each in family(worker)),
        server=cpu["used_cpu_user"] + cpu["used_cpu_sys"],
        scripts=sum(named[name]["usec"] for name in ("evalsha", "eval") if name in named) / 1e6,
        commands=Counter({name: int(told["calls"]) for name, told in named.items() if name not in _OURS}),
    )


def family(pid: int) -> list[int]:
    """A process and its children, as far as they can be seen."""
    try:
        told = (_PROC / str(pid) / "task" / str(pid) / "children").read_text()
    except OSError:
        return [pid]
    return [pid, *(member for child in told.split() for member in family(int(child)))]


def cpu_seconds(pid: int) -> float:
    """User and system time of a process so far."""
    try:
        told = (_PROC / str(pid) / "stat").read_text()
    except OSError:
        return 0.0
    fields = told.rpartition(")")[
        2
    ].split()  # the name before it may hold spaces; fields[0] is field 3 of proc(5)
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def pss_mib(pids: Iterable[int]) -> float:
    """Proportional memory of these processes together, MiB; what they share is counted once."""
    total = 0
    for pid in pids:
        try:
            told = (_PROC / str(pid) / "smaps_rollup").read_text()
        except OSError:
            continue
        total += next((int(line.split()[1]) for line in told.splitlines() if line.startswith("Pss:")), 0)
    return total / 1024
