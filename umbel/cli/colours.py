"""Statuses in colour: the status of a run, a turn or a conversation in, the same word with its colour out.

Green is done, red is lost, yellow waits, cyan goes on. `click.echo` takes the colour off where no terminal is.
"""

from __future__ import annotations

from typing import Final

import click

_COLOURS: Final = {
    "succeeded": "green",
    "done": "green",
    "completed": "green",
    "failed": "red",
    "timed_out": "red",
    "expired": "red",
    "dead": "red",
    "max_rounds": "red",
    "refused": "magenta",
    "denied": "magenta",
    "cancelled": "magenta",
    "cancelling": "magenta",
    "running": "cyan",
    "live": "cyan",
    "ready": "blue",
    "waiting": "yellow",
    "blocked": "yellow",
    "queued": "yellow",
}


def colour(status: str) -> str | None:
    """The name of its colour; None: as it is."""
    return _COLOURS.get(status)


def coloured(status: str) -> str:
    """The word in its colour."""
    found = colour(status)
    return status if found is None else click.style(status, fg=found)
