"""The catalogue of actions as lines for people: what is known of each in, a table out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

import click

from umbel.cli.plain import plain

_COLUMNS: Final = ("action", "also called", "queue", "limits and locks", "permissions", "a person", "notes")
_WIDE: Final = 40
"""Characters of one cell; JSON has the whole."""


def table(rows: Sequence[dict[str, Any]]) -> Iterator[str]:
    """Two lines for each action: the facts, and what it is for."""
    if not rows:
        yield "There is no action (a model would be offered none)."
        return
    lines = [_COLUMNS, *map(_cells, rows)]
    widths = [max(len(line[at]) for line in lines) for at in range(len(_COLUMNS))]
    for number, cells in enumerate(lines):
        text = "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()
        yield click.style(text, dim=True) if number == 0 else text
        if number and (told := _first_line(rows[number - 1]["description"])):
            yield click.style(f"  {told}", dim=True)


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    return (
        row["name"],
        _joined(row["similes"]),
        row["queue"] if row["priority"] == "normal" else f"{row['queue']} ({row['priority']})",
        _joined([*row["limits"], *row["locks"]]),
        _joined(row["permissions"]),
        {"never": "-", "sometimes": "may be asked", "always": "is asked"}[row["approval"]],
        _joined(_notes(row)),
    )


def _notes(row: dict[str, Any]) -> Iterator[str]:
    if row["user_only"]:
        yield "for people only"
    if row["evaluates"]:
        yield f"evaluates ({row['evaluates']})"
    if row["chain_only"]:
        yield "in chains only"
    if row["isolated"]:
        yield "own process"
    if row["undoable"]:
        yield "can be undone"
    if row["may_transition"]:
        yield "moves the state"
    if row["depends_on"]:
        yield f"after {', '.join(row['depends_on'])}"


def _joined(words: Any) -> str:
    return _cut(", ".join(words)) or "-"


def _first_line(text: str) -> str:
    lines = text.strip().splitlines()
    return plain(lines[0]) if lines else ""


def _cut(text: str) -> str:
    return text if len(text) <= _WIDE else f"{text[: _WIDE - 1]}…"
