"""`python benchmarks/intake.py`: how fast replies are read, from 1 kB to 1 MB, in each format, and hostile ones too.

In: the table of replies that the tests read. Out: a table (or one JSON document) of times, MB/s and the ratio to the
least that could be done with as many bytes in the same run. What grows faster than its reply is marked.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "orchestrator" / "intake")]

from cases import families  # noqa: E402 - the table of replies stands beside the tests
from intake_grown import Way, ways  # noqa: E402
from intake_hostile import hostile  # noqa: E402
from rich.box import SIMPLE  # noqa: E402
from rich.console import Console  # noqa: E402
from rich.progress import Progress  # noqa: E402
from rich.table import Table  # noqa: E402

from orchestrator.intake import read  # noqa: E402
from orchestrator.intake.incoming import StreamReader  # noqa: E402

SIZES = (1_000, 10_000, 100_000, 1_000_000)
QUICK = (10_000, 100_000, 1_000_000)
AIM_MS = 100.0
"""A well-formed reply of the largest size is read in less."""
STEEP = 3.0
"""Times the time for each byte at 100 kB that a byte at 1 MB may take; more is not linear."""
_ENOUGH = 0.15
"""Seconds after which a time is believed without another try."""
_TRIES = 7
_PIECE = 64
"""Bytes that come at once, where a reply is read while it comes."""


@dataclass
class Row:
    """One way of growing, at every size."""

    way: Way
    ms: list[float] = field(default_factory=list)
    """The shortest time for each size."""
    floor_ms: float = 0.0
    """The least, for the largest size: `json.loads` for a body, `str.split` for a text."""
    bytes: list[int] = field(default_factory=list)
    """What was read, for each size."""
    calls: int = 0
    """Calls that may run, at the largest size."""

    @property
    def hostile(self) -> bool:
        """Whether nobody would write it in good faith."""
        return "hostile" in self.way.family or self.way.what.startswith("hostile")

    @property
    def steep(self) -> float:
        """How many times as long a byte takes at the largest size as it does at the one before."""
        each = [ms / size for ms, size in zip(self.ms, self.bytes, strict=True)]
        return each[-1] / each[-2]

    @property
    def flag(self) -> str:
        """What is wrong with it; empty if nothing is."""
        if self.steep > STEEP and self.ms[-1] > AIM_MS / 10:
            return "not linear"
        per_mb = self.ms[-1] / self.bytes[-1] * 1e6
        whole = not (self.hostile or self.way.pieces)
        return "slow" if whole and per_mb > AIM_MS else ""

    def told(self) -> dict[str, Any]:
        """The row for programs."""
        return {
            "format": self.way.family, "what": self.way.what, "hostile": self.hostile, "bytes": self.bytes,
            "ms": [round(each, 3) for each in self.ms], "mb_per_s": round(self.bytes[-1] / self.ms[-1] / 1e3, 1),
            "floor_ms": round(self.floor_ms, 3), "ratio": round(self.ms[-1] / self.floor_ms, 2),
            "steep": round(self.steep, 2), "calls": self.calls, "flag": self.flag,
        }  # fmt: skip


def shortest(work: Callable[[], Any]) -> float:
    """The shortest of several tries, in ms of this process's own CPU time: neighbours do not count."""
    best, spent = float("inf"), 0.0
    for _ in range(_TRIES):
        started = time.process_time()
        work()
        took = time.process_time() - started
        best, spent = min(best, took), spent + took
        if spent > _ENOUGH:
            break
    return best * 1e3


def floor(text: str) -> float:
    """The least that could be done with a text: parse it, where it is JSON, else cut it into words."""
    if text[:1] in {"{", "["}:
        try:
            json.loads(text)
        except (ValueError, RecursionError):
            pass
        else:
            return shortest(lambda: json.loads(text))
    return shortest(text.split)


def in_pieces(raw: bytes) -> None:
    """Read a reply while it comes."""
    reader = StreamReader()
    for at in range(0, len(raw), _PIECE):
        reader.feed(raw[at : at + _PIECE])
    reader.close()


def measure(way: Way, sizes: tuple[int, ...]) -> Row:
    """One row."""
    row = Row(way)
    for size in sizes:
        text = way.make(size)
        raw = text.encode()
        row.bytes.append(len(raw))
        row.ms.append(shortest(lambda raw=raw: in_pieces(raw) if way.pieces else read(raw)))
    row.floor_ms = floor(text)
    row.calls = sum(not one.malformed for one in read(raw).calls)
    return row


def chosen(only: str, seen: Callable[[str], None]) -> Iterator[Way]:
    """All ways, or those whose format or description holds a word."""
    known = [each for each in families() if only in each.name] or families()
    for each in known:
        seen(each.name)
        grown = [way for way in ways(each) if only in way.family]
        yield from grown
        yield from (replace(way, what=f"{way.what}, as it comes", pieces=True) for way in grown[:1])
    yield from (way for way in hostile(known, seen) if only in way.family + way.what)


def show(rows: list[Row], sizes: tuple[int, ...], console: Console) -> None:
    """Print the table and what is to be looked at."""
    table = Table(box=SIMPLE, pad_edge=False)
    table.add_column("format", no_wrap=True)
    table.add_column("what grows", max_width=44, no_wrap=True)
    for name in (*(f"{size // 1000:,} kB" for size in sizes), "MB/s", "ratio", "calls"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("", style="yellow")
    for row in rows:
        told = row.told()
        times = [f"{each:.2f}" if each < AIM_MS else f"{each:.0f}" for each in row.ms]
        cells = [*times, f"{told['mb_per_s']:g}", f"{told['ratio']:.1f}", str(row.calls), row.flag]
        table.add_row(row.way.family, row.way.what.replace("[", "\\["), *cells)
    console.print("Times in ms; ratio: to json.loads of the same body, or str.split of the same text.")
    console.print(table)
    flagged = sum(bool(row.flag) for row in rows)
    console.print(
        f"{len(rows)} ways of growing, {flagged} to look at" if flagged else f"{len(rows)} ways, all well"
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("only", nargs="?", default="", help="a format, or a part of its name")
    parser.add_argument("--quick", action="store_true", help="without 1 kB, and only formats' own rows")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    sizes = QUICK if given.quick else SIZES
    rows: list[Row] = []
    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=None)
        for way in chosen(given.only, lambda name: progress.update(task, description=name)):
            if given.quick and way.family == "hostile":
                break
            progress.update(task, description=f"{way.family}: {way.what[:40]}".replace("[", "\\["), advance=1)
            rows.append(measure(way, sizes))
    if given.json:
        print(json.dumps([row.told() for row in rows], indent=2))
    else:
        show(rows, sizes, Console(width=None if sys.stdout.isatty() else 150))


if __name__ == "__main__":
    main()
