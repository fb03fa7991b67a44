"""How lines for people are laid out: names and values in, lines with the values below each other out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Final

from pydantic_core import to_json

from umbel.cli.plain import plain

_SHOWN: Final = 300
"""Characters of a value that are shown; JSON has the whole."""


def pairs(told: Mapping[str, str | None]) -> Iterator[str]:
    """A line for each that has a value."""
    for name, value in told.items():
        if value:
            yield pair(name, value)


def pair(name: str, value: str) -> str:
    """One name and its value."""
    return f"  {name:<15}{value}"


def moment(at: datetime) -> str:
    """A point in time, in this machine's zone."""
    return at.astimezone().strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]


def moment_or_none(at: datetime | None) -> str | None:
    """The same of what may never have been."""
    return None if at is None else moment(at)


def short(value: object) -> str:
    """A value as JSON, cut if it is long."""
    text = plain(to_json(value).decode())
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}… (--json shows all)"
