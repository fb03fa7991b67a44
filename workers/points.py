"""Named points on the way of a run, at which tests let a process die.

In: `UMBEL_FAULT_POINTS`, a folder; without it there are none, and nothing is asked on the way. A file there is called
`<point>@<ACTION>`, `<point>@undo.<ACTION>` or `<point>@on_error.<ACTION>`: whoever reaches that point first removes it
and is killed by it.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from workers.flight import Flight

VARIABLE: Final = "UMBEL_FAULT_POINTS"
"""Names the folder; for tests only."""
Point = Literal["after_claim", "before_handle", "after_handle", "before_finish", "after_finish"]
"""Where: the store has given the run; its handler is about to be called, has returned; its end is about to be told, was
told."""


class Points(Protocol):
    """What is called at each point."""

    def __call__(self, point: Point, run: str, name: str = "") -> None:
        """A run is at this point; `name` is its action's, as far as it is known here."""
        ...


class Armed:
    """Kills this process at those points for which there is a file."""

    def __init__(self, folder: Path) -> None:
        """Look for files in this folder."""
        self._folder = folder
        self._names: dict[str, str] = {}

    def __call__(self, point: Point, run: str, name: str = "") -> None:
        """Die, if this point is armed for this action."""
        known = name or self._names.get(run, "")
        self._names[run] = known
        try:
            (self._folder / f"{point}@{known}").unlink()
        except FileNotFoundError:
            return
        os.kill(os.getpid(), signal.SIGKILL)


def armed(environment: Mapping[str, str]) -> Points | None:
    """What is called at each point, if this environment asks for it."""
    folder = environment.get(VARIABLE)
    return Armed(Path(folder)) if folder else None


def name_at(flight: Flight) -> str:
    """The name under which a flight's points are armed."""
    name = flight.action.name if flight.action is not None else flight.payload.action
    if flight.run.undoes:
        return f"undo.{name}"
    return f"on_error.{name}" if flight.run.rescue else name
