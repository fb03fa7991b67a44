"""Who runs what, when several processes share the tests (`pytest -n`): whole files in, one after another for each, out.

Tests that start real processes and measure how they recover would disturb each other: at most two run at a time,
however many processes there are, and one where there are two. The first begins with the faults, which bring their own
servers, the second with the others. The rest of the tests are small, and whoever is free takes the next file of them.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from xdist.scheduler import LoadFileScheduling

if TYPE_CHECKING:
    from xdist.workermanage import WorkerController

FAULTS: Final = "faults"
PROCESSES: Final = "processes"
_PAIR: Final = 2
_MARK: Final = "pytest.mark.processes"
_ROOT: Final = Path(__file__).parents[1]


@cache
def track_of(file: str) -> str:
    """The track of a test file, by its mark; "" for those that anybody may run."""
    if _MARK not in (_ROOT / file).read_text():
        return ""
    return FAULTS if Path(file).parent.name == "faults" else PROCESSES


class Tracks(LoadFileScheduling):  # type: ignore[misc]  # xdist's classes are untyped here
    """Gives each process files of its own tracks, then of those that belong to nobody."""

    def _assign_work_unit(self, node: WorkerController) -> None:
        file = self._next(node)
        if file is not None:
            self.workqueue.move_to_end(file, last=False)
            super()._assign_work_unit(node)

    def _reschedule(self, node: WorkerController) -> None:
        if self.workqueue and not node.shutting_down and self._next(node) is None:
            node.shutdown()  # what is left belongs to others; it still ends what it has
        else:
            super()._reschedule(node)

    def _next(self, node: WorkerController) -> str | None:
        for track in (*self._tracks_of(node), ""):
            for file in self.workqueue:
                if track_of(file) == track:
                    return file
        return None

    def _tracks_of(self, node: WorkerController) -> tuple[str, ...]:
        """What only the first processes run; where one has ended, the next takes its place."""
        at = self.nodes.index(node)
        if at == 0:
            return (FAULTS, PROCESSES)
        return (PROCESSES,) if at == 1 and self.numnodes > _PAIR else ()
