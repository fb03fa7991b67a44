"""What is compared, and with which aim: samples of both sides in, medians, ratios and verdicts out.

Only figures of one run compare: a ratio is the median of the rounds' own ratios, each between two stretches that ran
one after the other on the same machine.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from statistics import median
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from umbel.bench.meters import Reading


class Workload(StrEnum):
    """What can be asked for alone."""

    W1 = "w1"
    W2 = "w2"
    W3 = "w3"


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table."""

    key: str
    """Its name in the JSON document."""
    title: str
    """Its name for people."""
    workload: Workload
    """What is measured."""
    unit: Literal["/s", "ms", "s"]
    """A rate (more is better) or a time (less is better)."""
    aim: float
    """The ratio to the floor that we aim for: at least for a rate, at most for a time."""
    alarm: float | None = None
    """The ratio that says that something is wrong at the core."""


FIGURES: Final = (
    Figure("w1_batched", "W1 actions, 64 a trip", Workload.W1, "/s", 0.5),
    Figure("w1_single", "W1 actions, one a trip", Workload.W1, "/s", 0.9),
    Figure("w1_idle", "W1 idle, p50", Workload.W1, "ms", 1.3),
    Figure("w2", "W2 turns", Workload.W2, "/s", 0.5, alarm=0.3),
    Figure("w2_idle", "W2 idle, p50", Workload.W2, "ms", 1.3),
    Figure("w3", "W3 guarded waits", Workload.W3, "s", 1.2),
    Figure("guards", "W3 lock and limit, no wait", Workload.W3, "/s", 0.5),
)
COMMANDS: Final = {"w1_batched": 8.0, "w2": 80.0}
"""Redis commands that one action, and one turn of 8 calls, may cost."""
_SEEN: Final = 0.01
"""Commands for one below which a command is noise."""
W3_RUNS: Final = 1_000
"""Runs of W3, five to a room."""
W3_ROOMS: Final = 200
"""Rooms of W3: one of its runs at a time in each."""
W3_WAIT_MS: Final = 50
"""How long each of them waits; with five to a room nobody can be done in less than 0.25 s."""
CALLS: Final = 8
"""Calls of a W2 reply that the aim for its commands holds for."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One side's figure in one round."""

    value: float
    """In the figure's unit."""
    tail: float | None = None
    """For a time: the 99th percentile."""
    count: int = 0
    """Actions or turns that `load` stands for."""
    load: Reading | None = None
    """What it cost; not of those that were taken one at a time."""


@dataclass(slots=True)
class Pair:
    """All samples of one figure, round by round."""

    figure: Figure
    """Which."""
    floor: list[Sample] = field(default_factory=list[Sample])
    """Of the floor."""
    ours: list[Sample] = field(default_factory=list[Sample])
    """Of Umbel, in the same order; empty when only the floor was measured."""

    @property
    def ratio(self) -> float | None:
        """Ours by the floor's, median of the rounds."""
        ratios = [mine.value / theirs.value for mine, theirs in zip(self.ours, self.floor, strict=False)]
        return median(ratios) if ratios else None

    @property
    def is_met(self) -> bool | None:
        """Whether the aim is reached; None when there is nothing to compare."""
        ratio = self.ratio
        if ratio is None:
            return None
        return ratio >= self.figure.aim if self.figure.unit == "/s" else ratio <= self.figure.aim

    @property
    def alarms(self) -> bool:
        """Whether the figure is so low that the core has to be looked at."""
        ratio = self.ratio
        return ratio is not None and self.figure.alarm is not None and ratio < self.figure.alarm


def middle(samples: list[Sample]) -> Sample | None:
    """The sample in the middle (of an even number the lower one), None if there is none."""
    ranked = sorted(samples, key=lambda sample: sample.value)
    return ranked[(len(ranked) - 1) // 2] if ranked else None


def percentile(values: list[float], share: float) -> float:
    """The value below which this share of all values lies (nearest rank)."""
    ranked = sorted(values)
    return ranked[min(len(ranked) - 1, int(len(ranked) * share))]


def per_unit(samples: list[Sample]) -> dict[str, float]:
    """Commands for one action or turn by name, median of the rounds, most frequent first; nothing below 0.01."""
    rows = [
        {name: calls / sample.count for name, calls in sample.load.commands.items()}
        for sample in samples
        if sample.load is not None
    ]
    names = {name for row in rows for name in row}
    found = {name: median(row.get(name, 0.0) for row in rows) for name in names}
    return {
        name: found[name]
        for name in sorted(found, key=found.__getitem__, reverse=True)
        if found[name] >= _SEEN
    }


def cpu_per_thousand(samples: list[Sample]) -> dict[str, float]:
    """CPU seconds for 1,000 actions or turns by process, median of the rounds."""
    loads = [(sample.count, sample.load) for sample in samples if sample.load is not None]
    if not loads:
        return {}
    return {
        part: median(getattr(load, part) * 1000 / count for count, load in loads)
        for part in ("producer", "workers", "server", "scripts")
    }
