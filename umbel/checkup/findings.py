"""What is said of one thing that was looked at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

EX_UNAVAILABLE: Final = 69
"""Something that has to be there does not serve (as in sysexits.h)."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    name: str
    """What was looked at; stable, for scripts."""
    state: Literal["ok", "warning", "problem"]
    """`problem`: nothing can run like this. `warning`: it runs, and something may be lost, misread or left undone."""
    text: str
    """What was found, and for anything but `ok` what to do."""
    exit_code: int = 0
    """What the command ends with when this is the worst that was found."""


def ok(name: str, text: str) -> Finding:
    """It is as it should be."""
    return Finding(name, "ok", text)


def warning(name: str, text: str) -> Finding:
    """It runs, but."""
    return Finding(name, "warning", text)


def problem(name: str, text: str, exit_code: int = EX_UNAVAILABLE) -> Finding:
    """Nothing can run like this."""
    return Finding(name, "problem", text, exit_code)
