"""What a scenario showed, in figures: a case and its faults in, one row of a table out. Pure."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any, Final

from faults.case import Case, Fault, Finding
from faults.history import Entry

MEANING: Final = (
    "again: attempts that followed one which was broken off. Recovery: seconds from the moment at which it was broken\n"
    "off (its process was killed, stopped, or not heard of any more) to the start of the next one of the same run;\n"
    "where no process was hurt, from the end of the fault to the next start at all."
)


@dataclass(frozen=True, slots=True)
class Figures:
    """One scenario's row."""

    scenario: str
    """Its name."""
    runs: int
    """Runs that were accepted."""
    faults: int
    """How often something was hurt."""
    lost: int
    """Of the runs: without a record, or not terminal."""
    doubled: int
    """Of the runs: told or applied more than once, or changed after their end."""
    attempts: int
    """Handlers that began."""
    again: int
    """Of these: because an earlier attempt was broken off."""
    recovery_s: tuple[float, float, float] | None
    """p50, p99 and max; see `MEANING`. None if nothing had to recover."""
    duration_s: float
    """From the first run to the last end."""
    findings: tuple[Finding, ...]
    """All that does not hold; empty if all is well."""

    def document(self) -> dict[str, Any]:
        """As JSON, for programs."""
        p50, p99, longest = self.recovery_s or (None, None, None)
        return asdict(self) | {"recovery_s": {"p50": p50, "p99": p99, "max": longest}}


def measure(
    scenario: str, case: Case, faults: Sequence[Fault], findings: Sequence[Finding], duration_s: float
) -> Figures:
    """Reckon up a scenario."""
    times, again = recoveries(case.entries, faults)
    counts = {rule: sum(finding.rule == rule for finding in findings) for rule in ("lost", "doubled")}
    return Figures(
        scenario=scenario,
        runs=len(case.asked),
        faults=len(faults),
        lost=counts["lost"],
        doubled=counts["doubled"],
        attempts=sum(entry.kind == "start" for entry in case.entries),
        again=again,
        recovery_s=(share(times, 0.5), share(times, 0.99), max(times)) if times else None,
        duration_s=round(duration_s, 1),
        findings=tuple(findings),
    )


def recoveries(entries: Sequence[Entry], faults: Sequence[Fault]) -> tuple[list[float], int]:
    """All recovery times in seconds, and how many attempts followed one that was broken off."""
    starts: dict[str, list[Entry]] = defaultdict(list)
    ends: dict[tuple[str, int], Entry] = {}
    for entry in entries:
        if entry.kind == "start":
            starts[entry.run].append(entry)
        else:
            ends[entry.run, entry.fence] = entry
    signs = _signs(entries)
    times, again = [], 0
    for attempts in starts.values():
        attempts.sort(key=lambda start: start.fence)
        for start, following in pairwise(attempts):
            end = ends.get((start.run, start.fence))
            if end is not None and end.how in {"again", "raised"}:
                continue
            again += 1
            since = _broken_at(start, end, following, faults) or _last_sign(signs[start.pid], following)
            times.append(round((following.at_ms - since) / 1000, 3))
    everywhere = sorted(entry.at_ms for entry in entries if entry.kind == "start")
    for fault in faults:
        if not fault.pids:
            over = fault.until_ms or fault.at_ms
            times += [round((at - over) / 1000, 3) for at in everywhere if at >= over][:1]
    return times, again


def _broken_at(start: Entry, end: Entry | None, following: Entry, faults: Sequence[Fault]) -> float | None:
    """When the fault struck that took this attempt's process, else when its handler ended (for nothing)."""
    struck = [f.at_ms for f in faults if start.pid in f.pids and start.at_ms <= f.at_ms <= following.at_ms]
    if struck:
        return struck[0]
    return end.at_ms if end is not None and end.at_ms <= following.at_ms else None


def _signs(entries: Sequence[Entry]) -> dict[int, list[int]]:
    """When each process wrote something."""
    signs: dict[int, list[int]] = defaultdict(list)
    for entry in entries:
        signs[entry.pid].append(entry.at_ms)
    return signs


def _last_sign(signs: list[int], following: Entry) -> int:
    """When a process that ended by itself was last heard of: just before."""
    return signs[bisect_right(signs, following.at_ms) - 1]


def share(values: Sequence[float], part: float) -> float:
    """The value that this part of them does not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(part * len(ordered)) - 1)]
