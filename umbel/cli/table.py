"""Rows below each other: columns and cells in, lines of a table for people out.

A cell is a text, or a text and its colour. Nothing is cut or wrapped: ids have to stay whole, and `grep` likes lines.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import click

Cell = str | tuple[str, str | None]
"""A text, or a text and the name of its colour (None: as it is)."""


def table(columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Iterator[str]:
    """The lines of a table, its head first."""
    cells = [[_plain(cell) for cell in row] for row in rows]
    widths = [max(len(row[at][0]) for row in [_head(columns), *cells]) for at in range(len(columns))]
    yield click.style(_line(_head(columns), widths), dim=True)
    for row in cells:
        yield _line(row, widths)


def _head(columns: Sequence[str]) -> list[tuple[str, str | None]]:
    return [(column, None) for column in columns]


def _plain(cell: Cell) -> tuple[str, str | None]:
    return (cell, None) if isinstance(cell, str) else cell


def _line(row: Sequence[tuple[str, str | None]], widths: Sequence[int]) -> str:
    last = len(row) - 1
    padded = [
        (text if at == last else text.ljust(width), colour)
        for at, ((text, colour), width) in enumerate(zip(row, widths, strict=True))
    ]
    return "  ".join(
        text if colour is None else click.style(text, fg=colour) for text, colour in padded
    ).rstrip()
