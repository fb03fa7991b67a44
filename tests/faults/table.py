"""The figures of all scenarios as one table."""

from __future__ import annotations

from collections.abc import Sequence

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from faults.figures import Figures

COLUMNS = (
    "runs",
    "faults",
    "lost",
    "doubled",
    "attempts",
    "again",
    "p50 s",
    "p99 s",
    "max s",
    "took s",
    "holds",
)


def show(rows: Sequence[Figures], console: Console | None = None) -> None:
    """Print it."""
    table = Table("scenario", title="Faults", title_justify="left", box=SIMPLE, pad_edge=False)
    for name in COLUMNS:
        table.add_column(name, justify="right", no_wrap=True)
    for row in rows:
        times = ["-"] * 3 if row.recovery_s is None else [f"{value:.2f}" for value in row.recovery_s]
        counts = (row.runs, row.faults, row.lost, row.doubled, row.attempts, row.again)
        holds = f"{len(row.findings)} findings" if row.findings else "all"
        table.add_row(
            row.scenario, *(f"{count:,}" for count in counts), *times, f"{row.duration_s:.0f}", holds
        )
    (console or Console(width=120)).print(table)
